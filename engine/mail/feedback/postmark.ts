/** Reads the webhooks of Postmark: one event a request (postmarkapp.com/developer/webhooks). */
import {
  addressOf,
  digestOf,
  fieldsOf,
  judgeFailure,
  lineOf,
  referenceIn,
  statusFrom,
  textOf,
  type Blame,
  type ProviderReport,
  type Fields,
  type Outcome,
} from './report.ts';
import { own } from '../../playbook/own.ts';

/** `Type` of bounces. Those that are not here say nothing about the address: automatic replies, changes of subscription. */
const BLAME: Readonly<Record<string, Blame>> = {
  HardBounce: 'address',
  BadEmailAddress: 'address',
  SoftBounce: 'temporary',
  DnsError: 'temporary',
  Blocked: 'sender',
  SpamNotification: 'sender',
  VirusNotification: 'sender',
  DMARCPolicy: 'sender',
  Unknown: 'unknown',
};

/** The event of a request; nothing where it says nothing about a mail's way. */
export function readPostmark(body: unknown): readonly ProviderReport[] {
  const event = fieldsOf(body);
  const outcome = outcomeOf(event);
  if (outcome === null) return [];
  const { RecordType: kind, ID, MessageID, Email, Recipient, BouncedAt, DeliveredAt } = event;
  const report: ProviderReport = {
    // `ID` alone would not do: deliveries have none, and those of bounces can be larger than JavaScript counts exactly.
    id: digestOf(kind, ID, MessageID, Email ?? Recipient, BouncedAt ?? DeliveredAt),
    reference: referenceIn(fieldsOf(event['Metadata'])['perennial']),
    sendId: null,
    address: addressOf(Email ?? Recipient),
    ...outcome,
  };
  return [report];
}

function outcomeOf(event: Fields): Outcome | null {
  switch (event['RecordType']) {
    case 'Delivery':
      return { verdict: 'delivered', status: null, detail: lineOf(event['Details']) };
    case 'SpamComplaint':
      return { verdict: 'complaint', status: null, detail: 'abuse' };
    case 'Bounce':
      return bounce(event);
    default:
      return null;
  }
}

function bounce(event: Fields): Outcome | null {
  const type = textOf(event['Type']) ?? '';
  const words = lineOf(event['Details']);
  if (type === 'SpamComplaint') return { verdict: 'complaint', status: null, detail: 'abuse' };
  // Postmark goes on trying.
  if (type === 'Transient') return { verdict: 'delayed', status: null, detail: words };
  const blame = own(BLAME, type);
  if (blame === undefined) return null;
  const status = statusFrom(null, words);
  return { verdict: judgeFailure(blame, status, words), status, detail: words ?? lineOf(event['Description']) };
}
