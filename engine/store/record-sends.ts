/** Mails: planned, re-dated, skipped, cancelled. Claiming and what follows is written by the steps of the protocol. */
import { enrolmentKey, sendKey, type Draft } from '../journey/draft.ts';
import type { Send, SendChange } from '../journey/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';

import { execute, time, timeOrNull } from './sql.ts';
import { storedOf, type Recording, type Stored } from './stored.ts';

interface Change {
  readonly stored: Stored;
  readonly change: SendChange;
}

interface Inserted {
  readonly id: number;
  readonly enrolment_id: number;
  readonly step: string;
  readonly visit: number;
}

/** Inserts and updates; ends with the ids of all of them in `stored.sends`. */
export async function recordSends(tx: Queryable, recordings: readonly Recording[], ctx: StoreContext): Promise<void> {
  const changes = recordings.flatMap(({ stored, changes }) => changes.sends.map((change) => ({ stored, change })));
  const isKnown = ({ stored, change }: Change): boolean => stored.sends.has(sendKey(change.send));
  const [known, added] = [changes.filter(isKnown), changes.filter((change) => !isKnown(change))];
  await Promise.all([update(tx, known, ctx), insert(tx, added, ctx), cancelOpen(tx, recordings)]);
}

/**
 * Inserts mails that were planned and let go in one and the same transaction: their drafts no longer list them.
 * After `recordAll`, which gives their enrolments ids.
 */
export async function insertPlanned(
  tx: Queryable,
  fresh: readonly { readonly draft: Draft; readonly send: Send }[],
  ctx: StoreContext,
): Promise<void> {
  const changes = fresh.map(({ draft, send }): Change => ({
    stored: storedOf(draft),
    change: { send, status: 'planned' },
  }));
  await insert(tx, changes, ctx);
}

async function insert(tx: Queryable, changes: readonly Change[], ctx: StoreContext): Promise<void> {
  const rows = changes.map(({ stored, change }) => {
    const { send } = change;
    return {
      enrolment_id: enrolmentIdOf(stored, change),
      customer_id: stored.customerId,
      playbook_id: ctx.ids.playbookId(send.playbook),
      step: send.step,
      visit: send.visit,
      template: send.template,
      topic: send.topic,
      lane: send.transactional ? 'transactional' : 'bulk',
      ask: send.ask,
      first_due_at: time(send.firstDueAt),
      due_at: time(send.dueAt),
      status: change.status,
      settled_at: change.status === 'planned' ? null : time(change.at),
      reason: change.status === 'planned' ? null : change.reason,
      ...decisionOf(change, ctx),
    };
  });
  const inserted = await execute(
    tx,
    rows,
    `insert into sends (enrolment_id, customer_id, playbook_id, step, visit, template, topic, lane, ask, first_due_at,
       due_at, status, settled_at, reason, waits_for, waits_until, paced_from, release_id)
     select enrolment_id, customer_id, playbook_id, step, visit, template, topic, lane, ask, first_due_at,
       due_at, status, settled_at, reason, waits_for, waits_until, paced_from, release_id
     from rows order by place
     returning id, enrolment_id, step, visit`,
    `enrolment_id bigint, customer_id bigint, playbook_id int, step text, visit smallint, template text, topic text,
     lane text, ask text, first_due_at timestamptz, due_at timestamptz, status text, settled_at timestamptz, reason text, ${DECISION}`,
  );
  const ids = new Map(
    (inserted.rows as unknown as Inserted[]).map((row) => [`${row.enrolment_id}\n${row.step}\n${row.visit}`, row.id]),
  );
  for (const { stored, change } of changes) {
    const { send } = change;
    const id = ids.get(`${enrolmentIdOf(stored, change)}\n${send.step}\n${send.visit}`);
    if (id === undefined) throw new StoreError('lost-row', `the mail "${send.step}" was not stored`);
    stored.sends.set(sendKey(send), { id, held: false, copyAt: null, pacedFrom: null });
  }
}

const DECISION = 'waits_for text, waits_until timestamptz, paced_from timestamptz, release_id text';

/** What an attempt that sent nothing decided, and by which release: kept beside the mail, to answer why. */
function decisionOf(change: SendChange, ctx: StoreContext): Record<string, string | null> {
  switch (change.status) {
    case 'planned':
      if (change.waitsFor === undefined) return {};
      return {
        waits_for: change.waitsFor,
        waits_until: time(change.send.dueAt),
        paced_from: timeOrNull(change.pacedFrom ?? null),
        release_id: ctx.releaseId,
      };
    case 'skipped':
      return { release_id: ctx.releaseId };
    case 'cancelled':
      return {};
  }
}

async function update(tx: Queryable, changes: readonly Change[], ctx: StoreContext): Promise<void> {
  const rows = changes.map(({ stored, change }) => ({
    id: stored.sends.get(sendKey(change.send))?.id,
    was: 'planned',
    due_at: time(change.send.dueAt),
    status: change.status,
    settled_at: change.status === 'planned' ? null : time(change.at),
    reason: change.status === 'planned' ? null : change.reason,
    ...decisionOf(change, ctx),
  }));
  const { rowCount } = await execute(
    tx,
    rows,
    `update sends s set status = r.status, due_at = r.due_at, settled_at = r.settled_at, reason = coalesce(r.reason, s.reason),
       held_at = case when r.status = 'planned' then s.held_at end,
       held_error = case when r.status = 'planned' then s.held_error end,
       waits_for = coalesce(r.waits_for, s.waits_for), waits_until = coalesce(r.waits_until, s.waits_until),
       paced_from = case when r.waits_for is null then s.paced_from else r.paced_from end,
       release_id = coalesce(r.release_id, s.release_id)
     from rows r where s.id = r.id and s.status = r.was`,
    `id bigint, was text, status text, due_at timestamptz, settled_at timestamptz, reason text, ${DECISION}`,
  );
  if (rowCount !== rows.length) {
    throw new StoreError('lost-row', 'a mail that was loaded as planned under its customer’s lock is so no longer');
  }
}

/**
 * A claimed mail of an enrolment that has just ended must not pass the point of no return. Updating its row, rather
 * than relying on what a hand-over reads, puts the two in one order: see hand.ts. A claim whose lease ran out since
 * the customer was loaded is planned again by now, and goes the same way. An unknown mail that waits for a person waits
 * no longer.
 */
async function cancelOpen(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.flatMap(({ stored, changes }) =>
    changes.enrolments.flatMap((enrolment) => {
      const { position } = enrolment;
      if (position.on !== 'ended' || position.how === 'complete' || enrolment.id === null) return [];
      const reason = position.reason ?? position.how;
      return [{ enrolment_id: stored.enrolments.get(enrolmentKey(enrolment))?.id, at: time(position.at), reason }];
    }),
  );
  await execute(
    tx,
    rows,
    `update sends s set status = 'cancelled', settled_at = r.at, reason = r.reason, lease_until = null, claimed_at = null
     from rows r where s.enrolment_id = r.enrolment_id and s.status in ('planned', 'claimed')`,
    'enrolment_id bigint, at timestamptz, reason text',
  );
  await execute(
    tx,
    rows,
    `update sends s set held_at = null, held_error = null
     from rows r where s.enrolment_id = r.enrolment_id and s.status = 'unknown' and s.held_at is not null`,
    'enrolment_id bigint',
  );
}

function enrolmentIdOf(stored: Stored, { send }: SendChange): number {
  const enrolment = stored.enrolments.get(enrolmentKey(send));
  if (enrolment === undefined) throw new StoreError('lost-row', `the mail "${send.step}" has no stored enrolment`);
  return enrolment.id;
}
