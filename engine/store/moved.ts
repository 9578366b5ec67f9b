/** Rows of enrolments that a deployment moved to another version of their playbook (`in_flight: move`). */
import type { StepNames } from '../playbook/identity.ts';
import type { Json, Playbook } from '../playbook/types.ts';
import type { Queryable } from './database.ts';
import { execute } from './sql.ts';

/** What steps leave behind, one row for each enrolment, step and visit: a step that has one is done. */
export const STEP_TABLES = ['sends', 'tasks', 'webhook_calls', 'coupon_codes'] as const;

/**
 * Renames the steps in what these enrolments have left behind, together with the first writing of the enrolments in
 * their new version: rows always call a step as the version of their enrolment's row does.
 */
export async function renameSteps(
  tx: Queryable,
  enrolments: readonly { readonly enrolmentId: number; readonly renames: StepNames | null }[],
): Promise<void> {
  const rows = enrolments.flatMap(({ enrolmentId, renames }) =>
    Object.entries(renames ?? {}).map(([was, now]) => ({ enrolment_id: enrolmentId, was, now })),
  );
  for (const table of STEP_TABLES) {
    // Two steps may have become one: what the remaining one has left behind counts for both.
    await execute(
      tx,
      rows,
      `update ${table} t set step = r.now from rows r where t.enrolment_id = r.enrolment_id and t.step = r.was
         and not exists (select 1 from ${table} o
           where o.enrolment_id = t.enrolment_id and o.step = r.now and o.visit = t.visit)`,
      'enrolment_id bigint, was text, now text',
    );
  }
}

/** Scores stand in `vars` under the ids of their surveys: under the new ids as well, where those were renamed. */
export function renameScores(
  vars: Readonly<Record<string, Json>>,
  renames: StepNames | null,
  playbook: Playbook,
): Readonly<Record<string, Json>> {
  const moved = Object.entries(renames ?? {}).flatMap(([was, now]) => {
    const score = Object.hasOwn(vars, was) && !Object.hasOwn(vars, now) ? vars[was] : undefined;
    return score === undefined || playbook.steps.get(now)?.kind !== 'survey' ? [] : [[now, score] as const];
  });
  return moved.length === 0 ? vars : { ...vars, ...Object.fromEntries(moved) };
}
