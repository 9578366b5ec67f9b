/** Reads the Event Webhook of SendGrid: a list of events (twilio.com/docs/sendgrid, "Event Webhook Reference"). */
import {
  addressOf,
  digestOf,
  fieldsOf,
  judgeFailure,
  lineOf,
  listOf,
  referenceIn,
  statusFrom,
  textOf,
  type Blame,
  type ProviderReport,
  type Outcome,
} from './report.ts';
import { own } from '../../playbook/own.ts';

/** `bounce_classification`, in lower case. Others leave it to the server's words. */
const CLASSES: Readonly<Record<string, Blame>> = {
  'invalid address': 'address',
  technical: 'temporary',
  content: 'sender',
  reputation: 'sender',
  'frequency or volume too high': 'sender',
};

/** What SendGrid did not even try, in lower case, since it knows the address. Others are no matter of the address. */
const DROPPED: Readonly<Record<string, 'hard' | 'complaint'>> = {
  'bounced address': 'hard',
  invalid: 'hard',
  'spam reporting address': 'complaint',
};

/** The events of a request that say something about a mail's way. */
export function readSendgrid(body: unknown): readonly ProviderReport[] {
  return listOf(body).flatMap((one) => {
    const event = fieldsOf(one);
    const outcome = outcomeOf(event);
    if (outcome === null) return [];
    return [
      {
        id: textOf(event['sg_event_id']) ?? digestOf(event),
        reference: referenceIn(event['perennial']) ?? referenceIn(event['smtp-id']),
        sendId: null,
        address: addressOf(event['email']),
        ...outcome,
      },
    ];
  });
}

function outcomeOf(event: Readonly<Record<string, unknown>>): Outcome | null {
  const words = lineOf(event['reason'] ?? event['response']);
  switch (event['event']) {
    case 'delivered':
      return { verdict: 'delivered', status: null, detail: words };
    case 'deferred':
      return { verdict: 'delayed', status: null, detail: words };
    case 'spamreport':
      return { verdict: 'complaint', status: null, detail: 'abuse' };
    case 'bounce': {
      const status = statusFrom(textOf(event['status']), words);
      const named = own(CLASSES, textOf(event['bounce_classification'])?.toLowerCase() ?? '');
      return { verdict: judgeFailure(named ?? 'unknown', status, words), status, detail: words };
    }
    case 'dropped': {
      const verdict = own(DROPPED, words?.toLowerCase() ?? '');
      return verdict === undefined ? null : { verdict, status: null, detail: words };
    }
    default:
      return null;
  }
}
