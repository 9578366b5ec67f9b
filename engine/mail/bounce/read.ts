/**
 * Reads a mail that came back: a delivery report (RFC 3464), a complaint (RFC 5965), a notice in words, or none of them.
 *
 * 1. The returned mail inside a report is only asked what it is, never searched for reports of its own.
 * 2. A report inside a mail that is none itself counts: people and systems forward them, whole or quoted.
 * 3. What cannot be read is no report. Nothing that somebody can write makes this throw.
 */
import { PERENNIAL_HEADERS } from '../../message/compose.ts';
import { readDeliveryStatus, readQuotedStatus } from './delivery-status.ts';
import { isComplaint, readFeedbackReport, type Complaint } from './feedback-report.ts';
import { takeApart, type MailParts } from './mime.ts';
import { readNotice } from './notice.ts';
import type { About, MailReport, ReportedRecipient } from './report.ts';
import { isGeneric } from './status.ts';
import { judge } from './verdict.ts';

/** How many mails deep a report may be wrapped. */
const MAX_WRAPPED = 3;
/** What a signed token looks like in a return path (engine/message/bounce-token.ts), in any case. */
const TOKEN = /\+([a-z2-7]{20,60})@/gi;
const MESSAGE_ID = /^<[^\s<>\p{Cc}]{1,250}>$/u;

/** Reads one mail, as its bytes were received. */
export async function readReport(raw: Uint8Array): Promise<MailReport> {
  return read(raw, 0, []);
}

async function read(raw: Uint8Array, depth: number, outerTo: readonly string[]): Promise<MailReport> {
  const parts = await takeApart(raw);
  if (parts === null) return { kind: 'none', because: 'unreadable' };
  const sentTo = [...outerTo, ...parts.sentTo];
  const complaint = parts.feedbackReport.map(readFeedbackReport).find((found) => found !== null);
  if (complaint !== undefined) return complaintOf(complaint, parts, sentTo);
  const machine = parts.deliveryStatus.flatMap(readDeliveryStatus);
  const quoted = machine.length > 0 ? machine : readQuotedStatus(parts.text);
  const recipients = quoted.length > 0 ? quoted : readQuotedStatus(parts.body);
  if (recipients.length > 0) {
    return { kind: 'bounce', recipients: withWords(recipients, parts), about: await aboutOf(parts, sentTo, []) };
  }
  if (parts.deliveryStatus.length === 0) {
    const wrapped = await readWrapped(parts, depth, sentTo);
    if (wrapped !== null) return wrapped;
  }
  const noticed = readNotice(parts);
  if (noticed.length > 0) return { kind: 'bounce', recipients: noticed, about: await aboutOf(parts, sentTo, []) };
  const isAutomatic = /^auto-/i.test(parts.headers.get('auto-submitted') ?? '');
  return { kind: 'none', because: isAutomatic ? 'auto-reply' : 'no report' };
}

/** Where the part for machines says only that it failed, the part for people may say why. */
function withWords(recipients: readonly ReportedRecipient[], parts: MailParts): readonly ReportedRecipient[] {
  const isBare = ({ status, diagnostic }: ReportedRecipient): boolean =>
    diagnostic === null && (status === null || isGeneric(status));
  if (!recipients.some(isBare)) return recipients;
  const noticed = readNotice(parts);
  return recipients.map((recipient) => {
    const said = isBare(recipient) ? noticed.find(({ address }) => address === recipient.address) : undefined;
    if (said === undefined) return recipient;
    const { action } = recipient;
    const status = said.status ?? recipient.status;
    const { diagnostic } = said;
    return { ...recipient, status, diagnostic, verdict: judge({ action, status, diagnostic }) };
  });
}

async function complaintOf(complaint: Complaint, parts: MailParts, sentTo: readonly string[]): Promise<MailReport> {
  const { feedback, recipients, mailFrom } = complaint;
  if (!isComplaint(feedback)) return { kind: 'none', because: 'no complaint' };
  const about = await aboutOf(parts, sentTo, mailFrom === null ? [] : [mailFrom]);
  return { kind: 'complaint', feedback, recipients, about };
}

/** A mail inside that is a report with a part for machines. A notice in words is not looked for there: people quote those. */
async function readWrapped(parts: MailParts, depth: number, sentTo: readonly string[]): Promise<MailReport | null> {
  if (depth >= MAX_WRAPPED) return null;
  for (const message of parts.messages) {
    const inside = await takeApart(message);
    const isReport = inside !== null && (inside.deliveryStatus.length > 0 || inside.feedbackReport.length > 0);
    const isWrapper = inside !== null && !isReport && inside.messages.length > 0;
    if (!isReport && !isWrapper) continue;
    const found = await read(message, depth + 1, sentTo);
    if (found.kind !== 'none') return found;
  }
  return null;
}

async function aboutOf(parts: MailParts, sentTo: readonly string[], more: readonly string[]): Promise<About> {
  const [first] = parts.messages;
  const returned = first === undefined ? null : await takeApart(first);
  const headers = returned?.headers ?? headersInText(parts.text);
  const paths = [...sentTo, ...more, headers.get('return-path') ?? ''];
  const tokens = paths.flatMap((path) => [...path.matchAll(TOKEN)].map((match) => (match[1] ?? '').toLowerCase()));
  const messageId = headers.get('message-id')?.trim() ?? '';
  const sendId = headers.get(PERENNIAL_HEADERS.send.toLowerCase())?.trim() ?? '';
  return {
    tokens: [...new Set(tokens)],
    messageId: MESSAGE_ID.test(messageId) ? messageId : null,
    sendId: /^[1-9]\d{0,14}$/.test(sendId) ? Number(sendId) : null,
  };
}

/** Notices in words repeat the mail's headers in their text. Only what identifies a mail of ours is taken from there. */
function headersInText(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of ['message-id', 'return-path', PERENNIAL_HEADERS.send.toLowerCase()]) {
    const value = new RegExp(`^[ \\t>]*${name}:[ \\t]*(.{1,250})$`, 'im').exec(text)?.[1]?.trim();
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
