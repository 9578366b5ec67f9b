/**
 * One mail over one connection.
 *
 * 1. The end of a message (its last CRLF and the final dot) is written only after its hand-over resolved true.
 * 2. A conversation ends only after the hand-over it asked for has settled: nobody is left who might still say yes.
 * 3. The class of a failure is that of `ended` as soon as the end may have left this process, so what is called a retry
 *    cannot have been taken.
 * 4. Where the server takes commands in groups, those of the following mail go along with the end of this one (RFC 2920
 *    section 3.1 allows message content as the first of a group). They name sender and recipient and nothing more, so
 *    when the connection is lost the following mail is with nobody, whether or not it was handed over by then.
 */
import type { HandOver } from './hand-over.ts';
import { type Outcome, type Progress, type SmtpFault, classify, isThrottled } from './outcome.ts';
import type { Answer, SmtpSession } from './session.ts';
import { transparent } from './transparent.ts';

/** A message ready to go, and to whom: `to` is exactly one address. */
export interface OutgoingMail {
  readonly envelope: { readonly from: string; readonly to: string };
  /** CRLF line ends. */
  readonly message: Buffer;
}

/** Asked when the end of a mail goes out: which mail follows on this connection for certain, if it is one that `fits`. */
export type Following = (fits: (mail: OutgoingMail) => boolean) => OutgoingMail | null;

/** What a conversation needs besides the mail. */
export interface Conversing {
  /** Asked once the server waits for the message; of a large one, all but the end is on its way by then. */
  readonly handOver: HandOver;
  readonly following: Following;
  /** How long the server may be silent before and after the end of the message, in ms. */
  readonly replyMs: number;
  readonly endMs: number;
  /** Hears of a hand-over that threw. */
  readonly onRefused: (error: unknown) => void;
}

/** How a conversation ended. */
export interface Ended {
  readonly outcome: Outcome;
  /** The connection had gone away before the server looked at the mail. */
  readonly stale: boolean;
  /** The server had an answer to one of the mail's own commands, which says something of the mail. */
  readonly isAnswered?: true;
  /** The server refused a sender that it was told ahead: perhaps only because of that. */
  readonly wasAhead?: true;
  /** The connection is in a known state and can go on, after RSET when the mail was not accepted; else it is closed. */
  readonly reusable: boolean;
  /** For how long the mail waited for the server, to be asked for and then to be accepted, in ms; only of one that was. */
  readonly waitedMs?: number;
}

const END = '\r\n.\r\n';
/**
 * Up to this size, in bytes, a message goes out in one piece with its end: to write it earlier would win nothing, since it
 * is under way for no longer than the end alone, and costs as much again.
 */
const ONE_PIECE = 32 * 1024;
const WITHHELD: Ended = { outcome: { kind: 'withheld' }, stale: false, reusable: false };
const OUT_OF_TURN: SmtpFault = { message: 'the server spoke out of turn', code: 'ECONNECTION', command: 'CONN' };

/** Sends one mail. Never rejects: whatever happens is an outcome. */
export async function converse(session: SmtpSession, mail: OutgoingMail, parts: Conversing): Promise<Ended> {
  const isAhead = session.ahead === mail;
  session.ahead = null;
  session.serversTurn(parts.replyMs);
  const beganAtMs = performance.now();
  const refused = await address(session, mail, isAhead);
  const addressedInMs = performance.now() - beganAtMs;
  const ended = refused === null ? await transmit(session, mail, parts, addressedInMs) : refusedAs(refused);
  // Such a mail is tried again, and over a connection where nothing came early. A server that ends the connection speaks of that.
  const wasAhead = isAhead && refused?.fault.command === 'MAIL FROM' && refused.fault.responseCode !== 421;
  if (!ended.reusable || wasAhead) session.destroy();
  return wasAhead ? { ...ended, wasAhead, reusable: false } : ended;
}

const COMMANDS = ['MAIL FROM', 'RCPT TO', 'DATA'] as const;

function linesOf({ envelope, message }: OutgoingMail, { extensions }: SmtpSession): readonly string[] {
  const size = extensions.size ? ` SIZE=${message.length}` : '';
  return [`MAIL FROM:<${envelope.from}>${size}\r\n`, `RCPT TO:<${envelope.to}>\r\n`, 'DATA\r\n'];
}

/** Why the server does not wait for the message, and whether it had looked at the mail by then. */
interface Refused {
  readonly fault: SmtpFault;
  readonly isAnswered: boolean;
}

function refusedAs({ fault, isAnswered }: Refused): Ended {
  const ended = failed(fault, 'envelope');
  return isAnswered ? { ...ended, isAnswered } : ended;
}

