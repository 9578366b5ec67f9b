/**
 * Where a database is at home. Two fleets on two copies of one database would send every mail twice, so a fleet starts only
 * where it was before: on the same server, in the same database, and with an embedded one in the same folder of the same machine. What
 * a restore, a copy or a move leaves says so.
 */
import { isNativeError } from 'node:util/types';
import type { Database, Queryable } from './database.ts';

/** Why no fleet may start: from a backup, a copy of any other kind, under way to another server, or gone there. */
export type Away = 'restored' | 'copied' | 'elsewhere' | 'moving' | 'moved';

/** Where the files of an embedded database are: they take the server's identifier along when they are copied. */
export interface Site {
  /** Stands for the machine, without telling which it is; null where machines have no name that lasts. */
  readonly machine: string | null;
  /** The folder of the data, without links. */
  readonly dir: string;
}

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

/** `to`: for `elsewhere` where it was at home, otherwise the other database. */
const WORDS: Readonly<Record<Away, (to: string) => string>> = {
  restored: () => `No fleet starts on this database yet: it was restored from a backup. ${RECOVERED}`,
  copied: () =>
    `No fleet starts on this database: it is a copy of one on another server, or under another name. ${RECOVERED} ` +
    'A copy for rehearsals needs the same, and must have no SMTP_URL.',
  elsewhere: (was) =>
    `No fleet starts on this database: its fleet has worked in ${was}, so this folder was moved, or it is a copy. ` +
    'If you moved or renamed it, and no fleet works on what it was: perennial recovered --nothing-sent --by NAME --reason "moved the folder". ' +
    'A copy beside one that works must not start: both would send every mail. ' +
    'A copy that takes the place of one that is lost: perennial recovered --dry-run --backup-at TIME, which says what is in doubt, ' +
    'and then without --dry-run. TIME is when the copy was made. A copy for rehearsals needs --nothing-sent, and must have no SMTP_URL.',
  moving: (to) =>
    `No fleet starts on this database: it is being moved to ${to}, or that was cut short. ` +
    'Run the same "perennial move" again; or "perennial move --cancel --to" that database gives it up.',
  moved: (to) =>
    `This database was moved to ${to}: all goes on there, and here nothing may. ` +
    'Set DATABASE_URL to the new one. What is kept here is the state before the move.',
};

/** What the row `engine` says of it. */
export interface Whereabouts {
  readonly home: string | null;
  readonly away: Exclude<Away, 'copied' | 'elsewhere'> | null;
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

/** What `home` holds: the server and the database, and with an embedded one the machine (`-`: unknown) and the folder. */
export function homeText(place: string | null, site: Site | null): string | null {
  return place === null || site === null ? place : `${place} ${site.machine ?? '-'} ${site.dir}`;
}

/** How the place of a database is to what its fleet called its home: there, another database, or the same one's files elsewhere. */
type AtHome = { readonly kind: 'here' | 'copied' } | { readonly kind: 'elsewhere'; readonly was: string };

/** What either side does not know is not compared: homes of earlier versions name no folder, and some servers do not say who they are. */
function compareHome(home: string, place: string | null, site: Site | null): AtHome {
  const [, base = home, machine = '-', dir = null] = /^(\S+) (\S+) (.+)$/s.exec(home) ?? [];
  if (place !== null && base !== place) return { kind: 'copied' };
  if (site === null || dir === null) return { kind: 'here' };
  if (machine !== '-' && site.machine !== null && machine !== site.machine) {
    return { kind: 'elsewhere', was: `${dir} on another machine` };
  }
  return dir === site.dir ? { kind: 'here' } : { kind: 'elsewhere', was: dir };
}

/** Whether a fleet has worked here, and nothing says that this was restored, copied or moved since. */
export function knownHere({ home, away }: Whereabouts, place: string | null, site: Site | null): boolean {
  return away === null && (home === null || compareHome(home, place, site).kind === 'here');
}

/**
 * Makes sure that a fleet may start here; the first one makes it its home.
 * @param site of an embedded database; null for a server, whose files may lie anywhere.
 * @throws DatabaseAway.
 */
export async function requireHome(db: Database, site: Site | null): Promise<void> {
  const place = await placeOf(db);
  await db.query('update engine set home = $1 where home is null and away is null', [homeText(place, site)]);
  const { home, away, awayTo } = await readWhereabouts(db);
  if (away !== null) throw new DatabaseAway(away, awayTo);
  if (home === null) return;
  const at = compareHome(home, place, site);
  if (at.kind !== 'here') throw new DatabaseAway(at.kind, at.kind === 'elsewhere' ? at.was : null);
  // A fleet of an earlier version has not said in which folder it was.
  const whole = homeText(place, site);
  if (site !== null && whole !== null && home === place) {
    await db.query('update engine set home = $1 where home = $2 and away is null', [whole, home]);
  }
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
