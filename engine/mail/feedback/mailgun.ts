/** Reads the webhooks of Mailgun: one event a request (documentation.mailgun.com, "Webhook Payloads"). */
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

/** The event of a request; nothing where it says nothing about a mail's way. */
export function readMailgun(body: unknown): readonly ProviderReport[] {
  const event = fieldsOf(fieldsOf(body)['event-data']);
  const outcome = outcomeOf(event);
  if (outcome === null) return [];
  const headers = fieldsOf(fieldsOf(event['message'])['headers']);
  const report: ProviderReport = {
    id: textOf(event['id']) ?? digestOf(event),
    reference: referenceIn(headers['message-id']),
    sendId: null,
    address: addressOf(event['recipient']),
    ...outcome,
  };
  return [report];
}

function outcomeOf(event: Fields): Outcome | null {
  switch (event['event']) {
    case 'delivered':
      return { verdict: 'delivered', status: null, detail: null };
    case 'complained':
      return { verdict: 'complaint', status: null, detail: 'abuse' };
    case 'failed':
      return failure(event);
    default:
      return null;
  }
}

function failure(event: Fields): Outcome | null {
  const delivery = fieldsOf(event['delivery-status']);
  const words = lineOf(delivery['message']) ?? lineOf(delivery['description']);
  const reason = textOf(event['reason']);
  // Mailgun tries again by itself, and says so when it gives up.
  if (event['severity'] === 'temporary') return { verdict: 'delayed', status: null, detail: words };
  if (reason === 'suppress-unsubscribe') return null;
  if (reason === 'suppress-complaint') return { verdict: 'complaint', status: null, detail: 'abuse' };
  if (reason === 'suppress-bounce') return { verdict: 'hard', status: null, detail: words };
  const code = delivery['code'];
  // Codes from 600 on are Mailgun's own; the others are a server's replies.
  const reply = typeof code === 'number' && code < 600 && words !== null ? `${code} ${words}` : words;
  const status = statusFrom(textOf(delivery['enhanced-code']), reply);
  return { verdict: judgeFailure(blameOf(reason, delivery), status, reply), status, detail: reply };
}

function blameOf(reason: string | null, delivery: Fields): Blame {
  if (reason === 'espblock') return 'sender';
  if (reason === 'old' || reason === 'greylisted' || delivery['bounce-type'] === 'soft') return 'temporary';
  return delivery['bounce-type'] === 'hard' ? 'address' : 'unknown';
}
