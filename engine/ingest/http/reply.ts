/** What the intake answers: JSON, the same for all calls. */
import type { InputProblem } from '../problem.ts';
import type { IgnoredTrait } from '../traits.ts';
import type { UndeclaredEvent } from '../validate.ts';
import type { Failure } from './failure.ts';
import type { Taken } from './intake.ts';

/** A call that is stored. */
export interface Answer {
  readonly ok: true;
  /** The event's id, or the customer's for an identify. */
  readonly id: string;
  /** The event was known before and counts once. Left out otherwise. */
  readonly duplicate?: true;
  /** Traits that were left out, and why. Left out when there are none. */
  readonly ignored?: readonly IgnoredTrait[];
  /** The event is not declared in perennial.yaml; it is stored all the same. Left out otherwise. */
  readonly undeclared?: UndeclaredEvent;
}

/** A call or request that is not stored. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    /** Where in the call, e.g. `properties.total`. */
    readonly path?: string;
    readonly expected?: string;
    /** All that is wrong, where it is more than one thing. */
    readonly problems?: readonly InputProblem[];
  };
}

/** The answer to a call that is stored. */
export function answerOf(taken: Taken & { readonly ok: true }): Answer {
  return {
    ok: true,
    id: taken.id,
    ...(taken.duplicate ? { duplicate: true } : {}),
    ...(taken.ignored.length > 0 ? { ignored: taken.ignored } : {}),
    ...(taken.undeclared === null ? {} : { undeclared: taken.undeclared }),
  };
}

/** The answer to a call that is not stored. `place` is its place in a batch, from 0. */
export function errorOf(taken: Taken & { readonly ok: false }, place?: number): ErrorBody {
  if ('rejected' in taken) return { error: { ...taken.rejected, ...pathOf('', place) } };
  const [first] = taken.problems;
  if (first === undefined) throw new Error('a call was refused without a reason');
  const { code, message, path, expected } = first;
  return {
    error: {
      code,
      message,
      ...pathOf(path, place),
      ...(expected === null ? {} : { expected }),
      ...(taken.problems.length > 1 ? { problems: taken.problems } : {}),
    },
  };
}

/** The answer to a request that failed as a whole. */
export function errorBody(failure: Failure): ErrorBody {
  const { code, message, expected } = failure;
  return { error: { code, message, ...(expected === null ? {} : { expected }) } };
}

function pathOf(path: string, place: number | undefined): { readonly path?: string } {
  if (place === undefined) return path === '' ? {} : { path };
  return { path: path === '' ? `batch[${place}]` : `batch[${place}].${path}` };
}
