/**
 * Signs a whole message (RFC 6376, RFC 8463): relaxed in head and body, one signature for each key.
 *
 * 1. What is signed is what goes out: nothing may touch the message afterwards.
 * 2. Fields that readers see are named once more than they are there, so that nobody can add a second one that is shown
 *    instead (RFC 6376 section 8.15).
 */
import { createHash, sign } from 'node:crypto';
import { fieldsOf, relaxedBody, relaxedField, type Field } from './canonical.ts';
import type { DkimKey } from './key.ts';

/** Who signs, when, and with what. */
export interface DkimSigning {
  /** `d=`, in punycode. */
  readonly domain: string;
  /** In milliseconds. */
  readonly at: number;
  readonly keys: readonly DkimKey[];
}

/** What is signed where it is present: RFC 6376 section 5.4.1, RFC 8058 section 4 for the List fields, and MIME's own. */
const SIGNED: ReadonlySet<string> = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'feedback-id',
  'auto-submitted',
]);
const SIGNED_ONCE_MORE: readonly string[] = ['from', 'reply-to', 'to', 'subject', 'date'];
const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** RFC 5322 section 2.1.1. */
const FOLD_AT = 76;
const BREAK = '\r\n ';

/**
 * The message with a `DKIM-Signature` of each key before it; itself without keys. Its line ends must be CRLF.
 * Signing is done by threads of the process, so that it delays nothing else. @throws Error for a message without a body.
 */
export async function signDkim(message: Buffer, { domain, at, keys }: DkimSigning): Promise<Buffer> {
  if (keys.length === 0) return message;
  const end = message.indexOf(END_OF_HEAD);
  if (end < 0) throw new Error('a message without an empty line after its head cannot be signed');
  const fields = fieldsOf(message.toString('latin1', 0, end));
  const bodyHash = createHash('sha256')
    .update(relaxedBody(message.subarray(end + END_OF_HEAD.length)))
    .digest('base64');
  const names = signedNames(fields);
  const signed = `${signedFields(fields, names).map(relaxedField).join('\r\n')}\r\n`;
  const signatures = await Promise.all(
    keys.map(async (key) => {
      const tags = [
        `v=1; a=${key.algorithm}-sha256; c=relaxed/relaxed; d=${domain};`,
        `s=${key.selector}; t=${Math.floor(at / 1000)};`,
        foldList('h=', names),
        `bh=${bodyHash};`,
        'b=',
      ];
      const value = ` ${tags.join(BREAK)}`;
      const own = relaxedField({ name: 'DKIM-Signature', value });
      const signature = await signatureOf(Buffer.from(signed + own, 'latin1'), key);
      return `DKIM-Signature:${value}${foldText(signature)}\r\n`;
    }),
  );
  return Buffer.concat([Buffer.from(signatures.join(''), 'latin1'), message]);
}

/** The value of `h=`: each field as often as it is there, and some once more. */
function signedNames(fields: readonly Field[]): readonly string[] {
  const present = fields.map(({ name }) => name.toLowerCase()).filter((name) => SIGNED.has(name));
  return [...present, ...SIGNED_ONCE_MORE];
}

/** Section 5.4.2: of fields that are there several times the last one first; one that is not there adds nothing. */
function signedFields(fields: readonly Field[], names: readonly string[]): readonly Field[] {
  const left = [...fields].reverse();
  return names.flatMap((name) => {
    const index = left.findIndex((field) => field.name.toLowerCase() === name);
    return index < 0 ? [] : left.splice(index, 1);
  });
}

/** RFC 8463 section 3: Ed25519 signs the hash, where RSA makes its own. */
function signatureOf(data: Buffer, key: DkimKey): Promise<string> {
  const [algorithm, input] =
    key.algorithm === 'rsa' ? ['sha256', data] : [null, createHash('sha256').update(data).digest()];
  return new Promise((resolve, reject) => {
    sign(algorithm, input, key.privateKey, (error, signature) => {
      if (error === null) resolve(signature.toString('base64'));
      else reject(error);
    });
  });
}

function foldList(tag: string, names: readonly string[]): string {
  const lines: string[] = [];
  let line = tag;
  for (const [index, name] of names.entries()) {
    const word = index === names.length - 1 ? `${name};` : `${name}:`;
    if (line.length + word.length > FOLD_AT) {
      lines.push(line);
      line = '';
    }
    line += word;
  }
  return [...lines, line].join(BREAK);
}

function foldText(text: string): string {
  return (text.match(/.{1,74}/g) ?? []).join(BREAK);
}
