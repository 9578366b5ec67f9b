/** The only file that knows the CEL library: it lends us its parser; types and evaluation are our own. */
import { Environment, ParseError } from '@marcbachmann/cel-js';
import type { ASTNode, ASTOperator } from '@marcbachmann/cel-js';

export type BinaryOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

interface Place {
  /** Offsets in the source, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** What an expression is, but for where it stands. */
type Shape =
  | { readonly op: 'literal'; readonly value: string | number | boolean | null }
  | { readonly op: 'name'; readonly name: string }
  | { readonly op: 'field'; readonly of: Expression; readonly field: string }
  | { readonly op: 'index'; readonly of: Expression; readonly at: Expression }
  | { readonly op: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly op: 'method'; readonly name: string; readonly on: Expression; readonly args: readonly Expression[] }
  | { readonly op: 'list'; readonly items: readonly Expression[] }
  | { readonly op: 'map'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly op: 'choice'; readonly if: Expression; readonly then: Expression; readonly else: Expression }
  | { readonly op: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'not' | 'minus'; readonly of: Expression }
  | { readonly op: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression };

/** A CEL expression as the rest of this folder sees it. */
export type Expression = Place & Shape;

/** The text is no CEL, or uses a part of CEL that conditions do not have. `start` is an offset in the source. */
export class ExpressionSyntaxError extends Error {
  readonly code = 'cel-syntax';
  readonly start: number;

  constructor(message: string, start: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExpressionSyntaxError';
    this.start = start;
  }
}

const LIMITS = { maxDepth: 40, maxAstNodes: 2_000, maxListElements: 500, maxMapEntries: 500, maxCallArguments: 8 };
/** The library bounds brackets only; chains of operators nest too, and evaluation goes as deep as they do. */
const DEEPEST = 250;
const TOO_DEEP = 'the condition is too large or nested too deeply';
const environment = new Environment({ unlistedVariablesAreDyn: true, limits: LIMITS });

type Convert = (node: ASTNode) => Expression;
type NodeOf<K extends ASTOperator> = Extract<ASTNode, { readonly op: K }>;

function literal({ args: value, start }: NodeOf<'value'>): Shape {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return { op: 'literal', value };
  if (value instanceof Uint8Array) throw new ExpressionSyntaxError('conditions have no bytes: write plain text', start);
  // Whole numbers, with a sign or without, are the library's own kinds; numbers are one type here.
  return { op: 'literal', value: Number(value) };
}

function binary({ op, args: [left, right] }: NodeOf<BinaryOperator>, of: Convert): Shape {
  return { op: 'binary', operator: op, left: of(left), right: of(right) };
}

function optional({ start }: NodeOf<'.?' | '[?]'>): never {
  throw new ExpressionSyntaxError('optional access (`.?`) is not needed: a field that is missing is null', start);
}

/** How each of the library's nodes becomes one of ours; `of` converts a part. */
const CONVERTERS: { readonly [K in ASTOperator]: (node: NodeOf<K>, of: Convert) => Shape } = {
  value: literal,
  id: ({ args: name }) => ({ op: 'name', name }),
  '.': ({ args: [on, field] }, of) => ({ op: 'field', of: of(on), field }),
  '[]': ({ args: [on, at] }, of) => ({ op: 'index', of: of(on), at: of(at) }),
  '.?': optional,
  '[?]': optional,
  call: ({ args: [name, args] }, of) => ({ op: 'call', name, args: args.map(of) }),
  rcall: ({ args: [name, on, args] }, of) => ({ op: 'method', name, on: of(on), args: args.map(of) }),
  list: ({ args }, of) => ({ op: 'list', items: args.map(of) }),
  map: ({ args }, of) => ({ op: 'map', entries: args.map(([key, value]) => [of(key), of(value)]) }),
  '?:': ({ args: [test, yes, no] }, of) => ({ op: 'choice', if: of(test), then: of(yes), else: of(no) }),
  '&&': ({ args: [left, right] }, of) => ({ op: 'and', left: of(left), right: of(right) }),
  '||': ({ args: [left, right] }, of) => ({ op: 'or', left: of(left), right: of(right) }),
  '!_': ({ args: on }, of) => ({ op: 'not', of: of(on) }),
  '-_': ({ args: on }, of) => ({ op: 'minus', of: of(on) }),
  '==': binary,
  '!=': binary,
  '<': binary,
  '<=': binary,
  '>': binary,
  '>=': binary,
  in: binary,
  '+': binary,
  '-': binary,
  '*': binary,
  '/': binary,
  '%': binary,
};

function convert(node: ASTNode, depth: number): Expression {
  if (depth > DEEPEST) throw new ExpressionSyntaxError(TOO_DEEP, node.start);
  const converter = CONVERTERS[node.op] as (node: ASTNode, of: Convert) => Shape;
  const shape = converter(node, (part) => convert(part, depth + 1));
  return { start: node.start, end: node.end, ...shape };
}

/** The commonest slips, said in the words of the person who made them. */
function explain(error: ParseError, source: string): string {
  const at = error.range?.start ?? 0;
  const rest = source.slice(at);
  if (source.trim() === '') return 'a condition is empty';
  if (error.code === 'limit_exceeded') return TOO_DEEP;
  if (/^=(?!=)/.test(rest)) return 'one `=` compares nothing: use `==`';
  if (/^&(?!&)/.test(rest)) return 'one `&` is no operator: use `&&`';
  if (/^\|(?!\|)/.test(rest)) return 'one `|` is no operator: use `||`';
  if (/^(and|or|not)\b/i.test(rest)) return '`and`, `or`, `not` are written `&&`, `||`, `!`';
  if (error.code === 'unterminated_string') return 'a quoted text does not end';
  if (at >= source.length) return 'the condition ends too early: something is missing at the end';
  const found = /^(\w+|.)/u.exec(rest)?.[0] ?? '';
  return `\`${found}\` cannot stand here in a condition`;
}

/**
 * Parses one CEL expression.
 * Throws `ExpressionSyntaxError` with the offset of the mistake.
 */
export function parseExpression(source: string): Expression {
  try {
    return convert(environment.parse(source).ast, 0);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ExpressionSyntaxError(explain(error, source), error.range?.start ?? 0, { cause: error });
  }
}
