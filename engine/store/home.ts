/**
 * Where a database is at home. Two fleets on two copies of one database would send every mail twice, so a fleet starts only
 * where it was before: on the same server, in the same database. What a restore, a copy or a move leaves says so.
 */
import { isNativeError } from 'node:util/types';
import type { Database, Queryable } from './database.ts';

/** Why no fleet may start: from a backup, a copy of any other kind, under way to another server, or gone there. */
export type Away = 'restored' | 'copied' | 'moving' | 'moved';

/** No fleet may start on this database. The message says why and what to do. */
export class DatabaseAway extends Error {
  override readonly name = 'DatabaseAway';
  readonly code: Away;

  constructor(code: Away, to: string | null = null) {
    super(WORDS[code](to ?? 'another database'));
    this.code = code;
  }
}

const RECOVERED =
  'Mails that went out after the copy was made are unknown to it and would go out again. If the database that it was made of is lost or ' +
  'stopped for good, run "perennial recovered --dry-run", which says what is in doubt, and then without --dry-run.';

const WORDS: Readonly<Record<Away, (to: string) => string>> = {
  restored: () => `No fleet starts on this database yet: it was restored from a backup. ${RECOVERED}`,
  copied: () =>
    `No fleet starts on this database: it is a copy of one on another server, or under another name. ${RECOVERED} ` +
    'A copy for rehearsals needs the same, and must have no SMTP_URL.',
  moving: (to) =>
    `No fleet starts on this database: it is being moved to ${to}, or that was cut short. ` +
    'Run the same "perennial move" again; where nothing works there, "perennial move --cancel" gives it up.',
  moved: (to) =>
    `This database was moved to ${to}: all goes on there, and here nothing may. ` +
    'Set DATABASE_URL to the new one. What is kept here is the state before the move.',
};

/** What the row `engine` says of it. */
export interface Whereabouts {
  readonly home: string | null;
  readonly away: Exclude<Away, 'copied'> | null;
  readonly awayTo: string | null;
  /** Business time of the backup that it was restored from. */
  readonly backedUpAt: number | null;
}

/** Reads it. */
export async function readWhereabouts(db: Queryable): Promise<Whereabouts> {
  const { rows } = await db.query<Whereabouts & Record<string, unknown>>(
    `select home, away, away_to as "awayTo", floor(extract(epoch from backed_up_at) * 1000)::float8 as "backedUpAt" from engine`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the table "engine" has no row: run "perennial migrate"');
  return row;
}

/** insufficient_privilege, undefined_function (PostgreSQL, appendix A). */
const NOT_TOLD: ReadonlySet<string> = new Set(['42501', '42883']);

/**
 * Names this database among all servers: the server's system identifier, which is as random as it is old, and the number of the database.
 * Null where the server does not say (some that only look like PostgreSQL). Not inside a transaction: asking may fail.
 */
export async function placeOf(db: Queryable): Promise<string | null> {
  try {
    const { rows } = await db.query<{ place: string }>(
      `select s.system_identifier || '/' || d.oid as place from pg_control_system() s, pg_database d
       where d.datname = current_database()`,
    );
    return rows[0]?.place ?? null;
  } catch (error) {
    if (isNativeError(error) && 'code' in error && NOT_TOLD.has(String(error.code))) return null;
    throw error;
  }
}

/** Makes sure that a fleet may start here; the first one makes it its home. @throws DatabaseAway. */
export async function requireHome(db: Database): Promise<void> {
  const place = await placeOf(db);
  await db.query('update engine set home = $1 where home is null and away is null', [place]);
  const { home, away, awayTo } = await readWhereabouts(db);
  if (away !== null) throw new DatabaseAway(away, awayTo);
  if (home !== null && place !== null && home !== place) throw new DatabaseAway('copied');
}

/** Makes sure that what staff do here is not lost: what is moved, or on its way, takes nothing more. @throws DatabaseAway. */
export async function requireNotMoved(db: Queryable): Promise<void> {
  const { away, awayTo } = await readWhereabouts(db);
  if (away === 'moving' || away === 'moved') throw new DatabaseAway(away, awayTo);
}

/** Signs that a fleet works on a database, a sentence each; none: nobody does, as far as can be seen. */
export async function fleetAtWork(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ sessions: number; scheduler: boolean; mails: number }>(
    `select (select count(*) from pg_stat_activity
         where datname = current_database() and application_name = 'perennial worker') as sessions,
       exists (select from leases where name = 'scheduler' and until > clock_timestamp()) as scheduler,
       (select count(*) from sends where status in ('claimed', 'handed') and lease_until > clock_timestamp()) as mails`,
  );
  const { sessions, scheduler, mails } = rows[0] ?? { sessions: 0, scheduler: false, mails: 0 };
  return [
    ...(sessions > 0
      ? [`workers have ${sessions} ${sessions === 1 ? 'connection' : 'connections'} to the database`]
      : []),
    ...(scheduler ? ['a scheduler is at work, or was killed within the last 10 seconds'] : []),
    ...(mails > 0
      ? [`${mails} ${mails === 1 ? 'mail is' : 'mails are'} on the way, or workers were killed a moment ago`]
      : []),
  ];
}
