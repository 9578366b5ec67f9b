import type { Standing } from '../playbook/lint/lint.ts';
import type { Queryable } from './database.ts';

/** How many customers are under way at each step of each playbook, by playbook and step. Reads all active enrolments once. */
export async function readStanding(tx: Queryable): Promise<readonly Standing[]> {
  const { rows } = await tx.query<Record<string, unknown> & Standing>(
    `select p.name as playbook, e.step, count(distinct e.customer_id)::int as customers
     from enrolments e join playbooks p on p.id = e.playbook_id
     where e.status = 'active' group by p.name, e.step order by p.name, e.step`,
  );
  return rows;
}
