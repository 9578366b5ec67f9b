/** Helpers whose arguments are put into one order when they are checked: `link`, `plural` and `list`. */
import { nearest } from '../playbook/nearest.ts';
import type { Problem } from '../playbook/problem.ts';
import { PLURAL_FORMS } from './format.ts';
import { beginningProblem, formLink } from './link.ts';
import { RenderError } from './scope.ts';
import { type Expression, isLiteral, nothing, text } from './syntax.ts';

/** Stands for an argument of `link` that is written in the template; any other letter for a value. */
export const FIXED = 'f';
const OPEN = 'v';

type Mistake = Pick<Problem, 'code' | 'message' | 'fix'>;

/** A helper's arguments as it takes them at run time, or what is wrong with them. */
export function shapeArguments(
  helper: string,
  values: readonly Expression[],
  named: ReadonlyMap<string, Expression>,
  loc: hbs.AST.SourceLocation,
): readonly Expression[] | Mistake {
  switch (helper) {
    case 'link':
      return linkMistake(values) ?? [text(values.map(letter).join(''), loc), ...values];
    case 'plural':
      return (
        pluralMistake(named) ?? [...values, ...[...named].flatMap(([form, words]) => [text(form, words.loc), words])]
      );
    case 'list': {
      const [items = nothing(loc), kind = nothing(loc)] = values;
      return listMistake(kind) ?? [items, kind, named.get('of') ?? nothing(loc)];
    }
    default:
      return values;
  }
}

function letter(value: Expression): string {
  return isLiteral(value) ? FIXED : OPEN;
}

const LINK_FIX =
  'begin with a value that is a whole address, as in {{link company.website "/orders"}}, or with "https://…/", "mailto:" or "tel:"';

function linkMistake(values: readonly Expression[]): Mistake | null {
  const [first] = values;
  if (first === undefined || !isLiteral(first)) return null;
  const problem = beginningProblem(String(first.value), values.length === 1 || isLiteral(values[1] ?? first));
  if (problem !== null) return { code: 'bad-link', message: problem, fix: LINK_FIX };
  if (!values.every(isLiteral)) return null;
  try {
    formLink(values.map(({ value }) => ({ isFixed: true, value })));
    return null;
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return { code: 'bad-link', message: error.message, fix: LINK_FIX };
  }
}

function pluralMistake(named: ReadonlyMap<string, Expression>): Mistake | null {
  if (named.has('other')) return null;
  const near = [...named.keys()].map((name) => nearest(name, PLURAL_FORMS)).find((name) => name === 'other');
  return {
    code: 'helper-arguments',
    message: 'plural needs words for all other numbers',
    fix: near === undefined ? 'write {{plural customer.orders one="# order" other="# orders"}}' : 'did you mean other?',
  };
}

function listMistake(kind: Expression): Mistake | null {
  if (!isLiteral(kind) || kind.value === 'and' || kind.value === 'or') return null;
  return {
    code: 'helper-arguments',
    message: `list joins by "and" or by "or", not by "${String(kind.value)}"`,
    fix: 'write {{list customer.tags "or"}}; a field of the items is named with of="title"',
  };
}
