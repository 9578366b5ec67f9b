/** What the database has on record about one customer and one playbook. Reads only. */
import { businessNow, type Queryable } from '../store/database.ts';
import { loadCustomers } from '../store/load-rows.ts';
import type { PlaybookIds } from '../store/playbook-ids.ts';
import { unpackOrigin, type StoredOrigin } from '../store/origin.ts';
import type { EffectOnRecord, EnrolmentOnRecord, JournalLine, SendOnRecord, WhyRecord } from './on-record.ts';

export type * from './on-record.ts';

/** Bounds each list; nobody reads more, and what is asked about is among the newest. */
const LIMIT = 500;

const HOLD = (of: string): string => `case when ${of}.held_at is not null then json_build_object(
  'at', floor(extract(epoch from ${of}.held_at) * 1000)::bigint, 'error', ${of}.held_error) end as hold`;

/** Reads the record; null for a customer or a playbook that the database does not have. */
export async function readRecord(
  db: Queryable,
  customerId: number,
  playbook: string,
  ids: PlaybookIds,
): Promise<WhyRecord | null> {
  const [row] = await loadCustomers(db, [customerId]);
  const found = await rowsOf<WhyRecord['playbook']>(
    db,
    'select id, name, live, armed_from as "armedFrom" from playbooks where name = $1',
    [playbook],
  );
  const [standing] = await rowsOf<Pick<WhyRecord['customer'], 'hold' | 'erasedAt' | 'heldEvents'>>(
    db,
    `select ${HOLD('c')}, c.erased_at as "erasedAt",
       (select count(*) from held_events where customer_id = c.id) as "heldEvents" from customers c where c.id = $1`,
    [customerId],
  );
  const [of] = found;
  if (row === undefined || of === undefined || standing === undefined) return null;
  const { address, arrivedAt, profile } = row;
  const { enrolments, nameNow } = await enrolmentsOf(db, customerId, of.id, ids);
  return {
    now: await businessNow(db),
    customer: { id: customerId, key: profile.id, address, arrivedAt, profile, ...standing },
    playbook: of,
    enrolments,
    sends: (await rowsOf<SendOnRecord>(db, SENDS, [customerId, of.id])).map(nameNow),
    journal: (await rowsOf<JournalLine>(db, JOURNAL, [customerId, of.id])).map(nameNow),
    effects: (await rowsOf<EffectOnRecord>(db, EFFECTS, [customerId, of.id])).map(nameNow),
    refusals: await rowsOf(db, REFUSALS, [customerId, of.id]),
    pause: (await rowsOf<NonNullable<WhyRecord['pause']>>(db, PAUSES, [playbook]))[0] ?? null,
    acts: await rowsOf(db, ACTS, [customerId, playbook, address]),
    deployments: await rowsOf(db, DEPLOYMENTS, []),
  };
}

const SENDS = `select s.enrolment_id as "enrolmentId", s.step, s.template, s.topic, s.lane, s.status,
    s.first_due_at as "firstDueAt", s.due_at as "dueAt", s.handed_at as "handedAt", s.settled_at as "settledAt",
    s.attempts, s.resends, s.address, s.reason, s.waits_for as "waitsFor", s.waits_until as "waitsUntil",
    s.release_id as "releaseId", ${HOLD('s')}
  from sends s where s.customer_id = $1 and s.playbook_id = $2 order by s.id desc limit ${LIMIT}`;

const JOURNAL = `select j.enrolment_id as "enrolmentId", j.at, j."do", j.step, j.reason
  from journal j join enrolments e on e.id = j.enrolment_id
  where j.customer_id = $1 and e.playbook_id = $2 order by j.at desc, j.id desc limit ${LIMIT}`;