/** Names sender and recipient, and asks for the message's turn; null when the server waits for the message. */
async function address(session: SmtpSession, mail: OutgoingMail, isAhead: boolean): Promise<Refused | null> {
  const { pipelining, maxSize } = session.extensions;
  if (!isAhead && !session.isQuiet) return { fault: OUT_OF_TURN, isAnswered: false };
  const { length } = mail.message;
  if (maxSize !== null && length > maxSize) {
    const message = `the mail has ${length} bytes, and the server takes ${maxSize}`;
    return { fault: { message, code: 'EMESSAGE' }, isAnswered: false };
  }
  const lines = linesOf(mail, session);
  if (pipelining && !isAhead) session.write(lines.join(''));
  let refused: SmtpFault | null = null;
  let isAnswered = false;
  for (const [index, command] of COMMANDS.entries()) {
    if (!pipelining) session.write(lines[index] ?? '');
    const answer = await session.answer();
    if (answer.kind === 'lost') return { fault: refused ?? answer.fault, isAnswered };
    isAnswered ||= answer.code !== 421;
    refused ??= faultIn(answer, command);
    if (refused === null) continue;
    // A server that waits for the message nevertheless must not be given an empty one, which it might deliver.
    if (answer.code === 354) session.destroy();
    if (!pipelining || answer.code === 421) return { fault: refused, isAnswered };
  }
  return refused === null ? null : { fault: refused, isAnswered };
}

function faultIn(reply: Answer & { kind: 'reply' }, command: 'MAIL FROM' | 'RCPT TO' | 'DATA'): SmtpFault | null {
  const isGood = command === 'DATA' ? reply.code === 354 : reply.code >= 200 && reply.code < 300;
  return isGood ? null : refusal(reply, command, 'EENVELOPE');
}

function refusal({ code: responseCode, text }: Answer & { kind: 'reply' }, command: string, code: string): SmtpFault {
  return { message: text, code, command, response: text, responseCode };
}

/** Sends all but the end of a large message, asks for the hand-over, and sends what is left. */
async function transmit(
  session: SmtpSession,
  { message }: OutgoingMail,
  parts: Conversing,
  addressedInMs: number,
): Promise<Ended> {
  const body = withoutEnd(transparent(message));
  const isLarge = body.length > ONE_PIECE;
  if (isLarge) session.write(body);
  session.ownTurn(parts.replyMs);
  const answered = session.answer();
  const granted = ask(parts);
  const early = await Promise.race([answered, granted]);
  if (typeof early === 'object') {
    // At once, not after the hand-over: the server is not to wait for a message that will not end.
    session.destroy();
    // A refusal outranks whatever else went wrong meanwhile: the mail is no longer ours to try.
    return (await granted) ? failed(early.kind === 'lost' ? early.fault : tooEarly(early), 'body') : WITHHELD;
  }
  if (!early) return WITHHELD;
  const end = END + commandsAhead(session, parts.following);
  session.serversTurn(parts.endMs);
  const endedAtMs = performance.now();
  session.write(isLarge ? end : Buffer.concat([body, Buffer.from(end, 'latin1')]));
  const answer = await answered;
  if (answer.kind === 'lost') return failed(answer.fault, 'ended');
  if (answer.code < 200 || answer.code >= 300) return failed(refusal(answer, 'DATA', 'EMESSAGE'), 'ended');
  const waitedMs = addressedInMs + performance.now() - endedAtMs;
  return { outcome: { kind: 'accepted', response: answer.text }, stale: false, reusable: true, waitedMs };
}

/** The commands of the mail that follows, where they may go along. */
function commandsAhead(session: SmtpSession, following: Following): string {
  const { pipelining, maxSize } = session.extensions;
  if (!pipelining) return '';
  const next = following(({ message }) => maxSize === null || message.length <= maxSize);
  session.ahead = next;
  return next === null ? '' : linesOf(next, session).join('');
}

async function ask({ handOver, onRefused }: Conversing): Promise<boolean> {
  try {
    return await handOver();
  } catch (error) {
    onRefused(error);
    return false;
  }
}

/** A refusal counts though it came early; no yes can be one to a message without its end. */
function tooEarly(reply: Answer & { kind: 'reply' }): SmtpFault {
  if (reply.code >= 400) return refusal(reply, 'DATA', 'EMESSAGE');
  return { message: `the server answered before the end of the message: ${reply.text}` };
}

function failed(fault: SmtpFault, progress: Progress): Ended {
  const outcome = classify(fault, progress);
  // Asked to go slower, it would be of no use to try at once on another connection.
  const stale = progress === 'envelope' && isLost(fault) && !isThrottled(outcome);
  return { outcome, stale, reusable: isReply(fault) && progress !== 'body' };
}

function withoutEnd(message: Buffer): Buffer {
  return message.length >= 2 && message[message.length - 2] === 0x0d && message[message.length - 1] === 0x0a
    ? message.subarray(0, -2)
    : message;
}

/** A whole reply of the server to a command, after which the conversation can go on. */
function isReply(fault: SmtpFault): boolean {
  return fault.responseCode !== undefined && fault.responseCode !== 421 && fault.command !== 'CONN';
}

function isLost(fault: SmtpFault): boolean {
  const gone = fault.code === 'ECONNECTION' || fault.code === 'ESOCKET';
  return fault.responseCode === 421 || (fault.responseCode === undefined && gone);
}
