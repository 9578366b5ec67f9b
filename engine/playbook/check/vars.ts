/** What the steps of a playbook put into `vars`, so that conditions and templates are checked against it. */
import type { DeclaredType, Fields } from '../cel/context.ts';
import { allSteps, type LooseStep } from './steps.ts';

const CODE: Fields = new Map<string, DeclaredType>([['code', 'string']]);
const SCORE: Fields = new Map<string, DeclaredType>([['score', 'number']]);

/** The records in `vars` by name: `vars.ID.score` of a survey, `vars.AS.code` of a coupon. Other names may be given by hand. */
export function varRecords(steps: readonly (LooseStep | undefined)[]): ReadonlyMap<string, Fields> {
  const records = new Map<string, Fields>();
  let surveys = 0;
  for (const step of allSteps(steps)) {
    if ('coupon' in step && step.coupon?.as !== undefined) records.set(step.coupon.as, CODE);
    if (!('survey' in step)) continue;
    surveys += 1;
    records.set(step.id ?? `survey-${surveys}`, SCORE);
  }
  return records;
}
