/** Making it safe to go on with a database that was restored from a backup: see restored.ts for what a restore cannot know. */
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable, type Tx } from './database.ts';
import type { DoubtPolicy } from './restored.ts';
import { fleetAtWork, homeText, knownHere, placeOf, readWhereabouts, type Site } from './home.ts';
import { lockFleet } from './lock.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';

/** What a person says of a restore. */
export interface RecoveryRequest {
  /** Null: as the backup says. */
  readonly backupAt: Instant | null;
  /** The last moment at which the lost fleet may have sent. Null: now. */
  readonly until: Instant | null;
  readonly mail: DoubtPolicy;
  /** No fleet has worked since the backup was begun: nothing is in doubt. */
  readonly nothingSent: boolean;
  /** Restored by other means to where it was, so that nothing in it says so. */
  readonly restoredInPlace: boolean;
  /** Of an embedded database; null for a server. */
  readonly site: Site | null;
  readonly by: string;
  readonly reason: string;
  readonly dryRun: boolean;
}

/** What of one playbook is concerned. */
export interface InDoubt {
  readonly playbook: string;
  /** Mails that were open in the backup and due in that time. */
  readonly mails: number;
  /** Mails that had been handed over when the backup was made, with no outcome yet. */
  readonly handed: number;
  /** Customers whose next step, or whose timer, was due in that time: their mails of that time are found as they go on. */
  readonly waiting: number;
  /** Mails that wait while the playbook is paused: in doubt only when it was resumed after the backup, which nobody knows here. */
  readonly paused: number;
}

/** What became of it. Nothing but `recovered` without `dryRun` changes anything. */
export type Recovered =
  | { readonly outcome: 'at work'; readonly signs: readonly string[] }
  /** Nothing says that it was ever restored or copied: all that is due would be given up for nothing. */
  | { readonly outcome: 'not restored' }
  | { readonly outcome: 'no backup time' }
  | { readonly outcome: 'bad times'; readonly backupAt: Instant; readonly until: Instant; readonly now: Instant }
  | {
      readonly outcome: 'recovered';
      readonly dryRun: boolean;
      /** Null: nothing is in doubt. */
      readonly doubt: { readonly backupAt: Instant; readonly until: Instant; readonly mail: DoubtPolicy } | null;
      readonly playbooks: readonly InDoubt[];
      /** Launches that fell into that time. */
      readonly launches: number;
      /** Coupon codes that are free here, and may have been given since. */
      readonly freeCodes: number;
    };

/** Faster than any fleet makes mails: so many numbers for each second, and some more. */
const NUMBERS_PER_SECOND = 10_000;
const NUMBERS_AT_LEAST = 1_000_000;

/**
 * Says from when to when mail is in doubt, makes this database the fleet's home, and leaves out the numbers of mails that may have been
 * given since the backup: links in those mails, and reports about them, must never be taken for those of other mails.
 */
export async function recover(db: Database, request: RecoveryRequest): Promise<Recovered> {
  const signs = await fleetAtWork(db);
  const place = await placeOf(db);
  const whereabouts = await readWhereabouts(db);
  const { nothingSent, restoredInPlace, site } = request;
  if (!nothingSent && !restoredInPlace && knownHere(whereabouts, place, site)) return { outcome: 'not restored' };
  const now = await businessNow(db);
  const backupAt = request.backupAt ?? whereabouts.backedUpAt;
  const until = request.until ?? now;
  if (!nothingSent && backupAt === null) return { outcome: 'no backup time' };
  if (!nothingSent && backupAt !== null && (backupAt > until || until > now)) {
    return { outcome: 'bad times', backupAt, until, now };
  }
  const doubt = nothingSent || backupAt === null ? null : { backupAt, until, mail: request.mail };
  const found = { doubt, ...(doubt === null ? NOTHING : await lookFor(db, until)) };
  if (request.dryRun) return { outcome: 'recovered', dryRun: true, ...found };
  // Leases of a dead fleet come along in a backup, so a fleet that was killed may seem to live for some seconds.
  if (signs.length > 0) return { outcome: 'at work', signs };
  await patientTransaction(db, async (tx) => {
    await lockFleet(tx);
    await tx.query(
      `update engine set home = $1, away = null, away_to = null, backed_up_at = null,
         doubt_from = coalesce($2, doubt_from), doubt_until = coalesce($3, doubt_until), doubt_mail = coalesce($4, doubt_mail)`,
      [
        homeText(place, site),
        doubt === null ? null : time(doubt.backupAt),
        doubt === null ? null : time(until),
        doubt?.mail ?? null,
      ],
    );
    if (doubt !== null) await leaveNumbersOut(tx, doubt);
    const { by, reason } = request;
    await writeAudit(tx, { businessAt: now, by, action: 'recovered', reason, detail: found });
  });
  return { outcome: 'recovered', dryRun: false, ...found };
}

const NOTHING = { playbooks: [], launches: 0, freeCodes: 0 } as const;

async function leaveNumbersOut(tx: Tx, { backupAt, until }: { backupAt: Instant; until: Instant }): Promise<void> {
  const numbers = NUMBERS_AT_LEAST + Math.ceil((until - backupAt) / 1_000) * NUMBERS_PER_SECOND;
  await tx.query(
    `select setval(pg_get_serial_sequence('sends', 'id'), nextval(pg_get_serial_sequence('sends', 'id')) + $1)`,
    [numbers],
  );
}

async function lookFor(
  db: Queryable,
  until: Instant,
): Promise<{ readonly playbooks: readonly InDoubt[]; readonly launches: number; readonly freeCodes: number }> {
  const { rows } = await db.query<InDoubt & Record<string, unknown>>(
    `with due as (
       select playbook_id, customer_id from enrolments where due_at <= $1 and status = 'active' and held_at is null
       union
       select playbook_id, customer_id from timers where due_at <= $1),
     paused as (select id, exists (select from pauses where scope in ('*', name)) as it from playbooks)
     select b.name as playbook,
       (select count(*) from sends s where s.playbook_id = b.id and s.status in ('planned', 'claimed') and s.held_at is null
          and s.due_at <= $1 and not p.it) as mails,
       (select count(*) from sends s where s.playbook_id = b.id and s.status = 'handed') as handed,
       (select count(*) from due d where d.playbook_id = b.id and not p.it) as waiting,
       (select count(*) from sends s where s.playbook_id = b.id and s.status = 'planned' and s.held_at is null and p.it) as paused
     from playbooks b join paused p on p.id = b.id order by b.name`,
    [time(until)],
  );
  const { rows: more } = await db.query<{ launches: number; codes: number }>(
    `select (select count(*) from runs where kind = 'launch' and status <> 'done' and due_at <= $1) as launches,
       (select count(*) from coupon_codes where status = 'free') as codes`,
    [time(until)],
  );
  const playbooks = rows.filter(({ mails, handed, waiting, paused }) => mails + handed + waiting + paused > 0);
  return { playbooks, launches: more[0]?.launches ?? 0, freeCodes: more[0]?.codes ?? 0 };
}
