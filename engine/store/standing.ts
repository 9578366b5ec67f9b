import type { Standing } from '../playbook/lint/lint.ts';
import type { Queryable } from './database.ts';

/**
 * How many customers are under way at each step of each playbook, steps called as the version that runs calls them; by
 * playbook and step. Reads all active enrolments once.
 */
export async function readStanding(tx: Queryable): Promise<readonly Standing[]> {
  const { rows } = await tx.query<Record<string, unknown> & Standing>(
    `select p.name as playbook, coalesce(v.current_steps ->> e.step, e.step) as step,
       count(distinct e.customer_id)::int as customers
     from enrolments e join playbooks p on p.id = e.playbook_id join playbook_versions v on v.id = e.version_id
     where e.status = 'active' group by 1, 2 order by 1, 2`,
  );
  return rows;
}
