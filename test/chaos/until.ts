/** Waiting for something of a site, with an answer to "why not" when it never comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { Load } from './load.ts';
import type { Site } from './site.ts';

/** Longer than any lease, which may have to run out first. */
const STALLED_MS = 90_000;

/** Who may be asked when nothing happens. */
export interface Watched {
  readonly site: Site;
  readonly load?: Load;
  readonly fleet?: Fleet;
}

/** Resolves when it is so. @throws Error when it does not come about, with how things stand; or when the load failed. */
export async function until(watched: Watched, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now();
  while (!(await isSo())) {
    const failure = watched.load?.failure() ?? null;
    if (failure !== null) throw failure;
    if (performance.now() - startedMs > STALLED_MS) throw new Error(`never: ${what}\n${await standing(watched)}`);
    await sleep(20);
  }
}

/** Resolves when the mail server has taken so many more messages than now. */
export async function untilTaken(watched: Watched, more: number): Promise<void> {
  const taken = async (): Promise<number> => (await watched.site.sink.standing()).takenCount;
  const enough = (await taken()) + more;
  await until(watched, `${more} more mails arrive`, async () => (await taken()) >= enough);
}

/** For whoever looks for the reason of a standstill. */
async function standing({ site: { db }, fleet }: Watched): Promise<string> {
  const queries = [
    `select status, count(*), min(due_at), max(due_at), min(lease_until), max(lease_until), max(fence) from sends
     group by 1`,
    'select *, clock_timestamp() as now from engine',
    'select *, clock_timestamp() as now from leases',
    `select count(*), min(due_at), max(due_at) from enrolments where status = 'active' and due_at is not null`,
    `select pid, state, wait_event_type, wait_event, application_name, now() - query_start as for,
       left(query, 200) as query
     from pg_stat_activity where datname = current_database()`,
  ];
  const answers = await Promise.all(queries.map(async (query) => (await db.query(query)).rows));
  const members = (fleet?.members ?? []).map(({ roles, isRunning, lastLines }) => ({
    roles,
    runs: isRunning(),
    lastLines,
  }));
  return [...answers, members].map((part) => JSON.stringify(part, null, 1)).join('\n');
}
