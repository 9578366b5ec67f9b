/**
 * Complaint rates: mailbox providers punish senders above 0.1 %, and block them above 0.3 % (Google's and Yahoo's rules
 * for bulk senders). A playbook over the second is paused, on record; people look, and resume it.
 */
import type { Database, Queryable } from './database.ts';
import { businessNow } from './database.ts';
import { pause } from './pauses.ts';
import { ON_ITS_WAY, SETTLED } from './settled.ts';
import { time } from './sql.ts';

const DAY_MS = 86_400_000;
/** More than 1 in 1,000 warns. */
export const WARN_RATE = 0.001;
/** 3 in 1,000 pause. */
export const PAUSE_RATE = 0.003;
/** Fewer say nothing about a playbook: 2 readers of 500 may be of one mind by chance. */
export const FEWEST_COMPLAINTS = 3;

/** A playbook that readers complain about. */
export interface ComplaintRate {
  readonly playbook: string;
  /** In 24 hours, and since it was last resumed. */
  readonly complaints: number;
  readonly mails: number;
  /** `complaints / mails`, at most 1. */
  readonly rate: number;
  readonly outcome: 'warned' | 'paused' | 'paused before';
}

/** Looks at the complaints of 24 hours, and pauses playbooks over the limit. To be repeated without harm. */
export async function actOnComplaints(db: Database): Promise<readonly ComplaintRate[]> {
  const rates: ComplaintRate[] = [];
  for (const { playbook, complaints, mails } of await countComplaints(db)) {
    const rate = Math.min(1, complaints / Math.max(1, mails));
    if (rate < PAUSE_RATE) {
      if (rate > WARN_RATE) rates.push({ playbook, complaints, mails, rate, outcome: 'warned' });
      continue;
    }
    const percent = (rate * 100).toFixed(2);
    const reason = `${complaints} complaints about ${mails} mails in 24 hours: ${percent} %, and 0.3 % are too many`;
    const isNew = await pause(db, playbook, 'perennial', reason);
    rates.push({ playbook, complaints, mails, rate, outcome: isNew ? 'paused' : 'paused before' });
  }
  return rates;
}

interface Counted extends Record<string, unknown> {
  readonly playbook: string;
  readonly complaints: number;
  readonly mails: number;
}

/**
 * By playbook. The mails are those of the same 24 hours, and since the oldest of the mails complained about: complaints
 * about Monday's mass mail come on Tuesday. They are counted only for a playbook with enough complaints.
 */
async function countComplaints(db: Queryable): Promise<readonly Counted[]> {
  const since = (await businessNow(db)) - DAY_MS;
  const { rows } = await db.query<Counted>(
    `with complained as (
       select s.playbook_id, count(*)::int as complaints, least(min(s.handed_at), $1::timestamptz) as since
       from feedback f join sends s on s.id = f.send_id join playbooks p on p.id = s.playbook_id
       where f.kind = 'complained' and f.at > $1 and f.at > coalesce((select max(a.business_at) from audit a
         where a.action = 'resume' and (a.playbook = p.name or a.playbook is null)), '-infinity')
       group by s.playbook_id having count(*) >= $2)
     select p.name as playbook, c.complaints,
       (select count(*) from sends s where ${SETTLED} and s.playbook_id = c.playbook_id and s.handed_at >= c.since)
         + (select count(*) from sends s where ${ON_ITS_WAY} and s.playbook_id = c.playbook_id and s.handed_at >= c.since)
         as mails
     from complained c join playbooks p on p.id = c.playbook_id order by p.name`,
    [time(since), FEWEST_COMPLAINTS],
  );
  return rows;
}
