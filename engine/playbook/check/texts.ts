/** Where the texts of a playbook stand that are templates: the engine's templates are checked in another room. */
import type { Report } from '../read/report.ts';
import { allSteps, type LooseStep } from './steps.ts';

/** A text that is a template, and where it begins, from 1. */
export interface TemplateText {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** False where only the place of the whole value is known, in which the text stands. */
  readonly exact: boolean;
}

/** All of a playbook's, in written order. */
export function templateTexts(report: Report, steps: readonly (LooseStep | undefined)[]): readonly TemplateText[] {
  return [...allSteps(steps)].flatMap((step): readonly TemplateText[] => {
    if ('task' in step && step.task?.title !== undefined) {
      const place = report.placeOf(step.task, 'title', 0);
      return [{ text: step.task.title, file: report.file, ...place, exact: true }];
    }
    if (!('webhook' in step) || step.webhook?.body === undefined) return [];
    const place = report.placeOf(step.webhook, 'body', 0);
    return textsIn(step.webhook.body).map((text) => ({ text, file: report.file, ...place, exact: false }));
  });
}

/** The texts of a JSON value, those of its keys left out. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
