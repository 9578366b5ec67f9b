/** Enrolments that cannot go on now, since they or their customers are held: left past their mail, to go on from there. */
import type { Draft } from '../journey/draft.ts';
import type { Send, Settlement } from '../journey/types.ts';
import { zoneOf } from '../journey/view.ts';
import { addDuration } from '../time/duration.ts';
import { zone } from '../time/zone.ts';
import type { Instant, Zone } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { renameSteps } from './moved.ts';
import { execute, time } from './sql.ts';

/** A mail that is done, of an enrolment that stands still. */
export interface Parked {
  readonly of: {
    readonly customerId: number;
    readonly enrolmentId: number;
    readonly versionId: number;
    /** As the row of its enrolment calls the step. */
    readonly storedStep: string;
    readonly send: Send;
  };
  readonly settlement: Settlement | null;
}

/** Where such an enrolment is left. */
interface Place {
  readonly step: string;
  readonly dueAt: Instant;
  /** At the step itself, not past it. */
  readonly ready: boolean;
}

/**
 * Parks them. A position in time on the step of a mail means past that mail; on that of a survey, the end of its wait:
 * one that was never sent goes on behind it, without either branch.
 */
export async function park(
  tx: Queryable,
  parked: readonly Parked[],
  drafts: ReadonlyMap<number, Draft>,
  ctx: StoreContext,
): Promise<void> {
  if (parked.length === 0) return;
  const zones = await zonesOf(tx, parked, drafts, ctx);
  await execute(
    tx,
    parked.flatMap((one) => {
      const { of } = one;
      const place = placeOf(one, zones.get(of.customerId) ?? ctx.release.company.zone, ctx);
      if (place === null) return [];
      const { step, dueAt, ready } = place;
      const { id: versionId } = ctx.ids.version(of.versionId);
      const row = { id: of.enrolmentId, was: 'active', from: of.storedStep, version_id: versionId };
      return [{ ...row, step, due_at: time(dueAt), ready }];
    }),
    `update enrolments e set due_at = r.due_at, step = r.step, ready = r.ready,
       version_id = r.version_id, moved = case when e.version_id <> r.version_id then true else e.moved end
     from rows r
     where e.id = r.id and e.status = r.was and e.due_at is null and e.step = r."from"`,
    'id bigint, was text, "from" text, version_id int, step text, due_at timestamptz, ready boolean',
  );
  await renameSteps(
    tx,
    parked
      .filter(({ settlement }) => settlement !== null)
      .map(({ of }) => ({ enrolmentId: of.enrolmentId, renames: ctx.ids.renames(of.versionId) })),
  );
}

function placeOf({ of, settlement }: Parked, zoneOfCustomer: Zone, ctx: StoreContext): Place | null {
  if (settlement === null) return null;
  const { at, outcome } = settlement;
  const { playbook, version } = ctx.ids.version(of.versionId);
  const step = ctx.playbookOf(playbook, version).steps.get(of.send.step);
  const past = { step: of.send.step, dueAt: at, ready: false };
  if (step?.kind !== 'survey') return past;
  if (outcome !== 'failed') return { ...past, dueAt: addDuration(at, step.upTo, zoneOfCustomer) };
  // A survey that is the last step has nothing behind it to go on with: it takes `else`, as without an answer.
  return step.next === null ? past : { step: step.next, dueAt: at, ready: true };
}

async function zonesOf(
  tx: Queryable,
  parked: readonly Parked[],
  drafts: ReadonlyMap<number, Draft>,
  ctx: StoreContext,
): Promise<ReadonlyMap<number, Zone>> {
  const { company } = ctx.release;
  const zones = new Map<number, Zone>();
  const unknown: number[] = [];
  for (const { of } of parked) {
    const draft = drafts.get(of.customerId);
    if (draft !== undefined) zones.set(of.customerId, zoneOf(draft.profile, company));
    else if (of.send.ask !== null) unknown.push(of.customerId);
  }
  if (unknown.length === 0) return zones;
  const { rows } = await tx.query<{ id: number; timezone: string | null }>(
    'select id, timezone from customers where id = any($1::bigint[])',
    [unknown],
  );
  for (const { id, timezone } of rows) {
    zones.set(id, (timezone === null ? null : zone(timezone)) ?? company.zone);
  }
  return zones;
}
