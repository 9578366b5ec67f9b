/** Writes a mail as the bytes that SMTP carries: RFC 5322 headers, multipart/alternative (RFC 2046), quoted-printable. */
import type { Instant } from '../time/types.ts';
import { parseMailbox, validateAddress } from './address.ts';
import { ComposeError, mailboxHeader, structuredHeader, unstructuredHeader } from './headers.ts';
import { quotedPrintableLimit, writeQuotedPrintable } from './quoted-printable.ts';

export { ComposeError } from './headers.ts';

const WRITTEN: unique symbol = Symbol('written');

/** A mail with everything that is said in it. */
export interface MailToCompose {
  /** `Name <address>` or an address. */
  readonly from: string;
  /** Exactly one address. */
  readonly to: string;
  readonly toName: string | null;
  /** `Name <address>` or an address. */
  readonly replyTo: string | null;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  /** With its angle brackets, from {@link messageIdFor}. */
  readonly messageId: string;
  readonly date: Instant;
  /** Fields that are equal in many mails, written once by {@link writeFields}; after them come `headers`. */
  readonly fixed?: WrittenFields;
  /** Further fields; those that `compose` writes itself are refused. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Header lines that were written and checked; made by {@link writeFields} only. */
export interface WrittenFields {
  readonly [WRITTEN]: true;
  readonly lines: string;
}

/** A message ready to be handed over, and whom to. */
export interface ComposedMail {
  readonly envelope: { readonly from: string; readonly to: string };
  /** CRLF line ends throughout, ends with one; no line is longer than 998 bytes or begins with a dot. */
  readonly message: Buffer;
}

/** The fields by which the local inbox and the console find a mail's place in its playbook. */
export const PERENNIAL_HEADERS = {
  playbook: 'X-Perennial-Playbook',
  step: 'X-Perennial-Step',
  send: 'X-Perennial-Send',
} as const;

const RESERVED =
  /^(from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|return-path|received|content-.*)$/i;
/** RFC 5322 section 2.2 allows more; nobody sends more. */
const FIELD_NAME = /^[A-Za-z0-9-]{1,70}$/;
const MESSAGE_ID = /^<[^\s<>@]+@[^\s<>@]+>$/;

// A body in quoted-printable can never hold "=_" (RFC 2045 section 6.7, note), so one boundary is right for all mail.
const BOUNDARY = '=_perennial';
const OPENING = Buffer.from(
  `MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="${BOUNDARY}"\r\n\r\n` +
    `--${BOUNDARY}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`,
);
const BETWEEN = Buffer.from(
  `\r\n--${BOUNDARY}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`,
);
const CLOSING = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

/**
 * Where mails are written, one behind the other: memory of its own for each would be the larger part of the garbage that
 * sending makes. It is freed when the last of its mails is.
 */
const SLAB_BYTES = 1024 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let taken = 0;

/** Room for so many bytes, of which the first `used` are kept afterwards by {@link keep}. */
function roomFor(limit: number): Buffer {
  if (limit > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(limit);
  if (taken + limit > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    taken = 0;
  }
  return slab.subarray(taken, taken + limit);
}

/**
 * The bytes of a mail and its envelope of one recipient. Equal mails give equal bytes.
 * @throws {ComposeError} when an address is no address, or a header value holds CR, LF or NUL or cannot be written.
 */
export function compose(mail: MailToCompose): ComposedMail {
  const from = mailbox('From', mail.from);
  const to = validateAddress(mail.to);
  if (to === null) throw badAddress('To', mail.to);
  if (!MESSAGE_ID.test(mail.messageId)) {
    throw new ComposeError(
      'bad-address',
      'Message-ID',
      `Message-ID must be <left@right>, not ${JSON.stringify(mail.messageId)}`,
    );
  }
  let head = mailboxHeader('From', from.name, from.address) + mailboxHeader('To', mail.toName, to);
  if (mail.replyTo !== null) {
    const replyTo = mailbox('Reply-To', mail.replyTo);
    head += mailboxHeader('Reply-To', replyTo.name, replyTo.address);
  }
  head += unstructuredHeader('Subject', mail.subject);
  head += `Date: ${rfc5322Date(mail.date)}\r\n`;
  head += structuredHeader('Message-ID', mail.messageId);
  head += mail.fixed?.lines ?? '';
  for (const [name, value] of Object.entries(mail.headers)) head += furtherHeader(name, value);
  return { envelope: { from: from.address, to }, message: bytesOf(head, mail) };
}

/**
 * Writes fields for many mails. `lines` are finished header lines of this room, such as `listHeaderLines` makes.
 * @throws {ComposeError} when a value cannot be written, or `compose` writes that field itself.
 */
export function writeFields(headers: Readonly<Record<string, string>>, lines = ''): WrittenFields {
  const written = Object.entries(headers).map(([name, value]) => furtherHeader(name, value));
  return { [WRITTEN]: true, lines: written.join('') + lines };
}

function bytesOf(head: string, { text, html }: Pick<MailToCompose, 'text' | 'html'>): Buffer {
  const fixed = head.length + OPENING.length + BETWEEN.length + CLOSING.length;
  const limit = fixed + quotedPrintableLimit(text) + quotedPrintableLimit(html);
  const out = roomFor(limit);
  let at = out.write(head, 0, 'latin1');
  at += OPENING.copy(out, at);
  at = writeQuotedPrintable(text, out, at);
  at += BETWEEN.copy(out, at);
  at = writeQuotedPrintable(html, out, at);
  at += CLOSING.copy(out, at);
  const message = out.subarray(0, at);
  if (out.buffer === slab.buffer) taken += at;
  composed.add(message);
  return message;
}

/** Messages that were written here, so that nobody need look through them for what `ComposedMail` rules out. */
const composed = new WeakSet<Buffer>();

/** Whether these bytes, this very buffer, came from {@link compose}. */
export function isComposed(message: Buffer): boolean {
  return composed.has(message);
}

/**
 * The Message-ID of a send, angle brackets included: the same for every attempt, so that a server that has seen it
 * can drop the copy. `installation` keeps apart two databases that send for one domain, such as a staging copy.
 */
export function messageIdFor(sendId: number, domain: string, installation?: string): string {
  return `<send-${sendId}${installation === undefined ? '' : `.${installation}`}@${domain}>`;
}

function furtherHeader(name: string, value: string): string {
  if (!FIELD_NAME.test(name)) {
    throw new ComposeError(
      'bad-header-name',
      name,
      `${JSON.stringify(name)} is no header name: letters, digits and hyphens`,
    );
  }
  if (RESERVED.test(name)) {
    throw new ComposeError('reserved-header', name, `${name} is written by the mail itself and cannot be given again`);
  }
  // Text in other languages becomes encoded-words; ASCII (URLs, tokens) must arrive as it is.
  return /^[\x20-\x7e]*$/.test(value) ? structuredHeader(name, value) : unstructuredHeader(name, value);
}

function mailbox(field: string, text: string): { name: string | null; address: string } {
  const parsed = parseMailbox(text);
  if (parsed === null) throw badAddress(field, text);
  return parsed;
}

function badAddress(field: string, text: string): ComposeError {
  return new ComposeError(
    'bad-address',
    field,
    `${field} must be exactly one e-mail address, not ${JSON.stringify(text)}`,
  );
}

/** The last one that was written: the mails of a chunk are composed at one instant. */
let lastDate = { at: Number.NaN, text: '' };

/** RFC 5322 section 3.3, in UTC. */
function rfc5322Date(at: Instant): string {
  if (lastDate.at !== at) lastDate = { at, text: new Date(at).toUTCString().replace('GMT', '+0000') };
  return lastDate.text;
}
