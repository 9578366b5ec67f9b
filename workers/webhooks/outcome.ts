/** What an attempt to call another system means for the call. */
import type { CallResult } from '../../engine/store/webhook-calls.ts';
import type { CallOutcome } from './call.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses after the first attempt, the second, …: given up after about 9 hours. */
export const RETRY_DELAYS_MS: readonly number[] = [
  15 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
];

/** A server that asks for more patience than this gets no more. */
const MAX_RETRY_AFTER_MS = 6 * HOUR_MS;

/** Too early, too many, and a request that came in too slowly: the same may be taken later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** `attempts` counts this one; `random` is in [0, 1) and spreads calls that failed together by a fifth. */
export function resultOf(outcome: CallOutcome, attempts: number, random: number): CallResult {
  const { answer } = outcome;
  switch (outcome.kind) {
    case 'forbidden':
      return { kind: 'failed', answer };
    case 'broken':
      return later(answer, attempts, null, random);
    case 'answered': {
      const { status, retryAfterMs } = outcome;
      if (status >= 200 && status < 300) return { kind: 'done', answer: `HTTP ${status}` };
      if (status >= 500 || PASSING.has(status)) return later(answer, attempts, retryAfterMs, random);
      const isRedirect = status >= 300 && status < 400;
      return { kind: 'failed', answer: isRedirect ? `${answer} (redirects are not followed)` : answer };
    }
  }
}

function later(answer: string, attempts: number, askedMs: number | null, random: number): CallResult {
  const pauseMs = RETRY_DELAYS_MS[attempts - 1];
  if (pauseMs === undefined) return { kind: 'failed', answer: `${answer} (tried ${attempts} times)` };
  const delayMs = Math.max(pauseMs, Math.min(askedMs ?? 0, MAX_RETRY_AFTER_MS)) * (0.9 + random * 0.2);
  return { kind: 'retry', answer, delayMs: Math.round(delayMs) };
}
