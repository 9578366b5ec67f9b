/**
 * Reads failure notices that only people were meant to read: qmail, Exim, old Postfix, Google, Exchange 5.5 and others
 * of their make. Nothing here is a standard, so only what can be read for certain counts: a mail system wrote it, an
 * address begins a paragraph, and the paragraph gives a reply code, a status or words that leave no doubt.
 */
import { normaliseAddress } from '../../message/address.ts';
import { oneLine } from '../one-line.ts';
import type { MailParts } from './mime.ts';
import type { ReportedRecipient } from './report.ts';
import { replyCodeIn, statusInReply } from './status.ts';
import { judge } from './verdict.ts';

const FROM_SYSTEM = /(?:^|[\s<"])(?:mailer-daemon|mail-?daemon|postmaster)(?:@|\s|>|"|$)/i;
const DELAYED = /warning message only|has(?: not yet)? been delayed|not yet been delivered|will be retried/i;
/** From here on the notice repeats the mail. */
const COPY =
  /^[ \t>]*(?:-{2,}.*(?:original message|copy of|below this line|unsent message|header|returned message)|below is a copy|message headers? follow)/im;
/** Server names and addresses are ASCII; the bounds keep long lines from costing time. */
const ADDRESS = String.raw`[^\s<>()@,;:"]{1,64}@[A-Za-z0-9.-]{1,200}`;
const ALONE = new RegExp(String.raw`^[ \t]{0,12}["<]?(${ADDRESS})[">]?[ \t]*:?[ \t]*$`);
const WITH_WORDS = new RegExp(
  String.raw`^[ \t]{0,12}(?:<(${ADDRESS})>:?|(${ADDRESS}):|(${ADDRESS}) on(?= ))[ \t]+(.*)$`,
);
const TRANSCRIPT = new RegExp(String.raw`^([45]\d\d <(${ADDRESS})>\.\.\. .*)$`);
const SENTENCE = new RegExp(String.raw`error delivering your mail to <(${ADDRESS})>`);
const MAX_LINES = 400;
const MAX_DIAGNOSTIC = 500;

/** The recipients of a notice in words; none when it is no such notice, or says nothing for certain. */
export function readNotice(parts: MailParts): readonly ReportedRecipient[] {
  const failed = (parts.headers.get('x-failed-recipients') ?? '').split(',').map((text) => normaliseAddress(text));
  const isFromSystem = FROM_SYSTEM.test(parts.headers.get('from') ?? '');
  if (!isFromSystem && failed.every((address) => address === null)) return [];
  const text = parts.text.slice(0, COPY.exec(parts.text)?.index);
  const action = DELAYED.test(text) ? 'delayed' : null;
  const read = new Map<string, ReportedRecipient>();
  for (const { address, words } of paragraphs(text)) {
    const recipient = recipientOf(address, words, action);
    const isCertain =
      failed.includes(address) || recipient.status !== null || replyCodeIn(words) !== null || isPlain(recipient);
    if (isCertain && !read.has(address)) read.set(address, recipient);
  }
  return [...read.values()];
}

/** Words alone that leave no doubt. */
function isPlain({ verdict }: ReportedRecipient): boolean {
  return verdict === 'hard' || verdict === 'soft';
}

function recipientOf(address: string, words: string, action: string | null): ReportedRecipient {
  const diagnostic = oneLine(words, MAX_DIAGNOSTIC);
  const status = statusInReply(diagnostic);
  const verdict = judge({ action, status, diagnostic });
  return { address, originalAddress: null, action, status, diagnostic, verdict };
}

interface Paragraph {
  readonly address: string;
  readonly words: string;
}

/** Addresses with what is said after them, up to the next one or an empty line. */
function paragraphs(text: string): readonly Paragraph[] {
  const lines = text.split(/\r?\n/).slice(0, MAX_LINES);
  const found = lines.flatMap((line, at) => {
    const start = startOf(line);
    return start === null ? [] : [{ ...start, at }];
  });
  // A server's words about an address may begin a line with it once more.
  const starts = found.filter(({ address }, index) => index === 0 || found[index - 1]?.address !== address);
  const isOnlyOne = new Set(starts.map(({ address }) => address)).size === 1;
  return starts.map(({ address, words, at }, index) => {
    const rest = lines.slice(at + 1, starts[index + 1]?.at);
    const empty = rest.findIndex((line) => line.trim() === '');
    const own = empty === -1 ? rest : rest.slice(0, empty);
    const near = [words, ...own].join(' ');
    // Some leave a line empty between the only address and the cause.
    const said = near.trim() === '' && isOnlyOne ? rest.join(' ') : near;
    return { address, words: said.replaceAll(/\s+/g, ' ').trim() };
  });
}

function startOf(line: string): Paragraph | null {
  const alone = ALONE.exec(line)?.[1] ?? SENTENCE.exec(line)?.[1];
  if (alone !== undefined) return paragraph(alone, '');
  const transcript = TRANSCRIPT.exec(line);
  if (transcript !== null) return paragraph(transcript[2], transcript[1]);
  const match = WITH_WORDS.exec(line);
  return match === null ? null : paragraph(match[1] ?? match[2] ?? match[3], match[4]);
}

function paragraph(address: string | undefined, words = ''): Paragraph | null {
  const normal = normaliseAddress(address ?? '');
  return normal === null ? null : { address: normal, words };
}
