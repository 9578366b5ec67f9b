/** Partials: which values can take a parameter's place, and what is wrong where one cannot be put in. */
import { nearest } from '../playbook/nearest.ts';
import type { Problem } from '../playbook/problem.ts';
import type { Expansion, Parsed } from './expansion.ts';
import { type Expression, isLiteral } from './syntax.ts';

/** A value that means the same wherever it is written. */
export function standsAlone(value: Expression | undefined): Expression | undefined {
  if (value === undefined || isLiteral(value)) return value;
  return value.type === 'PathExpression' && value.data && value.parts[0] === 'root' ? value : undefined;
}

/** Why a partial cannot be put in. */
export function partialProblem(
  name: string | null,
  parsed: Parsed | undefined,
  node: hbs.AST.PartialStatement,
  { partials }: Expansion,
): Pick<Problem, 'code' | 'message' | 'fix'> {
  if (name === null)
    return {
      code: 'unknown-partial',
      message: 'a partial is named, not computed',
      fix: 'use {{#if}} around {{> name}}',
    };
  if (parsed === undefined) {
    const near = nearest(name, [...partials.keys()]);
    const fix = near === null ? `make templates/partials/${name}.hbs` : `did you mean {{> ${near}}}?`;
    return { code: 'unknown-partial', message: `there is no partial templates/partials/${name}.hbs`, fix };
  }
  if (node.params.length > 0)
    return { code: 'partial-context', message: 'a partial takes named values', fix: `write {{> ${name} label="…"}}` };
  return { code: 'partial-cycle', message: `the partial "${name}" contains itself`, fix: null };
}
