/**
 * Group commit: calls that arrive while a transaction is under way share the next one. A lone call waits for nobody.
 *
 * Kept true throughout:
 * 1. One transaction at a time; calls go in as they came, so one customer's stay in order.
 * 2. A call is answered only after its transaction has committed or failed.
 * 3. So many calls may wait; further ones are refused at once, or a slow database would fill the memory.
 */
import type { ReleaseCache } from '../../store/context.ts';
import type { Database } from '../../store/database.ts';
import { ingest, type Ingested } from '../../store/ingest.ts';
import { checkCall, type Accepted, type CallType, type CheckContext, type Refused } from '../validate.ts';

/** One call of a request. */
export interface Call {
  readonly type: CallType;
  readonly body: unknown;
}

/** What became of one call. */
export type Taken =
  | Refused
  /** Right in itself, but not taken: dated ahead, for instance. */
  | { readonly ok: false; readonly rejected: { readonly code: string; readonly message: string } }
  | (Accepted & { readonly duplicate: boolean });

/** Takes the calls of requests. */
export interface Intake {
  /**
   * Resolves after the commit, with one answer for each call. Rejects when the transaction failed, and at once, with an
   * `IntakeFull`, while too many calls wait.
   */
  take(calls: readonly Call[]): Promise<readonly Taken[]>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** What an intake works with. */
export interface IntakeParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  /** Makes the id of an event that has none. */
  readonly newId: () => string;
  /** Told after each commit which customers have something due now. */
  readonly onDue: (due: Pick<Ingested, 'planned' | 'due'>) => void;
}

/** Past this, more calls make a transaction longer without making the whole faster. */
const CALLS_PER_TRANSACTION = 50;

/** Some seconds of a database at work; a larger request is taken all the same when nothing else waits. */
const MAX_CALLS_WAITING = 2_000;

/** Too many calls wait for the database: the sender should come back later. */
export class IntakeFull extends Error {
  override readonly name = 'IntakeFull';
  readonly code = 'intake_full';
}

interface Waiting {
  readonly calls: readonly Call[];
  readonly resolve: (taken: readonly Taken[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the intake of one process. */
export function openIntake(parts: IntakeParts): Intake {
  let queue: Waiting[] = [];
  let callsWaiting = 0;
  let running: Promise<void> | null = null;

  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = nextGroup(queue);
      queue = queue.slice(group.length);
      callsWaiting -= countCalls(group);
      await settle(group, parts);
    }
    running = null;
  };
  return {
    take: (calls) =>
      new Promise((resolve, reject) => {
        if (callsWaiting > 0 && callsWaiting + calls.length > MAX_CALLS_WAITING) {
          reject(new IntakeFull(`${callsWaiting} calls wait for the database already`));
          return;
        }
        callsWaiting += calls.length;
        queue.push({ calls, resolve, reject });
        running ??= work();
      }),
    idle: async () => {
      await running;
    },
  };
}

function countCalls(requests: readonly Waiting[]): number {
  return requests.reduce((sum, { calls }) => sum + calls.length, 0);
}

/** Whole requests from the head of the queue; at least one, however many calls it has. */
function nextGroup(queue: readonly Waiting[]): readonly Waiting[] {
  let calls = 0;
  const end = queue.findIndex((request, index) => {
    calls += request.calls.length;
    return index > 0 && calls > CALLS_PER_TRANSACTION;
  });
  return end < 0 ? queue : queue.slice(0, end);
}

async function settle(group: readonly Waiting[], parts: IntakeParts): Promise<void> {
  try {
    const taken = await takeAll(
      group.flatMap((request) => request.calls),
      parts,
    );
    let start = 0;
    for (const { calls, resolve } of group) {
      resolve(taken.slice(start, start + calls.length));
      start += calls.length;
    }
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}

async function takeAll(calls: readonly Call[], parts: IntakeParts): Promise<readonly Taken[]> {
  const { db, cache, newId } = parts;
  const { now, release } = await cache.context(db);
  const context: CheckContext = { company: release.company, now, newId };
  const checked = calls.map(({ type, body }) => checkCall(type, body, context));
  const good = checked.filter((call) => call.ok);
  if (good.length === 0) return checked as readonly Refused[];
  const stored = await ingest(
    db,
    cache,
    good.map((call) => call.incoming),
    { history: false },
  );
  parts.onDue(stored);
  const rejected = new Map(stored.rejected.map(({ index, code, message }) => [index, { code, message }]));
  const duplicates = new Set(stored.duplicateIndexes);
  let index = -1;
  return checked.map((call) => {
    if (!call.ok) return call;
    index += 1;
    const refusal = rejected.get(index);
    return refusal === undefined ? { ...call, duplicate: duplicates.has(index) } : { ok: false, rejected: refusal };
  });
}
