/** What playbooks give people to do: listed, and ticked off with who did it. */
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable } from './database.ts';
import { time } from './sql.ts';

/** One task. */
export interface Task {
  readonly id: number;
  readonly title: string;
  /** Whom the playbook gives it to; null for anybody. */
  readonly to: string | null;
  /** The company's id of the customer whom it is about. */
  readonly customer: string;
  readonly playbook: string;
  readonly step: string;
  readonly createdAt: Instant;
  readonly dueAt: Instant | null;
  readonly doneAt: Instant | null;
  readonly doneBy: string | null;
  readonly note: string | null;
}

/** What came of ticking one off. */
export type TaskDone =
  | { readonly outcome: 'done'; readonly task: Task }
  | { readonly outcome: 'done before'; readonly task: Task }
  | { readonly outcome: 'unknown' };

const TASKS = `select t.id, t.title, t.assignee as "to", c.key as customer, p.name as playbook, t.step,
    t.created_at as "createdAt", t.due_at as "dueAt", t.done_at as "doneAt", t.done_by as "doneBy", t.note
  from tasks t join customers c on c.id = t.customer_id join playbooks p on p.id = t.playbook_id`;

/** Open tasks by when they are due, those without a date last; then, unless `openOnly`, done ones, the latest first. */
export async function listTasks(
  db: Queryable,
  options: { readonly openOnly: boolean; readonly limit?: number },
): Promise<readonly Task[]> {
  const limit = options.limit ?? 500;
  const open = await db.query<Task & Record<string, unknown>>(
    `${TASKS} where t.done_at is null order by t.due_at, t.id limit $1`,
    [limit],
  );
  if (options.openOnly || open.rows.length >= limit) return open.rows;
  const done = await db.query<Task & Record<string, unknown>>(
    `${TASKS} where t.done_at is not null order by t.done_at desc, t.id desc limit $1`,
    [limit - open.rows.length],
  );
  return [...open.rows, ...done.rows];
}

/** Ticks a task off, once, with its audit record. The playbook that gave it does not wait for it. */
export async function finishTask(
  db: Database,
  id: number,
  act: { readonly by: string; readonly note: string | null },
): Promise<TaskDone> {
  return db.transaction(async (tx): Promise<TaskDone> => {
    const now = await businessNow(tx);
    const { rows: changed } = await tx.query<{ customer_id: number; playbook: string }>(
      `update tasks t set done_at = $2, done_by = $3, note = $4 from playbooks p
       where t.id = $1 and t.done_at is null and p.id = t.playbook_id
       returning t.customer_id, p.name as playbook`,
      [id, time(now), act.by, act.note],
    );
    const { rows } = await tx.query<Task & Record<string, unknown>>(`${TASKS} where t.id = $1`, [id]);
    const [task] = rows;
    if (task === undefined) return { outcome: 'unknown' };
    const [row] = changed;
    if (row === undefined) return { outcome: 'done before', task };
    await writeAudit(tx, {
      businessAt: now,
      by: act.by,
      action: 'task.done',
      customerId: row.customer_id,
      playbook: row.playbook,
      reason: act.note,
      detail: { task: id, title: task.title },
    });
    return { outcome: 'done', task };
  });
}
