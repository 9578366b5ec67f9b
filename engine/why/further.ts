/** What is looked up once the question has narrowed: events, hand-overs, suppressions, launches. Reads only. */
import type { Json } from '../playbook/types.ts';
import type { Queryable } from '../store/database.ts';
import { time } from '../store/sql.ts';
import type { Instant } from '../time/types.ts';

/** An event of the customer, as it came in. `order`: among all events, by when it was taken. */
export interface EventOnRecord {
  readonly order: number;
  readonly key: string;
  readonly event: string;
  readonly at: Instant;
  readonly receivedAt: Instant;
  readonly data: Readonly<Record<string, Json>>;
  readonly history: boolean;
}

const EVENT = 'id as "order", key, event, at, received_at as "receivedAt", data, history';

/** The latest events of these names from `from` to `until`, both included, newest first. */
export async function latestEvents(
  db: Queryable,
  customerId: number,
  names: readonly string[],
  span: { readonly from?: Instant; readonly until: Instant; readonly limit: number },
): Promise<readonly EventOnRecord[]> {
  const { rows } = await db.query<EventOnRecord & Record<string, unknown>>(
    `select ${EVENT} from events where customer_id = $1 and event = any($2) and at >= $3 and at <= $4
     order by at desc, id desc limit $5`,
    [customerId, names, span.from === undefined ? '-infinity' : time(span.from), time(span.until), span.limit],
  );
  return rows;
}

/** The first event of that name that was ever taken of the customer. */
export async function firstTaken(db: Queryable, customerId: number, name: string): Promise<EventOnRecord | null> {
  const { rows } = await db.query<EventOnRecord & Record<string, unknown>>(
    `select ${EVENT} from events where customer_id = $1 and event = $2 order by id limit 1`,
    [customerId, name],
  );
  return rows[0] ?? null;
}

/** A mail that counts for caps. */
export interface HandOverOnRecord {
  readonly at: Instant;
  readonly playbook: string;
  readonly step: string;
}

/** Non-transactional mail to the reader in (from, until], newest first. */
export async function handOvers(
  db: Queryable,
  customer: { readonly id: number; readonly address: string | null },
  from: Instant,
  until: Instant,
): Promise<readonly HandOverOnRecord[]> {
  const { rows } = await db.query<HandOverOnRecord & Record<string, unknown>>(
    `select s.handed_at as at, p.name as playbook, s.step from sends s join playbooks p on p.id = s.playbook_id
     where s.customer_id in (
         select id from customers where id = $1 or address = $2
         union select customer_id from former_addresses where address = $2)
       and s.handed_at > $3 and s.handed_at <= $4 and s.lane = 'bulk' and s.status in ('handed', 'sent', 'unknown')
       and (s.customer_id = $1 or s.address = $2)
     order by s.handed_at desc limit 50`,
    [customer.id, customer.address, time(from), time(until)],
  );
  return rows;
}

/** An entry of the list of suppressions; `scope` is `*` or a topic. */
export interface SuppressionOnRecord {
  readonly scope: string;
  readonly at: Instant;
  readonly source: string;
  readonly reason: string | null;
}

/** What the address is suppressed for at present. */
export async function suppressionsOf(db: Queryable, address: string | null): Promise<readonly SuppressionOnRecord[]> {
  const { rows } = await db.query<SuppressionOnRecord & Record<string, unknown>>(
    'select scope, at, source, reason from suppressions where address = $1 order by scope',
    [address],
  );
  return rows;
}

/** Mass work of a playbook for a launch. */
export interface LaunchRun {
  readonly launch: string;
  readonly dueAt: Instant;
  readonly status: 'planned' | 'running' | 'done';
  /** This customer was asked, or the run went past. */
  readonly passed: boolean;
  /** The run went past while the customer was held, and asks when they are released. */
  readonly owed: boolean;
}

/** The playbook's launches so far planned, the latest first, as this customer stands in them. */
export async function launchRuns(db: Queryable, playbookId: number, customerId: number): Promise<readonly LaunchRun[]> {
  const { rows } = await db.query<LaunchRun & Record<string, unknown>>(
    `select r.launch, r.due_at as "dueAt", r.status,
       r.status = 'done' or r.cursor_id >= $2
         or exists (select from run_asked a where a.run_id = r.id and a.customer_id = $2) as passed,
       exists (select from run_owed o where o.run_id = r.id and o.customer_id = $2) as owed
     from runs r where r.playbook_id = $1 and r.kind = 'launch' order by r.due_at desc limit 20`,
    [playbookId, customerId],
  );
  return rows;
}

/** Whether the customer's timers for the playbook are still to be made by mass work. */
export async function isBeingArmed(db: Queryable, playbookId: number, customerId: number): Promise<boolean> {
  const { rows } = await db.query<{ open: boolean }>(
    `select exists (select from runs where playbook_id = $1 and kind = 'arm' and status <> 'done' and cursor_id < $2)
       as open`,
    [playbookId, customerId],
  );
  return rows[0]?.open === true;
}

/** Another record of the same address that this launch has enrolled. */
export async function otherReader(
  db: Queryable,
  of: { readonly playbookId: number; readonly customerId: number; readonly address: string | null },
  launch: string,
): Promise<{ readonly key: string; readonly at: Instant } | null> {
  const { rows } = await db.query<{ key: string; at: Instant }>(
    `select c.key, e.started_at as at from customers c join enrolments e on e.customer_id = c.id
     where c.address = $3 and c.id <> $2 and e.playbook_id = $1 and e.entry_key = $4 limit 1`,
    [of.playbookId, of.customerId, of.address, `launch:${launch}`],
  );
  return rows[0] ?? null;
}

/** Releases that have a file of this path. */
export async function releasesWith(db: Queryable, path: string): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>('select release_id as id from release_files where path = $1', [path]);
  return new Set(rows.map((row) => row.id));
}
