/**
 * Makes the calls that webhook steps have put on record.
 *
 * 1. Enrolments do not wait for it; killing the process in a call has it made again, under the same key.
 * 2. At most `CONCURRENCY` at a time, so that servers that answer slowly cost nothing but their own calls.
 */
import { claimCalls, settleCall, type ClaimedCall } from '../../engine/store/webhook-calls.ts';
import type { Database } from '../../engine/store/database.ts';
import { startLoop } from '../loop.ts';
import { errorFields, type Logger } from '../log.ts';
import type { AllowedHosts } from './address.ts';
import { callOnce } from './call.ts';
import { resultOf } from './outcome.ts';
import { signatureOf } from './sign.ts';

/** What making calls needs. */
export interface CallingParts {
  readonly db: Database;
  /** The present one first; all of them sign. */
  readonly keys: readonly Uint8Array[];
  readonly allow: AllowedHosts;
  readonly log: Logger;
  /** For one attempt, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Under way. */
export interface Calling {
  /** Begins no more calls, and waits for those under way. */
  close(): Promise<void>;
}

const CONCURRENCY = 8;
const TIMEOUT_MS = 10_000;
/** Longer than an attempt may take, with its record. */
const LEASE_MS = 30_000;
/** Between two looks when nothing was due. */
const LOOK_EVERY_MS = 1_000;

/** Starts making calls. */
export function startCalling(parts: CallingParts): Calling {
  const underWay = new Set<Promise<void>>();
  const loop = startLoop(
    'webhooks',
    async () => {
      const free = CONCURRENCY - underWay.size;
      if (free === 0) return LOOK_EVERY_MS;
      const claimed = await claimCalls(parts.db, { max: free, leaseMs: LEASE_MS });
      for (const call of claimed) {
        const one = carryOut(parts, call).finally(() => {
          underWay.delete(one);
          loop.wake();
        });
        underWay.add(one);
      }
      return claimed.length === free ? 0 : LOOK_EVERY_MS;
    },
    parts.log,
  );
  return {
    close: async () => {
      await loop.stop();
      await Promise.all(underWay);
    },
  };
}

/** Never rejects: what could not be recorded is done again when the lease runs out. */
async function carryOut(parts: CallingParts, call: ClaimedCall): Promise<void> {
  const { db, log, allow, timeoutMs = TIMEOUT_MS } = parts;
  const { id, playbook, step, attempts } = call;
  try {
    const headers = headersOf(call, parts.keys, Date.now());
    const outcome = await callOnce({ url: call.url, headers, body: call.body }, { allow, timeoutMs });
    // Jitter keeps calls that failed together from coming back together; nothing else depends on it.
    const result = resultOf(outcome, attempts, Math.random());
    await settleCall(db, call, result);
    if (result.kind === 'failed') {
      log.error({ webhook: id, playbook, step }, 'a webhook was given up: see "perennial held"');
    }
  } catch (error) {
    log.error({ webhook: id, playbook, step, ...errorFields(error) }, 'a webhook will be called again');
  }
}

function headersOf(call: ClaimedCall, keys: readonly Uint8Array[], nowMs: number): Readonly<Record<string, string>> {
  const id = `msg_${call.key}`;
  const timestampS = Math.floor(nowMs / 1_000);
  return {
    'content-type': 'application/json',
    'user-agent': 'perennial',
    'idempotency-key': id,
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatureOf({ id, timestampS, body: call.body }, keys),
  };
}
