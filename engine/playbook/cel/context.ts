import type { FieldType, Scope } from '../types.ts';
import type { Expression } from './syntax.ts';
import { ANY, type ValueType } from './type.ts';

/** What a field is declared as; `any` where a record's fields differ in type from one file to the next. */
export type DeclaredType = FieldType | 'any';

/** Declared fields by name. */
export type Fields = ReadonlyMap<string, DeclaredType>;

/** What a condition may see at its place in a playbook. Null: not there. */
export interface ConditionEnv {
  readonly customer: Fields;
  /** The event's name and data; `fields: null` where the event is declared nowhere, so that anything may be in it. */
  readonly event: { readonly name: string; readonly fields: Fields | null } | null;
  readonly launch: Fields | null;
  /** `trigger.count` and `trigger.date`. */
  readonly trigger: boolean;
  readonly vars: boolean;
  /** What is known of records in `vars`, by name. Other names are of any type. */
  readonly varRecords?: ReadonlyMap<string, Fields>;
  /** Whether `customer.stage` depends on the time. Null: no stage here (a stage cannot be defined by the stage). */
  readonly stage: { readonly usesTime: boolean } | null;
}

/** A mistake in a condition. Offsets are in its source. */
export interface ConditionError {
  readonly code: 'cel-syntax' | 'cel-type' | 'cel-unknown';
  readonly message: string;
  readonly fix: string | null;
  readonly start: number;
}

/** Computes an expression's value. `locals` holds the variables of `exists`, `all`, `map`, `filter` by number. */
export type Run = (scope: Scope, locals: unknown[]) => unknown;

/** An expression that was checked. */
export interface Checked {
  readonly type: ValueType;
  readonly run: Run;
}

/** A local variable of `exists` and the like. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** What checking one condition gathers, and how parts of it check their own parts. */
export interface Checking {
  readonly env: ConditionEnv;
  readonly errors: ConditionError[];
  readonly reads: Set<string>;
  readonly locals: Map<string, Local>;
  usesTime: boolean;
  localCount: number;
  check(expression: Expression): Checked;
}

/** What a part with a mistake counts as, so that the rest is still checked and nothing is reported twice. */
const UNKNOWN: Checked = { type: ANY, run: () => null };

/** Notes a mistake and goes on. */
export function fail(
  checking: Checking,
  at: number,
  code: ConditionError['code'],
  message: string,
  fix: string | null = null,
): Checked {
  checking.errors.push({ code, message, fix, start: at });
  return UNKNOWN;
}

/** The hint for a misspelt name. */
export function didYouMean(name: string | null): string | null {
  return name === null ? null : `did you mean \`${name}\`?`;
}
