/** Reads the machine-readable part of a delivery report (RFC 3464), wherever it stands. */
import { oneLine } from '../one-line.ts';
import { addressIn, fieldOf, readFields, type Fields } from './fields.ts';
import type { ReportedRecipient } from './report.ts';
import { statusInReply, statusOf } from './status.ts';
import { judge } from './verdict.ts';

const MAX_DIAGNOSTIC = 500;

/** The recipients of a `message/delivery-status` part; groups without a recipient or an action are not theirs. */
export function readDeliveryStatus(text: string): readonly ReportedRecipient[] {
  return readFields(text).flatMap((fields) => {
    const action = fieldOf(fields, 'action');
    const named = fieldOf(fields, 'final-recipient') ?? fieldOf(fields, 'original-recipient');
    return action === null || named === null ? [] : [recipientOf(fields, action)];
  });
}

/**
 * The same fields in the text of a mail: forwarded by a person, with `>` before each line, or by a server that knows
 * no better. There, a recipient, an action and a status must stand together.
 */
export function readQuotedStatus(text: string): readonly ReportedRecipient[] {
  const unquoted = text.replaceAll(/^(?:> ?)+/gm, '');
  return readFields(unquoted).flatMap((fields) => {
    const action = fieldOf(fields, 'action');
    const complete = fieldOf(fields, 'final-recipient') !== null && statusOf(fieldOf(fields, 'status')) !== null;
    return action === null || !complete ? [] : [recipientOf(fields, action)];
  });
}

function recipientOf(fields: Fields, given: string): ReportedRecipient {
  const action = /^[A-Za-z-]+/.exec(given)?.[0].toLowerCase() ?? '';
  const said = fieldOf(fields, 'diagnostic-code');
  const diagnostic = said === null ? null : oneLine(said, MAX_DIAGNOSTIC);
  const status = bestStatus(statusOf(fieldOf(fields, 'status')), diagnostic);
  const final = addressIn(fieldOf(fields, 'final-recipient'));
  const originalAddress = addressIn(fieldOf(fields, 'original-recipient'));
  return {
    address: final ?? originalAddress,
    originalAddress,
    action,
    status,
    diagnostic,
    verdict: judge({ action, status, diagnostic }),
  };
}

/** The code in the reply of the server that refused is nearer to the cause than what the reporting one made of it. */
function bestStatus(status: string | null, diagnostic: string | null): string | null {
  return (diagnostic === null ? null : statusInReply(diagnostic)) ?? status;
}
