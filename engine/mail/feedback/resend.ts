/** Reads the webhooks of Resend: one event a request, perhaps of several recipients (resend.com/docs/webhooks). */
import {
  addressOf,
  fieldsOf,
  judgeFailure,
  lineOf,
  listOf,
  recognisedByHeaders,
  referenceIn,
  statusFrom,
  type Blame,
  type ProviderReport,
  type Fields,
  type Outcome,
} from './report.ts';

/** `id` is that of the message, from its headers; nothing where the event says nothing about a mail's way. */
export function readResend(id: string, body: unknown): readonly ProviderReport[] {
  const event = fieldsOf(body);
  const data = fieldsOf(event['data']);
  const outcome = outcomeOf(event['type'], data);
  if (outcome === null) return [];
  const byHeaders = recognisedByHeaders(data['headers']);
  const reference = byHeaders.reference ?? referenceIn(data['message_id']);
  const to = Array.isArray(data['to']) ? listOf(data['to']) : [data['to']];
  return to.map((one, index) => ({
    id: `${id}#${index}`,
    reference,
    sendId: byHeaders.sendId,
    address: addressOf(one),
    ...outcome,
  }));
}

function outcomeOf(type: unknown, data: Fields): Outcome | null {
  switch (type) {
    case 'email.delivered':
      return { verdict: 'delivered', status: null, detail: null };
    case 'email.delivery_delayed':
      return { verdict: 'delayed', status: null, detail: null };
    case 'email.complained':
      return { verdict: 'complaint', status: null, detail: 'abuse' };
    case 'email.bounced':
      return bounce(fieldsOf(data['bounce']));
    case 'email.suppressed':
      return { verdict: 'hard', status: null, detail: lineOf(fieldsOf(data['suppressed'])['message']) ?? 'suppressed' };
    default:
      return null;
  }
}

/** `message` is Resend's advice, the same for all, and says nothing for certain; `diagnosticCode` is the server's. */
function bounce(of: Fields): Outcome {
  const { type, subType, diagnosticCode } = of;
  const [first = diagnosticCode] = listOf(diagnosticCode);
  const words = lineOf(first);
  const blame: Blame = type === 'Transient' ? 'temporary' : type === 'Undetermined' ? 'unknown' : 'address';
  const own = subType === 'ContentRejected' || subType === 'AttachmentRejected' ? 'sender' : blame;
  const status = statusFrom(null, words);
  return { verdict: judgeFailure(own, status, words), status, detail: words ?? lineOf(of['message']) };
}
