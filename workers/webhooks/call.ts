/** One attempt to call another system. */
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { oneLine } from '../../engine/mail/one-line.ts';
import {
  ForbiddenAddress,
  isAllowedHost,
  isPublicAddress,
  publicLookup,
  requirePublicLiteral,
  type AllowedHosts,
} from './address.ts';

/** A request, ready to be sent. */
export interface Call {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How to call. */
export interface CallOptions {
  readonly allow: AllowedHosts;
  /** For the whole attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** How names are looked up. Default: the system's way, and none that leads to an address that is not public. */
  readonly lookup?: LookupFunction;
}

/** What came of it. `answer` is for people: the status with the beginning of what was said, or what went wrong. */
export type CallOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfterMs: number | null;
      readonly answer: string;
    }
  /** Nothing is known of whether the call arrived. */
  | { readonly kind: 'broken'; readonly answer: string }
  | { readonly kind: 'forbidden'; readonly answer: string };

/** So much of an answer is read; the rest is left unread. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** So much of it is kept. */
const KEPT_CHARACTERS = 200;

/** Calls once. Redirects are not followed: they would lead past the check of the address. Never throws for the network. */
export async function callOnce(call: Call, options: CallOptions): Promise<CallOutcome> {
  const url = new URL(call.url);
  const inTime = AbortSignal.timeout(options.timeoutMs);
  try {
    const isAllowed = isAllowedHost(url, options.allow);
    if (!isAllowed) requirePublicLiteral(url);
    return await request(url, call, isAllowed ? null : (options.lookup ?? publicLookup()), inTime);
  } catch (error) {
    if (error instanceof ForbiddenAddress) return { kind: 'forbidden', answer: error.message };
    if (inTime.aborted) return { kind: 'broken', answer: `no answer within ${options.timeoutMs / 1_000} s` };
    return { kind: 'broken', answer: wordsFor(error) };
  }
}

/** `lookup` is null for a host that may be called whatever its address. */
async function request(url: URL, call: Call, lookup: LookupFunction | null, inTime: AbortSignal): Promise<CallOutcome> {
  const client = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = client.request(
      url,
      {
        method: 'POST',
        headers: { ...call.headers, 'content-length': Buffer.byteLength(call.body) },
        // A connection that is kept would be used again without another look at its address.
        agent: false,
        signal: inTime,
        ...(lookup === null ? {} : { lookup }),
      },
      (response) => {
        // The status is the answer. What is said besides is for people, and may break off.
        const said = readAnswer(response).catch(() => '');
        void said.then((text) => resolve(answered(response, text)));
      },
    );
    sent.on('error', reject);
    if (lookup !== null) sent.once('socket', (socket) => requirePublicPeer(socket, url.hostname));
    sent.end(call.body);
  });
}

/**
 * Looks at the address that the socket has reached in the end, before anything is written to it: whatever was looked up or
 * checked before, this is where the call would go.
 */
function requirePublicPeer(socket: Socket, host: string): void {
  socket.once('connect', () => {
    const { remoteAddress = '' } = socket;
    if (!isPublicAddress(remoteAddress)) socket.destroy(new ForbiddenAddress(host, remoteAddress));
  });
}

async function readAnswer(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answered(response: http.IncomingMessage, text: string): CallOutcome {
  const status = response.statusCode ?? 0;
  const said = oneLine(text, KEPT_CHARACTERS);
  const answer = said === '' ? `HTTP ${status}` : `HTTP ${status}: ${said}`;
  return { kind: 'answered', status, retryAfterMs: retryAfter(response.headers['retry-after']), answer };
}

/** RFC 9110 section 10.2.3, in seconds; servers that give a date are taken as giving nothing. */
function retryAfter(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : null;
}

/** With several addresses for one name, Node gives an error without words. */
function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.message === '' ? code : error.message;
}
