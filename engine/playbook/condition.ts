import { check } from './cel/check.ts';
import type { ConditionEnv, ConditionError } from './cel/context.ts';
import { ExpressionSyntaxError, parseExpression } from './cel/syntax.ts';
import { describeType, mayBe } from './cel/type.ts';
import type { Condition } from './types.ts';

export type { ConditionEnv, ConditionError, DeclaredType, Fields } from './cel/context.ts';

/** Longest source of a condition, in characters. */
const LONGEST = 4_000;

/** A compiled condition, or everything that is wrong with it. */
export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly errors: readonly ConditionError[] };

const NO_LOCALS: unknown[] = [];

function refused(
  code: ConditionError['code'],
  message: string,
  start = 0,
  fix: string | null = null,
): CompiledCondition {
  return { ok: false, errors: [{ code, message, fix, start }] };
}

/**
 * Checks and compiles one CEL condition for its place in a playbook (docs/playbooks.md: the null rule,
 * one type of number). The compiled condition never throws, whatever the customer's data.
 */
export function compileCondition(source: string, env: ConditionEnv): CompiledCondition {
  if (source.length > LONGEST) return refused('cel-syntax', `a condition has at most ${LONGEST} characters`);
  try {
    const { checked, errors, reads, usesTime, localCount } = check(parseExpression(source), env);
    if (errors.length > 0) return { ok: false, errors };
    if (checked.type.kind === 'null' || !mayBe(checked.type, 'boolean')) {
      return refused('cel-type', `a condition is true or false, this is ${describeType(checked.type)}`);
    }
    const { run } = checked;
    const condition: Condition = {
      source,
      test:
        localCount === 0
          ? (scope) => run(scope, NO_LOCALS) === true
          : (scope) => run(scope, Array.from({ length: localCount })) === true,
      usesTime,
      reads,
    };
    return { ok: true, condition };
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return refused('cel-syntax', error.message, error.start);
    throw error;
  }
}
