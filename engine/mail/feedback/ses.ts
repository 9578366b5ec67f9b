/**
 * Reads what Amazon SES publishes of mails over SNS: notifications and published events, which have the same shape
 * (docs.aws.amazon.com/ses, "Amazon SNS notification contents" and "Contents of event data").
 */
import {
  addressOf,
  fieldsOf,
  judgeFailure,
  lineOf,
  listOf,
  recognisedByHeaders,
  referenceIn,
  statusFrom,
  textOf,
  type Blame,
  type ProviderReport,
  type Recognised,
} from './report.ts';

type Outcome = Pick<ProviderReport, 'address' | 'verdict' | 'status' | 'detail'>;

/** `messageId` is that of the SNS message; `message` what it carries, read. */
export function readSes(messageId: string, message: unknown): readonly ProviderReport[] {
  const event = fieldsOf(message);
  const mail = fieldsOf(event['mail']);
  const byHeaders = recognisedByHeaders(mail['headers']);
  const common = referenceIn(fieldsOf(mail['commonHeaders'])['messageId']);
  const recognised: Recognised = { ...byHeaders, reference: byHeaders.reference ?? common };
  return outcomesOf(event).map((outcome, index) => ({ id: `${messageId}#${index}`, ...recognised, ...outcome }));
}

function outcomesOf(event: Readonly<Record<string, unknown>>): readonly Outcome[] {
  switch (event['notificationType'] ?? event['eventType']) {
    case 'Bounce':
      return bounces(fieldsOf(event['bounce']));
    case 'Complaint':
      return complaints(fieldsOf(event['complaint']));
    case 'Delivery':
      return recipientsOf(fieldsOf(event['delivery'])['recipients'], 'delivered');
    case 'DeliveryDelay':
      return recipientsOf(fieldsOf(event['deliveryDelay'])['delayedRecipients'], 'delayed');
    default:
      return [];
  }
}

/** Permanent: SES gave up since the address refused for good, or since it knows the address to be dead. */
function bounces(bounce: Readonly<Record<string, unknown>>): readonly Outcome[] {
  const type = bounce['bounceType'];
  const blame: Blame = type === 'Permanent' ? 'address' : type === 'Transient' ? 'temporary' : 'unknown';
  const subType = textOf(bounce['bounceSubType']);
  return listOf(bounce['bouncedRecipients']).map((one) => {
    const recipient = fieldsOf(one);
    const words = lineOf(recipient['diagnosticCode']);
    const status = statusFrom(textOf(recipient['status']), words);
    const own = subType === 'ContentRejected' || subType === 'AttachmentRejected' ? 'sender' : blame;
    return {
      address: addressOf(recipient['emailAddress']),
      verdict: judgeFailure(own, status, words),
      status,
      detail: words ?? lineOf(subType),
    };
  });
}

function complaints(complaint: Readonly<Record<string, unknown>>): readonly Outcome[] {
  const feedback = textOf(complaint['complaintFeedbackType']) ?? 'abuse';
  // A reader who says that it is no spam does not complain.
  if (feedback === 'not-spam') return [];
  const detail = lineOf(feedback);
  return listOf(complaint['complainedRecipients']).map((one) => ({
    address: addressOf(fieldsOf(one)['emailAddress']),
    verdict: 'complaint',
    status: null,
    detail,
  }));
}

function recipientsOf(list: unknown, verdict: 'delivered' | 'delayed'): readonly Outcome[] {
  return listOf(list).map((one) => ({
    address: addressOf(fieldsOf(one)['emailAddress'] ?? one),
    verdict,
    status: null,
    detail: null,
  }));
}
