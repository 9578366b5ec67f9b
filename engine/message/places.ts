/** Where in its files a mail cannot be written for a customer. */
import { type Place, placeOf } from './parse.ts';
import type { MailScope, RenderError } from './scope.ts';
import { type Expression, type Part, isLiteral, partsOf } from './syntax.ts';
import { failureOf } from './template.ts';

/**
 * The innermost part that fails in the same way when it is printed alone; null where none does. A variable or a helper is used
 * in many places of a mail, and in most of them with success.
 */
export function failingPlace(parts: readonly Part[], error: RenderError, scope: MailScope): Place | null {
  for (const part of parts) {
    if (part.type === 'ContentStatement' || failureOf(part, scope)?.message !== error.message) continue;
    if (part.type === 'MustacheStatement') return useIn(part, error.path) ?? placeOf(part.loc);
    const inside = [...partsOf(part.program), ...partsOf(part.inverse)];
    return failingPlace(inside, error, scope) ?? useIn(part, error.path) ?? placeOf(part.loc);
  }
  return null;
}

/** The compiler gives every value that must be there its name, as the last argument. */
function useIn(call: Pick<hbs.AST.MustacheStatement, 'path' | 'params'>, path: string): Place | null {
  const target = call.path as Expression;
  if (target.type === 'PathExpression' && target.original === path) return placeOf(target.loc);
  for (const param of call.params as Expression[]) {
    if (isLiteral(param) && param.value === path) return placeOf(param.loc);
    const within = param.type === 'SubExpression' ? useIn(param, path) : null;
    if (within !== null) return within;
  }
  return null;
}
