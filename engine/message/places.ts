/** Where in its files a mail uses a value. */
import { type Place, placeOf } from './parse.ts';
import { type Expression, type Part, isLiteral, partsOf } from './syntax.ts';

/**
 * Where a variable or helper, as an error names it, is first used; null where it is not. The compiler gives every value
 * that must be there its name, as the last argument.
 */
export function firstUse(parts: readonly Part[], path: string): Place | null {
  for (const part of parts) {
    if (part.type === 'ContentStatement') continue;
    const found = useIn(part, path) ?? inBranches(part, path);
    if (found !== null) return found;
  }
  return null;
}

function inBranches(part: Part, path: string): Place | null {
  if (part.type !== 'BlockStatement') return null;
  return firstUse(partsOf(part.program), path) ?? firstUse(partsOf(part.inverse), path);
}

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