const EFFECTS = `
  select enrolment_id as "enrolmentId", step, created_at as at,
    format('task %s "%s"%s', id, title, case when done_at is null then ', still open' else ', done by ' || done_by end) as text
  from tasks where customer_id = $1 and playbook_id = $2
  union all
  select enrolment_id, step, at, format('call of %s: %s after %s attempts%s', url, status, attempts,
    case when held_error is null then coalesce(': ' || answer, '') else ', held: ' || held_error end)
  from webhook_calls where customer_id = $1 and playbook_id = $2
  union all
  select c.enrolment_id, c.step, c.reserved_at, format('a code of the pool "%s" is %s', c.pool, c.status)
  from enrolments e join coupon_codes c on c.enrolment_id = e.id where e.customer_id = $1 and e.playbook_id = $2
  order by at desc limit ${LIMIT}`;

const REFUSALS = `select because, at, entry_key as "entryKey", release_id as "releaseId", values
  from refusals where customer_id = $1 and playbook_id = $2 order by at desc, because`;

const PAUSES = `select at, by, reason, scope = '*' as "all" from pauses where scope = '*' or scope = $1
  order by scope desc limit 1`;

const ACTS = `select business_at as at, by, action, playbook, reason, detail from audit
  where customer_id = $1 or (customer_id is null and action in ('pause', 'resume') and (playbook is null or playbook = $2))
    or (action in ('suppress', 'unsuppress') and detail->>'address' = $3)
  order by id desc limit ${LIMIT}`;

const DEPLOYMENTS = `select at, author as by, release_id as "releaseId", git_commit as "gitCommit"
  from deployments order by seq`;

async function rowsOf<T extends object>(db: Queryable, sql: string, values: readonly unknown[]): Promise<readonly T[]> {
  const { rows } = await db.query<T & Record<string, unknown>>(sql, values);
  return rows;
}

type EnrolmentRow = Omit<EnrolmentOnRecord, 'origin' | 'vars'> & {
  readonly versionId: number;
  readonly origin: StoredOrigin | null;
  readonly vars: EnrolmentOnRecord['vars'] | null;
};

/** Names the step of a row as the enrolment calls it now. */
type NameNow = <T extends { readonly enrolmentId: number | null; readonly step: string | null }>(row: T) => T;

async function enrolmentsOf(
  db: Queryable,
  customerId: number,
  playbookId: number,
  ids: PlaybookIds,
): Promise<{ readonly enrolments: readonly EnrolmentOnRecord[]; readonly nameNow: NameNow }> {
  const rows = await rowsOf<EnrolmentRow>(
    db,
    `select e.id, v.id as "versionId", coalesce(e.moved, false) as moved, v.hash as version, v.release_id as "releaseId",
       e.entry_key as "entryKey", e.status, e.ready, e.step, e.due_at as "dueAt", e.started_at as "startedAt",
       e.ended_at as "endedAt", e.reason, e.origin, e.vars, ${HOLD('e')}
     from enrolments e join playbook_versions v on v.id = e.version_id
     where e.customer_id = $1 and e.playbook_id = $2 order by e.started_at desc, e.id desc limit ${LIMIT}`,
    [customerId, playbookId],
  );
  const underWay = new Map(rows.filter(({ status }) => status === 'active').map((row) => [row.id, row.versionId]));
  return {
    enrolments: rows.map((row) => enrolmentOf(row, ids)),
    nameNow: (row) => {
      const versionId = row.enrolmentId === null ? undefined : underWay.get(row.enrolmentId);
      return versionId === undefined || row.step === null ? row : { ...row, step: ids.stepNow(versionId, row.step) };
    },
  };
}

function enrolmentOf({ origin, vars, versionId, ...row }: EnrolmentRow, ids: PlaybookIds): EnrolmentOnRecord {
  const whole = { ...row, origin: unpackOrigin(origin, row.entryKey, row.startedAt), vars: vars ?? {} };
  if (row.status !== 'active') return whole;
  const { version, releaseId } = ids.version(versionId);
  const step = row.step === null ? null : ids.stepNow(versionId, row.step);
  return { ...whole, version, releaseId, step, moved: row.moved || version !== row.version };
}
