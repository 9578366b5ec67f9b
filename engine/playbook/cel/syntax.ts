/** The only file that knows the CEL library: it lends us its parser; types and evaluation are our own. */
import { Environment, ParseError } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';

export type BinaryOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

interface Place {
  /** Offsets in the source, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A CEL expression as the rest of this folder sees it. */
export type Expression = Place &
  (
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
    | {
        readonly op: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
  );

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

function literal(node: ASTNode, value: unknown): Expression {
  const place = { start: node.start, end: node.end };
  if (value === null || typeof value === 'string' || typeof value === 'boolean')
    return { ...place, op: 'literal', value };
  if (typeof value === 'number' || typeof value === 'bigint') return { ...place, op: 'literal', value: Number(value) };
  if (value instanceof Uint8Array)
    throw new ExpressionSyntaxError('conditions have no bytes: write plain text', node.start);
  // What is left is the library's unsigned integer; numbers are one type here.
  return { ...place, op: 'literal', value: Number(value) };
}

function convertAll(nodes: readonly ASTNode[], depth: number): readonly Expression[] {
  return nodes.map((node) => convert(node, depth));
}

function convert(node: ASTNode, depth: number): Expression {
  if (depth > DEEPEST) throw new ExpressionSyntaxError(TOO_DEEP, node.start);
  const below = depth + 1;
  const place = { start: node.start, end: node.end };
  switch (node.op) {
    case 'value':
      return literal(node, node.args);
    case 'id':
      return { ...place, op: 'name', name: node.args };
    case '.':
      return { ...place, op: 'field', of: convert(node.args[0], below), field: node.args[1] };
    case '[]':
      return { ...place, op: 'index', of: convert(node.args[0], below), at: convert(node.args[1], below) };
    case 'call':
      return { ...place, op: 'call', name: node.args[0], args: convertAll(node.args[1], below) };
    case 'rcall':
      return {
        ...place,
        op: 'method',
        name: node.args[0],
        on: convert(node.args[1], below),
        args: convertAll(node.args[2], below),
      };
    case 'list':
      return { ...place, op: 'list', items: convertAll(node.args, below) };
    case 'map':
      return {
        ...place,
        op: 'map',
        entries: node.args.map(([key, value]) => [convert(key, below), convert(value, below)] as const),
      };
    case '?:':
      return {
        ...place,
        op: 'choice',
        if: convert(node.args[0], below),
        then: convert(node.args[1], below),
        else: convert(node.args[2], below),
      };
    case '&&':
    case '||':
      return {
        ...place,
        op: node.op === '&&' ? 'and' : 'or',
        left: convert(node.args[0], below),
        right: convert(node.args[1], below),
      };
    case '!_':
    case '-_':
      return { ...place, op: node.op === '!_' ? 'not' : 'minus', of: convert(node.args, below) };
    case '.?':
    case '[?]':
      throw new ExpressionSyntaxError(
        'optional access (`.?`) is not needed: a field that is missing is null',
        node.start,
      );
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return {
        ...place,
        op: 'binary',
        operator: node.op,
        left: convert(node.args[0], below),
        right: convert(node.args[1], below),
      };
  }
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
