/** Which templates live enrolments still need: a release must not take them away (docs/architecture.md section 2). */
import type { Playbook, Step } from '../playbook/types.ts';
import type { Queryable } from './database.ts';
import type { Onward } from './onward.ts';

/** A template that a release would take away from enrolments that are under way. */
export interface NeededTemplate {
  readonly template: string;
  readonly playbook: string;
  readonly enrolments: number;
  /** Keys of some of the customers concerned, at most five. */
  readonly customers: readonly string[];
}

/** Templates of all mails that may still come from `stepId` on, its own included. */
export function templatesAhead(playbook: Playbook, stepId: string): ReadonlySet<string> {
  const templates = new Set<string>();
  const seen = new Set<string>();
  const open = [stepId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const step = playbook.steps.get(id);
    if (step === undefined || seen.has(id)) continue;
    seen.add(id);
    if (step.kind === 'email' || step.kind === 'survey') templates.add(step.template);
    open.push(...successors(step));
  }
  return templates;
}

function successors(step: Step): readonly string[] {
  const branches: (string | null)[] = [step.next];
  if (step.kind === 'wait_for' || step.kind === 'survey' || step.kind === 'if') branches.push(step.then, step.else);
  if (step.kind === 'choose' || step.kind === 'split') branches.push(...step.arms.map((arm) => arm.first));
  return branches.filter((id) => id !== null);
}

/** The templates among `missing` that an enrolment can still reach where it goes on, or of which a mail is planned. */
export async function neededTemplates(
  tx: Queryable,
  missing: ReadonlySet<string>,
  onward: readonly Onward[],
): Promise<readonly NeededTemplate[]> {
  const needed = new Map<string, NeededTemplate>();
  const need = (template: string, playbook: string, enrolments: number, customers: readonly string[]): void => {
    const key = `${template}\n${playbook}`;
    const known = needed.get(key);
    needed.set(key, {
      template,
      playbook,
      enrolments: enrolments + (known?.enrolments ?? 0),
      customers: [...new Set([...(known?.customers ?? []), ...customers])].slice(0, 5),
    });
  };
  for (const { standing, how, playbook, step } of onward) {
    // Whoever moves needs what the new structure names, which is there, and what is planned already.
    if (how === 'move' || step === null) continue;
    for (const template of templatesAhead(playbook, step)) {
      if (missing.has(template)) need(template, standing.playbook, standing.enrolments, standing.customers);
    }
  }
  for (const row of await plannedMails(tx, missing)) {
    // Those who wait for it in the structure that names it are counted above.
    if (needed.has(`${row.template}\n${row.playbook}`)) continue;
    need(row.template, row.playbook, row.enrolments, row.customers);
  }
  return [...needed.values()];
}

/** Mails that were planned before their enrolment moved keep the template that they were planned with. */
async function plannedMails(tx: Queryable, missing: ReadonlySet<string>): Promise<readonly NeededTemplate[]> {
  const { rows } = await tx.query<NeededTemplate & { readonly [column: string]: unknown }>(
    `with m as (
       select s.playbook_id, s.template, count(*) as enrolments, min(s.customer_id) as first, max(s.customer_id) as last
       from sends s join enrolments e on e.id = s.enrolment_id
       where s.status in ('planned', 'claimed', 'handed') and s.template = any($1) and e.status = 'active' group by 1, 2)
     select m.template, p.name as playbook, m.enrolments,
       array(select c.key from customers c where c.id in (m.first, m.last) order by c.id) as customers
     from m join playbooks p on p.id = m.playbook_id`,
    [[...missing]],
  );
  return rows;
}
