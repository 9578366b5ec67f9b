/** Enhanced status codes (RFC 3463) in what servers say. */

const CODE = String.raw`([245]\.\d{1,3}\.\d{1,3})(?![.\d])`;
/** After a reply code, as RFC 2034 has it: `550 5.1.1`, `550-5.1.1`; and as some write it: `550: 5.1.1`, `550-'5.7.1`. */
const AFTER_REPLY = new RegExp(String.raw`(?<![.\d])([245])\d\d:?[ -](?:[245]\d\d[ -])?['#[]?${CODE}`, 'g');
/** Without a reply code: `smtp; 5.3.0 - …`, `5.2.2 <ada@example.com>…`, and qmail's `(#5.1.1)`. */
const ALONE = new RegExp(String.raw`^(?:smtp;)?\s*${CODE} |(?<=\s)${CODE} <[^<>\s]+@|\(#${CODE}\)`, 'i');
const BARE = new RegExp(String.raw`^${CODE}`);
const REPLY = /(?<![.\d])([45]\d\d)(?=[ -]|$)/;

/** The code that a `Status` field begins with; null when it begins with none. */
export function statusOf(text: string | null): string | null {
  return text === null ? null : (BARE.exec(text.trim())?.[1] ?? null);
}

/** The code in a server's reply; the first whose class agrees with its reply code. */
export function statusInReply(text: string): string | null {
  for (const match of text.matchAll(AFTER_REPLY)) {
    const [, replyClass, code] = match;
    if (code !== undefined && code.startsWith(`${replyClass ?? ''}.`)) return code;
  }
  const alone = ALONE.exec(text);
  return alone?.[1] ?? alone?.[2] ?? alone?.[3] ?? null;
}

/** The reply code (RFC 5321 section 4.2.3) of a failure, such as 550; null for none. */
export function replyCodeIn(text: string): number | null {
  const code = REPLY.exec(text)?.[1];
  return code === undefined ? null : Number(code);
}

/** `5.0.0` and `4.0.0` say no more than that it failed. */
export function isGeneric(status: string): boolean {
  return status.slice(1) === '.0.0';
}
