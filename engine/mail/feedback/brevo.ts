/** Reads the transactional webhooks of Brevo: one event a request, or a list (developers.brevo.com, "Transactional webhooks"). */
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

const BLAME: Readonly<Record<string, Blame>> = {
  hard_bounce: 'address',
  invalid_email: 'address',
  soft_bounce: 'temporary',
  // Brevo has the address on a list of its own and does not say why; or it failed to send.
  blocked: 'unknown',
  error: 'unknown',
};

/** The events of a request that say something about a mail's way. */
export function readBrevo(body: unknown): readonly ProviderReport[] {
  return (Array.isArray(body) ? (body as readonly unknown[]) : [body]).flatMap((one) => {
    const event = fieldsOf(one);
    const outcome = outcomeOf(event);
    if (outcome === null) return [];
    const { event: kind, email, 'message-id': messageId } = event;
    return [
      {
        // `id` is that of the webhook, the same in all its events.
        id: digestOf(kind, email, messageId, event['ts_event'] ?? event['ts'] ?? null),
        reference: referenceIn(event['X-Mailin-custom']) ?? referenceIn(messageId),
        sendId: null,
        address: addressOf(email),
        ...outcome,
      },
    ];
  });
}

function outcomeOf(event: Fields): Outcome | null {
  const kind = textOf(event['event']) ?? '';
  const words = lineOf(event['reason']);
  switch (kind) {
    case 'delivered':
      return { verdict: 'delivered', status: null, detail: null };
    case 'deferred':
      return { verdict: 'delayed', status: null, detail: words };
    case 'spam':
    case 'complaint':
      return { verdict: 'complaint', status: null, detail: 'abuse' };
    default: {
      const blame = own(BLAME, kind);
      if (blame === undefined) return null;
      const status = statusFrom(null, words);
      return { verdict: judgeFailure(blame, status, words), status, detail: words ?? kind };
    }
  }
}
