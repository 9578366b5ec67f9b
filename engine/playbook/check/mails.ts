/** Which templates the steps of a playbook send, and where they name them. */
import type { Report } from '../read/report.ts';
import { allSteps, type LooseStep } from './steps.ts';

/** A template that a step sends. */
export interface NamedMail {
  readonly template: string;
  readonly kind: 'email' | 'survey';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** All of a playbook's, in written order. */
export function namedMails(report: Report, steps: readonly (LooseStep | undefined)[]): readonly NamedMail[] {
  const { file } = report;
  return [...allSteps(steps)].flatMap((step): readonly NamedMail[] => {
    if ('survey' in step && step.survey?.email !== undefined) {
      const place = report.placeOf(step.survey, 'email');
      return [{ template: step.survey.email, kind: 'survey', file, ...place }];
    }
    if (!('email' in step) || step.email === undefined) return [];
    return [{ template: step.email, kind: 'email', file, ...report.placeOf(step, 'email') }];
  });
}
