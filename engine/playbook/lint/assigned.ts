/** Which `vars` have a value at each step, whatever way led there. */
import type { CheckedText } from '../checked.ts';
import type { StepSource } from '../schema.ts';
import { guardOf, idOf, type Steps } from './steps.ts';

type Names = ReadonlySet<string>;

/** Null: nobody comes out. */
type After = Names | null;

function both(a: After, b: After): After {
  if (a === null || b === null) return a ?? b;
  return new Set([...a].filter((name) => b.has(name)));
}

function plus(names: Names, name: string): Names {
  return new Set([...names, name]);
}

/** The names of `vars` that are surely set when a step is reached. */
export function assignedAt(text: CheckedText): ReadonlyMap<object, Names> {
  const found = new Map<object, Names>();
  const walkList = (steps: Steps | undefined, before: Names): After => {
    let names: After = before;
    for (const step of steps ?? []) {
      if (names === null) return null;
      found.set(step, names);
      const after: After = walkStep(step, names);
      names = guardOf(step) === undefined ? after : both(names, after);
    }
    return names;
  };
  const walkStep = (step: StepSource, before: Names): After => {
    if ('exit' in step) return null;
    if ('coupon' in step) return plus(before, step.coupon.as);
    if ('choose' in step) {
      const isOpen = !step.choose.some((arm) => 'otherwise' in arm);
      return step.choose.map((arm) => walkList(arm.steps, before)).reduce<After>(both, isOpen ? before : null);
    }
    if ('split' in step)
      return Object.values(step.arms)
        .map((arm) => walkList(arm.steps, before))
        .reduce(both, null);
    if ('survey' in step) {
      const answered = walkList(step.then, plus(before, idOf(text, step)));
      // One whose mail is skipped takes neither way.
      return both(both(answered, walkList(step.else, before)), before);
    }
    if ('then' in step || 'wait_for' in step) return both(walkList(step.then, before), walkList(step.else, before));
    return before;
  };
  walkList(text.source.steps, new Set());
  return found;
}
