/** Records that a reader opened a mail or followed a link of it, and tells the enrolment: `vars.STEP.clicked`, `vars.STEP.opened`. */
import { businessNow, type Database, type Queryable } from './database.ts';
import { lockCustomers } from './lock.ts';
import { patientTransaction } from './patience.ts';
import { time } from './sql.ts';

/** What a reader did with a mail. `url` is where a link leads. */
export type Reaction =
  | { readonly kind: 'opened'; readonly sendId: number }
  | { readonly kind: 'clicked'; readonly sendId: number; readonly url: string };

/** What recording came to. `too early`: no server has taken the mail, so that no reader can have it, but a scanner on the way can. */
export type ReactionOutcome = 'recorded' | 'repeated' | 'too early' | 'no mail';

interface About {
  readonly status: string;
  readonly customerId: number;
  readonly enrolmentId: number;
  readonly step: string;
}

/** Records a reaction. Repeated ones are counted. Who follows a link has opened the mail, whatever its pictures did. */
export async function recordReaction(db: Database, reaction: Reaction): Promise<ReactionOutcome> {
  return patientTransaction(db, async (tx) => {
    const about = await aboutOf(tx, reaction.sendId);
    if (about === null) return 'no mail';
    if (about.status === 'handed') return 'too early';
    await lockCustomers(tx, [about.customerId]);
    // Forgotten while we waited: nothing more is written about them.
    if ((await aboutOf(tx, reaction.sendId)) === null) return 'no mail';
    const isFirst = await count(tx, reaction);
    if (isFirst)
      await tell(tx, about, reaction.kind === 'clicked' ? { clicked: true, opened: true } : { opened: true });
    return isFirst ? 'recorded' : 'repeated';
  });
}

async function aboutOf(tx: Queryable, sendId: number): Promise<About | null> {
  const { rows } = await tx.query<About & Record<string, unknown>>(
    `select s.status, s.customer_id as "customerId", s.enrolment_id as "enrolmentId", s.step
     from sends s join customers c on c.id = s.customer_id
     where s.id = $1 and s.handed_at is not null and c.erased_at is null`,
    [sendId],
  );
  return rows[0] ?? null;
}

/** True for the first reaction of its kind and link. */
async function count(tx: Queryable, reaction: Reaction): Promise<boolean> {
  const url = reaction.kind === 'clicked' ? placeOf(reaction.url) : '';
  const { rows } = await tx.query<{ count: number }>(
    `insert into reactions as r (send_id, kind, url, first_at, last_at) values ($1, $2, $3, $4, $4)
     on conflict (send_id, kind, md5(url)) do update set last_at = excluded.last_at, count = r.count + 1
     returning count`,
    [reaction.sendId, reaction.kind, url, time(await businessNow(tx))],
  );
  return rows[0]?.count === 1;
}

/** Query and fragment may name the reader. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** An enrolment that is over asks for nothing any more. A value given by hand under the step's name stays. */
async function tell(tx: Queryable, { enrolmentId, step }: About, what: object): Promise<void> {
  await tx.query(
    `update enrolments set vars = coalesce(vars, '{}') || jsonb_build_object($2::text, coalesce(vars -> $2, '{}') || $3::jsonb)
     where id = $1 and status = 'active' and jsonb_typeof(coalesce(vars -> $2, '{}')) = 'object'`,
    [enrolmentId, step, JSON.stringify(what)],
  );
}
