/** Whether a process can do its work: what `/readyz` says. It says what is wrong in words of ours, never a server's. */
import type { HintQueue } from '../../engine/queue/queue.ts';
import type { Queryable } from '../../engine/store/database.ts';
import { StoreError } from '../../engine/store/errors.ts';
import { NewerDatabaseError, requireMigrated } from '../../engine/store/migrate.ts';
import { within } from './within.ts';

/** What is looked at. */
export const CHECKS = ['process', 'database', 'queue'] as const;
export type Check = (typeof CHECKS)[number];

/** Something that keeps the process from its work. */
export interface Unready {
  readonly check: Check;
  /** What is wrong, without addresses of servers or secrets. */
  readonly problem: string;
}

/** What a process is judged by. */
export interface ReadinessParts {
  readonly db: Queryable;
  readonly queue: Pick<HintQueue, 'outstanding'>;
  readonly state: () => ProcessState;
}

/** How far a process is. */
export type ProcessState = 'starting' | 'running' | 'draining';

const STATES: Readonly<Record<ProcessState, string | null>> = {
  starting: 'it is starting',
  running: null,
  draining: 'it is draining: what runs is finished, nothing new begins',
};

const LIMIT_MS = 2_000;

/** What keeps the process from its work, apart from what is excluded; empty: it is ready. Never rejects. */
export async function unreadiness(parts: ReadinessParts, excluded: ReadonlySet<Check>): Promise<readonly Unready[]> {
  const looks: Readonly<Record<Check, () => Promise<string | null>>> = {
    process: async () => STATES[parts.state()],
    database: async () => problemOfDatabase(parts.db),
    queue: async () => problemOfQueue(parts.queue),
  };
  const chosen = CHECKS.filter((check) => !excluded.has(check));
  const problems = await Promise.all(chosen.map(async (check) => ({ check, problem: await looks[check]() })));
  return problems.flatMap(({ check, problem }) => (problem === null ? [] : [{ check, problem }]));
}

async function problemOfDatabase(db: Queryable): Promise<string | null> {
  try {
    await within(LIMIT_MS, requireMigrated(db));
    return null;
  } catch (error) {
    if (error instanceof NewerDatabaseError || error instanceof StoreError) return error.message;
    return `it cannot be reached${codeOf(error)}`;
  }
}

async function problemOfQueue(queue: Pick<HintQueue, 'outstanding'>): Promise<string | null> {
  try {
    await within(LIMIT_MS, queue.outstanding('advance'));
    return null;
  } catch (error) {
    return `it cannot be reached${codeOf(error)}: hints fail, and sweeps of the database do the work`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
}
