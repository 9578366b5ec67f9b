/** A mail taken apart: its headers, what it says, and the parts that speak to machines. */
import PostalMime, { type Attachment } from 'postal-mime';

/** The parts of a mail that a report can be in. */
export interface MailParts {
  /** First value of each header, by its name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Every value of the headers that say where the mail was sent to. */
  readonly sentTo: readonly string[];
  /** What people read, its text parts one after the other. */
  readonly text: string;
  /**
   * All after the headers, undecoded, up to the returned mail: for reports whose parts are not where they should be.
   * Empty unless the mail says that it is a delivery report.
   */
  readonly body: string;
  /** `message/delivery-status` (RFC 3464), as text. */
  readonly deliveryStatus: readonly string[];
  /** `message/feedback-report` (RFC 5965), as text. */
  readonly feedbackReport: readonly string[];
  /** Mails, or headers of mails, inside. */
  readonly messages: readonly Uint8Array[];
}

const SENT_TO: ReadonlySet<string> = new Set([
  'to',
  'delivered-to',
  'x-original-to',
  'envelope-to',
  'x-envelope-to',
  'x-rcpt-to',
]);
const MESSAGE_TYPES: ReadonlySet<string> = new Set(['message/rfc822', 'message/global', 'text/rfc822-headers']);
/** A report has no more levels; a mail with more is made to cost time. */
const LIMITS = { forceRfc822Attachments: true, maxNestingDepth: 32, maxHeadersSize: 512 * 1024 } as const;

/**
 * So much of a mail is looked at. A report says what it has to say at its beginning, before the mail that came back. The parser takes
 * the longer for each line the more there are, and anybody may send mail here: a megabyte of empty lines would
 * keep a process from all else for half a minute.
 */
const MOST_BYTES = 256 * 1024;
const MOST_LINES = 4_000;
const LINE_FEED = 0x0a;

/** Takes a mail apart; null when it cannot be. */
export async function takeApart(whole: Uint8Array): Promise<MailParts | null> {
  const raw = beginningOf(whole);
  let email;
  try {
    // A copy: a Buffer may be a window on a pool, and a separator line before the headers is no header (mboxrd).
    email = await PostalMime.parse(new Uint8Array(withoutSeparator(raw)), LIMITS);
  } catch {
    // The parser throws for mails beyond its limits. For us that is a mail without a report, and the caller says so.
    return null;
  }
  const headers = new Map<string, string>();
  for (const { key, value } of email.headers) if (!headers.has(key)) headers.set(key, value);
  const parts = (types: (type: string) => boolean): Uint8Array[] =>
    email.attachments.filter(({ mimeType }) => types(mimeType)).map(bytesOf);
  const texts = (...types: readonly string[]): string[] => parts((type) => types.includes(type)).map(textOf);
  return {
    headers,
    sentTo: email.headers.filter(({ key }) => SENT_TO.has(key)).map(({ value }) => value),
    text: email.text ?? '',
    body: /delivery-status/i.test(headers.get('content-type') ?? '') ? bodyOf(raw) : '',
    deliveryStatus: texts('message/delivery-status', 'message/global-delivery-status'),
    feedbackReport: texts('message/feedback-report'),
    messages: parts((type) => MESSAGE_TYPES.has(type)),
  };
}

function beginningOf(raw: Uint8Array): Uint8Array {
  const last = Math.min(raw.length, MOST_BYTES);
  let end = 0;
  for (let lines = 0; lines < MOST_LINES && end < last; lines += 1) {
    const found = raw.indexOf(LINE_FEED, end);
    end = found < 0 ? last : found + 1;
  }
  return raw.subarray(0, Math.min(end, last));
}

function bodyOf(raw: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(raw);
  const begins = /\r?\n\r?\n/.exec(text);
  const body = text.slice(begins === null ? text.length : begins.index + begins[0].length);
  return body.slice(0, /^content-type:[ \t]*(?:message\/rfc822|text\/rfc822-headers)/im.exec(body)?.index);
}

/** The `From ` line that mailbox files put before each mail. */
function withoutSeparator(raw: Uint8Array): Uint8Array {
  const isSeparated = raw[0] === 0x46 && raw[1] === 0x72 && raw[2] === 0x6f && raw[3] === 0x6d && raw[4] === 0x20;
  return isSeparated ? raw.subarray(raw.indexOf(0x0a) + 1) : raw;
}

function bytesOf({ content }: Attachment): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
