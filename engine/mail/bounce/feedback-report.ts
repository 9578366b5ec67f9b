/** Reads complaints in the Abuse Reporting Format (RFC 5965). */
import { addressIn, fieldOf, readFields } from './fields.ts';

/** What a `message/feedback-report` part says. */
export interface Complaint {
  /** `abuse`, `fraud`, `opt-out`, …, in lower case; empty when it names none. */
  readonly feedback: string;
  readonly recipients: readonly string[];
  /** Return path of the mail, where the report repeats it. */
  readonly mailFrom: string | null;
}

/** RFC 5965 section 7.3 and RFC 6430; `virus`, `other` and `auth-failure` (RFC 6591) speak for no reader. */
const COMPLAINTS: ReadonlySet<string> = new Set(['abuse', 'fraud', 'opt-out', 'opt-out-list']);

/** Whether a reader asks with it to be left alone. */
export function isComplaint(feedback: string): boolean {
  return COMPLAINTS.has(feedback);
}

/** The first group of the part; null when it has no fields. */
export function readFeedbackReport(text: string): Complaint | null {
  const [fields] = readFields(text);
  if (fields === undefined) return null;
  const named = [...(fields.get('original-rcpt-to') ?? []), ...(fields.get('removal-recipient') ?? [])];
  const recipients = named.map(addressIn).filter((address) => address !== null);
  return {
    feedback: fieldOf(fields, 'feedback-type')?.toLowerCase() ?? '',
    recipients: [...new Set(recipients)],
    mailFrom: fieldOf(fields, 'original-mail-from'),
  };
}
