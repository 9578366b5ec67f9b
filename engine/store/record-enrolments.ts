/** Enrolments: new ones get their ids, known ones move or end. */
import { enrolmentKey } from '../journey/draft.ts';
import type { Enrolment } from '../journey/types.ts';
import type { StepNames } from '../playbook/identity.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';
import { packOrigin } from './origin.ts';
import { renameSteps } from './moved.ts';
import { execute, time } from './sql.ts';
import type { Recording, Stored } from './stored.ts';

interface Change {
  readonly stored: Stored;
  readonly enrolment: Enrolment;
}

interface Inserted {
  readonly id: number;
  readonly customer_id: number;
  readonly playbook_id: number;
  readonly entry_key: string;
}

const STANDING = `status text, ready boolean, due_at timestamptz, ended_at timestamptz, step text, reason text, vars jsonb`;

/** Inserts and updates; ends with the ids of all of them in `stored.enrolments`. */
export async function recordEnrolments(
  tx: Queryable,
  recordings: readonly Recording[],
  ctx: StoreContext,
): Promise<void> {
  const changes = recordings.flatMap(({ stored, changes }) =>
    changes.enrolments.map((enrolment) => ({ stored, enrolment })),
  );
  const isKnown = ({ stored, enrolment }: Change): boolean => stored.enrolments.has(enrolmentKey(enrolment));
  const [known, added] = [changes.filter(isKnown), changes.filter((change) => !isKnown(change))];
  await Promise.all([update(tx, known, ctx), insert(tx, added, ctx), renameSteps(tx, known.map(renamesOf))]);
}

function renamesOf({ stored, enrolment }: Change): { enrolmentId: number; renames: StepNames | null } {
  const known = stored.enrolments.get(enrolmentKey(enrolment));
  return { enrolmentId: known?.id ?? 0, renames: known?.renames ?? null };
}

async function insert(tx: Queryable, changes: readonly Change[], ctx: StoreContext): Promise<void> {
  const rows = changes.map(({ stored, enrolment }) => {
    const row = standingRow(enrolment);
    row.customer_id = stored.customerId;
    row.playbook_id = ctx.ids.playbookId(enrolment.playbook);
    row.version_id = ctx.ids.versionId(enrolment.playbook, enrolment.version);
    row.started_at = time(enrolment.startedAt);
    row.entry_key = enrolment.entryKey;
    row.origin = packOrigin(enrolment);
    row.vars = orNull(enrolment.vars);
    return row;
  });
  const inserted = await execute(
    tx,
    rows,
    `insert into enrolments (customer_id, playbook_id, version_id, started_at, entry_key, origin, vars,
       status, ready, due_at, ended_at, step, reason)
     select customer_id, playbook_id, version_id, started_at, entry_key, origin, vars,
       status, ready, due_at, ended_at, step, reason
     from rows order by place
     returning id, customer_id, playbook_id, entry_key`,
    `customer_id bigint, playbook_id int, version_id int, started_at timestamptz, entry_key text, origin jsonb, ${STANDING}`,
  );
  const ids = new Map(
    (inserted.rows as unknown as Inserted[]).map((row) => [
      `${row.customer_id}\n${row.playbook_id}\n${row.entry_key}`,
      row.id,
    ]),
  );
  for (const { stored, enrolment } of changes) {
    const id = ids.get(`${stored.customerId}\n${ctx.ids.playbookId(enrolment.playbook)}\n${enrolment.entryKey}`);
    if (id === undefined) throw new StoreError('lost-row', `an enrolment in "${enrolment.playbook}" was not stored`);
    stored.enrolments.set(enrolmentKey(enrolment), { id, as: enrolment, held: false, renames: null });
  }
}

/** Rows name the version that they were written in: one that was moved is written in the one that it is in now. */
async function update(tx: Queryable, changes: readonly Change[], ctx: StoreContext): Promise<void> {
  const rows = changes.map(({ stored, enrolment }) => {
    const known = stored.enrolments.get(enrolmentKey(enrolment));
    const row = standingRow(enrolment);
    row.id = known?.id;
    row.was = 'active';
    row.version_id = ctx.ids.versionId(enrolment.playbook, enrolment.version);
    const isUnchanged = known?.as.vars === enrolment.vars && known.renames === null;
    row.vars = isUnchanged ? null : enrolment.vars;
    return row;
  });
  const { rowCount } = await execute(
    tx,
    rows,
    `update enrolments e set status = r.status, ready = r.ready, due_at = r.due_at, ended_at = r.ended_at,
       step = r.step, reason = r.reason, vars = coalesce(r.vars, e.vars),
       version_id = r.version_id, moved = case when e.version_id <> r.version_id then true else e.moved end,
       held_at = case when r.status = 'active' then e.held_at end,
       held_error = case when r.status = 'active' then e.held_error end
     from rows r where e.id = r.id and e.status = r.was`,
    `id bigint, was text, version_id int, ${STANDING}`,
  );
  if (rowCount !== rows.length) {
    throw new StoreError('lost-row', 'an enrolment that was loaded as active under its lock is so no longer');
  }
}

/** Rows are filled in place: these are by far the most, and copying each one several times shows. */
type Row = Record<string, unknown>;

function standingRow({ position }: Enrolment): Row {
  switch (position.on) {
    case 'time':
      return { status: 'active', ready: position.ready, due_at: time(position.dueAt), step: position.step };
    case 'mail':
      return { status: 'active', ready: false, step: position.step };
    case 'ended':
      return { status: position.how, ready: false, ended_at: time(position.at), reason: position.reason };
  }
}

/** An empty object costs bytes in every waiting row. */
function orNull(value: object): object | null {
  return Object.keys(value).length === 0 ? null : value;
}
