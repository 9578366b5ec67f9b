/** The most mails that one customer can get from one playbook within a rolling span, along its worst path. */
import { DAY_MS } from '../../time/calendar.ts';
import type { Duration } from '../../time/types.ts';
import type { CheckedText } from '../checked.ts';
import type { StepSource } from '../schema.ts';
import { guardOf, type Steps } from './steps.ts';

/** More are counted as so many. */
export const MOST_COUNTED = 100;

type Span = Omit<Duration, 'text'>;

/** Least time since the first of so many mails, by their number. */
type Reached = ReadonlyMap<number, Span>;

const NOTHING: Span = { months: 0, days: 0, ms: 0 };
const SHORTEST_MONTH = 28;
const LONGEST_MONTH = 31;

function msOf({ months, days, ms }: Span, monthDays: number): number {
  return (months * monthDays + days) * DAY_MS + ms;
}

/** Whether so little time may pass that both ends lie in one span; a mail exactly `per` ago counts no more. */
function isWithin(elapsed: Span, per: Span): boolean {
  if (elapsed.months >= per.months && elapsed.days >= per.days && elapsed.ms >= per.ms) return false;
  return msOf(elapsed, SHORTEST_MONTH) < msOf(per, LONGEST_MONTH);
}

function merged(...all: readonly Reached[]): Reached {
  const found = new Map<number, Span>();
  for (const reached of all) {
    for (const [count, elapsed] of reached) {
      const known = found.get(count);
      if (known === undefined || msOf(elapsed, SHORTEST_MONTH) < msOf(known, SHORTEST_MONTH)) found.set(count, elapsed);
    }
  }
  return found;
}

/** One walk over a playbook: from each mail on, and from those before it, at once. */
class Walk {
  most = 0;
  readonly #per: Span;
  readonly #counts: (step: StepSource) => boolean;

  constructor(per: Span, counts: (step: StepSource) => boolean) {
    this.#per = per;
    this.#counts = counts;
  }

  list(steps: Steps | undefined, before: Reached): Reached {
    let reached = before;
    for (const step of steps ?? []) {
      const after = this.#step(step, reached);
      if (after === null) return new Map();
      reached = guardOf(step) === undefined ? after : merged(reached, after);
    }
    return reached;
  }

  /** What comes after a step; null: nothing does. */
  #step(step: StepSource, before: Reached): Reached | null {
    if ('exit' in step) return step.if === undefined ? null : before;
    if ('email' in step) return this.#counts(step) ? this.#mail(before) : before;
    if ('wait' in step)
      return 'kind' in step.wait && step.wait.kind === 'for' ? this.#later(before, step.wait.duration) : before;
    if ('choose' in step) {
      const isOpen = !step.choose.some((arm) => 'otherwise' in arm);
      return merged(...step.choose.map((arm) => this.list(arm.steps, before)), isOpen ? before : new Map());
    }
    if ('split' in step) return merged(...Object.values(step.arms).map((arm) => this.list(arm.steps, before)));
    if ('wait_for' in step) return this.#branches(step, before, step.wait_for.up_to);
    if ('survey' in step)
      return this.#branches(step, this.#counts(step) ? this.#mail(before) : before, step.survey.up_to);
    return 'then' in step ? merged(this.list(step.then, before), this.list(step.else, before)) : before;
  }

  #branches(
    step: { readonly then?: Steps | undefined; readonly else?: Steps | undefined },
    before: Reached,
    upTo: Span,
  ): Reached {
    return merged(this.list(step.then, before), this.list(step.else, this.#later(before, upTo)));
  }

  #mail(before: Reached): Reached {
    const after = new Map<number, Span>([[1, NOTHING]]);
    for (const [count, elapsed] of before) if (count < MOST_COUNTED) after.set(count + 1, elapsed);
    this.most = Math.max(this.most, ...after.keys());
    return after;
  }

  #later(before: Reached, by: Span): Reached {
    const after = new Map<number, Span>();
    for (const [count, { months, days, ms }] of before) {
      const elapsed = { months: months + by.months, days: days + by.days, ms: ms + by.ms };
      if (isWithin(elapsed, this.#per)) after.set(count, elapsed);
    }
    return after;
  }
}

/**
 * The most mails within any such span along one path of one enrolment, up to {@link MOST_COUNTED}. Waits for an hour, a
 * weekday or a date count as nothing, conditions as true and false at once: it is the worst case.
 */
export function mostMails({ source }: CheckedText, per: Duration, counts: (step: StepSource) => boolean): number {
  const walk = new Walk(per, counts);
  walk.list(source.steps, new Map());
  return walk.most;
}
