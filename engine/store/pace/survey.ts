/** How mail goes at present: limits in use, what waits and for which, and domains that are held. */
import type { PaceWait } from '../../journey/types.ts';
import type { Sending } from '../../playbook/types.ts';
import type { Instant } from '../../time/types.ts';
import type { ReleaseCache } from '../context.ts';
import type { Database } from '../database.ts';
import type { MailLane } from '../lane.ts';
import { listHolds, type DomainHold } from './holds.ts';
import { warmUpUse } from './gate.ts';
import { volumeAt } from './volume.ts';

/** Mails of one lane that wait for one thing. */
export interface Waiting {
  readonly lane: MailLane;
  readonly waitsFor: PaceWait;
  readonly mails: number;
  /** When the first of them comes again, and the last that has a time by now; all may have to wait once more. */
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  /** When the one that waits longest was due. */
  readonly longestAt: Instant;
}

/** A domain with mails that wait. */
export interface WaitingDomain {
  readonly domain: string;
  readonly waitsFor: PaceWait;
  readonly mails: number;
}

/** The state of pace. */
export interface PaceSurvey {
  readonly now: Instant;
  /** As the release has it; null: nothing is limited. */
  readonly sending: Sending | null;
  /** Today of a warm-up: its volume, and how many mails have gone; null outside of one. */
  readonly warmUp: { readonly volume: number; readonly used: number; readonly endsAt: Instant } | null;
  readonly waiting: readonly Waiting[];
  /** Those with most. */
  readonly domains: readonly WaitingDomain[];
  readonly holds: readonly DomainHold[];
}

const WAITS = `s.status = 'planned' and s.held_at is null and s.waits_for in ('pace', 'warm_up', 'domain')
  and s.due_at = s.waits_until`;
const DOMAINS_SHOWN = 10;

/** Reads it all. It counts what waits, so it takes as long as there is much; nothing waits for it. */
export async function surveyPace(db: Database, cache: ReleaseCache): Promise<PaceSurvey> {
  const ctx = await cache.context(db);
  const sending = ctx.release.company.sending ?? null;
  const volume = sending === null ? null : volumeAt(sending.warmUp, ctx.now, ctx.release.company.zone);
  const { rows: waiting } = await db.query<Waiting & Record<string, unknown>>(
    `select s.lane, s.waits_for as "waitsFor", count(*) as mails, min(s.due_at) as "firstAt", max(s.due_at) as "lastAt",
       min(s.paced_from) as "longestAt"
     from sends s where ${WAITS} group by 1, 2 order by 1 desc, 2`,
  );
  const { rows: domains } = await db.query<WaitingDomain & Record<string, unknown>>(
    `select split_part(c.address, '@', -1) as domain, s.waits_for as "waitsFor", count(*) as mails
     from sends s join customers c on c.id = s.customer_id where ${WAITS} and c.address is not null
     group by 1, 2 order by 3 desc, 1 limit ${DOMAINS_SHOWN}`,
  );
  return {
    now: ctx.now,
    sending,
    warmUp:
      volume === null ? null : { volume: volume.mails, used: await warmUpUse(db, volume.day), endsAt: volume.endsAt },
    waiting,
    domains,
    holds: await listHolds(db),
  };
}
