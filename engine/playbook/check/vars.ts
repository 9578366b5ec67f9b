/** What the steps of a playbook put into `vars`, so that conditions and templates are checked against it. */
import type { DeclaredType, Fields } from '../cel/context.ts';
import type { Declarations } from '../declarations.ts';
import { allSteps, type LooseStep } from './steps.ts';

const CODE: Fields = new Map<string, DeclaredType>([['code', 'string']]);

/**
 * The records in `vars` by name: `vars.ID.score` of a survey, `vars.AS.code` of a coupon, and of every mail what its reader did,
 * as far as that is recorded. Other names may be given by hand.
 */
export function varRecords(
  steps: readonly (LooseStep | undefined)[],
  tracked: Declarations['tracked'],
): ReadonlyMap<string, Fields> {
  const done = [...tracked].map((name): [string, DeclaredType] => [name, 'boolean']);
  const records = new Map<string, Fields>();
  let surveys = 0;
  for (const step of allSteps(steps)) {
    if ('coupon' in step && step.coupon?.as !== undefined) records.set(step.coupon.as, CODE);
    if ('email' in step && step.email !== undefined) {
      records.set(step.id ?? step.email.split('/').at(-1) ?? step.email, new Map(done));
    }
    if (!('survey' in step)) continue;
    surveys += 1;
    records.set(step.id ?? `survey-${surveys}`, new Map<string, DeclaredType>([['score', 'number'], ...done]));
  }
  return records;
}
