/** Which templates the steps of a playbook send, and where they name them. */
import type { Report } from '../read/report.ts';
import { allSteps, type LooseStep } from './steps.ts';

/** A template that a step sends. */
export interface NamedMail {
  readonly template: string;
  readonly kind: 'email' | 'survey';
  /** The step's own topic, else the playbook's; null where neither has one. */
  readonly topic: string | null;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** All of a playbook's, in written order. @param topic the playbook's own. */
export function namedMails(
  report: Report,
  steps: readonly (LooseStep | undefined)[],
  topic: string | null,
): readonly NamedMail[] {
  const { file } = report;
  return [...allSteps(steps)].flatMap((step): readonly NamedMail[] => {
    if ('survey' in step && step.survey?.email !== undefined) {
      const place = report.placeOf(step.survey, 'email');
      return [{ template: step.survey.email, kind: 'survey', topic, file, ...place }];
    }
    if (!('email' in step) || step.email === undefined) return [];
    const place = report.placeOf(step, 'email');
    return [{ template: step.email, kind: 'email', topic: step.topic ?? topic, file, ...place }];
  });
}
