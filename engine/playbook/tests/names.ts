/** By what names the lines of a playbook can be called in a test. */
import type { Playbook, Step } from '../types.ts';
import type { LineKind } from './types.ts';

/** What a step is called in a test: its id, and the template, question, tag, address or pool that it is about. */
export function namesOfStep(step: Step): readonly string[] {
  if ('url' in step) return [step.id, step.url];
  if ('pool' in step) return [step.id, step.pool];
  const ask = 'ask' in step ? [step.ask] : [];
  if ('template' in step) return [step.id, step.template, ...ask];
  return 'tag' in step ? [step.id, step.tag] : [step.id];
}

/** The reasons for which enrolments of a playbook can end early. */
function exitReasons(playbook: Playbook): readonly string[] {
  const steps = [...playbook.steps.values()];
  return [
    ...(playbook.entry.ifActive === 'restart' ? ['restart'] : []),
    ...playbook.exits.map((exit) => (exit.kind === 'event' ? `event ${exit.event}` : 'condition')),
    ...steps.flatMap((step) => (step.kind === 'exit' ? [step.reason] : [])),
    ...steps.flatMap((step) => (step.kind === 'wait' && step.wait.kind === 'field' ? ['past'] : [])),
  ];
}

/**
 * All that a line of a kind can be about in a playbook; null for kinds that are about nothing.
 * An empty list: the playbook has no such step.
 */
export function namesOfKind(playbook: Playbook, kind: LineKind): readonly string[] | null {
  const steps = [...playbook.steps.values()];
  switch (kind) {
    case 'enrol':
    case 'goal':
    case 'complete':
    case 'refused':
      return null;
    case 'exit':
      return exitReasons(playbook);
    case 'skip':
      return steps.flatMap(namesOfStep);
    case 'email':
      return steps.flatMap((step) => (step.kind === 'email' ? [step.template] : []));
    case 'set':
    case 'tag':
    case 'untag':
    case 'task':
    case 'webhook':
    case 'survey':
    case 'coupon':
      return steps.filter((step) => (step.kind as string) === kind).flatMap(namesOfStep);
  }
}
