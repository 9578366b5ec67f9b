/** Which templates live enrolments still need: a release must not take them away (docs/architecture.md section 2). */
import type { Playbook, Step } from '../playbook/types.ts';
import type { Queryable } from './database.ts';

/** A template that a release would take away from enrolments that are under way. */
export interface NeededTemplate {
  readonly template: string;
  readonly playbook: string;
  /** The pinned version whose structure needs it, SHA-256 in hex. */
  readonly version: string;
  readonly enrolments: number;
  /** Keys of some of the customers concerned, at most five. */
  readonly customers: readonly string[];
}

/** Where enrolments of one version stand. */
interface Standing {
  readonly [column: string]: unknown;
  readonly playbook: string;
  readonly version: string;
  readonly releaseId: string;
  readonly step: string;
  readonly enrolments: number;
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
  if (step.kind === 'choose') branches.push(...step.arms.map((arm) => arm.first));
  return branches.filter((id) => id !== null);
}

/**
 * The templates among `missing` that an active enrolment can still reach in the version it is pinned to. Reads every
 * active enrolment once: call it only when a release takes templates away.
 */
export async function neededTemplates(
  tx: Queryable,
  missing: ReadonlySet<string>,
  playbookOf: (name: string, releaseId: string) => Promise<Playbook>,
): Promise<readonly NeededTemplate[]> {
  const { rows } = await tx.query<Standing>(
    `select p.name as playbook, v.hash as version, v.release_id as "releaseId", e.step,
       count(*) as enrolments, (array_agg(c.key order by c.id))[1:5] as customers
     from enrolments e
     join playbook_versions v on v.id = e.version_id
     join playbooks p on p.id = e.playbook_id
     join customers c on c.id = e.customer_id
     where e.status = 'active'
     group by p.name, v.hash, v.release_id, e.step order by p.name, v.hash, e.step`,
  );
  const needed = new Map<string, NeededTemplate>();
  for (const row of rows) {
    const playbook = await playbookOf(row.playbook, row.releaseId);
    for (const template of templatesAhead(playbook, row.step)) {
      if (!missing.has(template)) continue;
      const key = `${template}\n${row.version}`;
      const known = needed.get(key);
      needed.set(key, {
        template,
        playbook: row.playbook,
        version: row.version,
        enrolments: row.enrolments + (known?.enrolments ?? 0),
        customers: [...(known?.customers ?? []), ...row.customers].slice(0, 5),
      });
    }
  }
  return [...needed.values()];
}
