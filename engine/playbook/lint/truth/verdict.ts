import { type Expression, ExpressionSyntaxError, parseExpression } from '../../cel/syntax.ts';
import { type Assignment, type Formula, formulaOf, type Variables } from './formula.ts';
import { keyOf, type Value, valuesOf, type World } from './variable.ts';

/** What can be said of a condition without knowing a customer. */
export type Verdict = 'never' | 'always' | 'sometimes';

/** A condition with more combinations of values than this is not judged. */
const MOST_COMBINATIONS = 5_000;

/** Several rules ask about the same condition: what was read and judged is kept, so many at most. */
const MOST_KEPT = 5_000;
const read = new Map<string, Expression | null>();
const judged = new WeakMap<World, WeakMap<Expression, Verdict>>();

/** The condition as an expression, the same one for the same text; null for one that is none (said at its place already). */
export function parsed(source: string | undefined): Expression | null {
  if (source === undefined) return null;
  const known = read.get(source);
  if (known !== undefined) return known;
  if (read.size >= MOST_KEPT) read.clear();
  const found = tryParse(source);
  read.set(source, found);
  return found;
}

function tryParse(source: string): Expression | null {
  try {
    return parseExpression(source);
  } catch (error) {
    if (error instanceof ExpressionSyntaxError) return null;
    throw error;
  }
}

/** All combinations of values of the variables; null where there are too many to look at. */
function combinations(variables: Variables, world: World): Iterable<Assignment> | null {
  const all = [...variables].map(([key, { node, mentions }]) => [key, valuesOf(node, mentions, world)] as const);
  const count = all.reduce((product, [, values]) => product * values.length, 1);
  return count > MOST_COMBINATIONS ? null : assignments(all, new Map());
}

/** One map for all, so that a yielded one counts until the next. */
function* assignments(
  all: readonly (readonly [string, readonly Value[]])[],
  values: Map<string, Value>,
  depth = 0,
): Generator<Assignment> {
  const variable = all[depth];
  if (variable === undefined) {
    yield values;
    return;
  }
  const [key, possible] = variable;
  for (const value of possible) {
    values.set(key, value);
    yield* assignments(all, values, depth + 1);
  }
}

/** Whether there may be a customer for whom all of these hold at one moment and none of those. */
export function canHold(all: readonly Expression[], none: readonly Expression[], world: World): boolean {
  const variables: Variables = new Map();
  const wanted: readonly Formula[] = all.map((node) => formulaOf(node, variables));
  const refused: readonly Formula[] = none.map((node) => formulaOf(node, variables));
  const found = combinations(variables, world);
  if (found === null) return true;
  for (const values of found)
    if (wanted.every((formula) => formula(values)) && !refused.some((formula) => formula(values))) return true;
  return false;
}

/** Whether a condition can be true, and whether it can be anything else. */
export function verdictOf(node: Expression, world: World): Verdict {
  let known = judged.get(world);
  if (known === undefined) {
    known = new WeakMap();
    judged.set(world, known);
  }
  const verdict = known.get(node) ?? judge(node, world);
  known.set(node, verdict);
  return verdict;
}

function judge(node: Expression, world: World): Verdict {
  if (!canHold([node], [], world)) return 'never';
  return canHold([], [node], world) ? 'sometimes' : 'always';
}

/**
 * Whether a change of one part alone can turn a condition from `from` to the opposite: of a field to a value, or of a
 * membership (`'vip' in customer.tags`) to true or false. What is not understood counts as no.
 */
export function canTurn(
  condition: Expression,
  change: { readonly part: Expression; readonly to: Value },
  from: boolean,
  world: World,
): boolean {
  const variables: Variables = new Map();
  const formula = formulaOf(condition, variables);
  const own = keyOf(change.part);
  const key = [own, `? ${own}`].find((candidate) => variables.has(candidate));
  const found = key === undefined ? null : combinations(variables, world);
  if (key === undefined || found === null) return false;
  for (const before of found)
    if (formula(before) === from && formula(new Map(before).set(key, change.to)) !== from) return true;
  return false;
}
