/** Handlebars syntax trees: their nodes as a union, and how the compiler makes new ones. */

/** A statement, told apart by its `type`. Decorators and inline partials have no other use than to be refused. */
export type Statement =
  | hbs.AST.MustacheStatement
  | hbs.AST.BlockStatement
  | hbs.AST.PartialStatement
  | hbs.AST.PartialBlockStatement
  | hbs.AST.ContentStatement
  | hbs.AST.CommentStatement
  | (hbs.AST.Statement & { readonly type: 'Decorator' | 'DecoratorBlock' });

/** What is left once a mail is put together: fixed text, printed values, blocks. */
export type Part = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.ContentStatement;

/** An expression, told apart by its `type`. */
export type Expression =
  | hbs.AST.PathExpression
  | hbs.AST.SubExpression
  | hbs.AST.StringLiteral
  | hbs.AST.NumberLiteral
  | hbs.AST.BooleanLiteral
  | hbs.AST.UndefinedLiteral
  | hbs.AST.NullLiteral;

const NO_STRIP: hbs.AST.StripFlags = { open: false, close: false };

/** A value written in the template itself. */
export function isLiteral(
  node: Expression,
): node is hbs.AST.StringLiteral | hbs.AST.NumberLiteral | hbs.AST.BooleanLiteral {
  return node.type === 'StringLiteral' || node.type === 'NumberLiteral' || node.type === 'BooleanLiteral';
}

/** The statements of a program; a block without `{{else}}` has no inverse, hence none. */
export function statementsOf(program: hbs.AST.Program | null | undefined): readonly Statement[] {
  return (program?.body ?? []) as readonly hbs.AST.Statement[] as readonly Statement[];
}

/** The same of a tree that was put together by `expand`. */
export function partsOf(tree: hbs.AST.Program | null | undefined): readonly Part[] {
  return (tree?.body ?? []) as readonly hbs.AST.Statement[] as readonly Part[];
}

/** A program of these statements. */
export function program(
  body: readonly Statement[],
  blockParams: readonly string[],
  loc: hbs.AST.SourceLocation,
): hbs.AST.Program {
  return { type: 'Program', body: [...body], blockParams: [...blockParams], loc };
}

/** Fixed text. */
export function content(value: string, loc: hbs.AST.SourceLocation): hbs.AST.ContentStatement {
  return { type: 'ContentStatement', value, original: NO_STRIP, loc };
}

/** A path as the parser would have made it of `@root.…` (data) or a plain name. */
export function path(parts: readonly string[], data: boolean, loc: hbs.AST.SourceLocation): hbs.AST.PathExpression {
  return {
    type: 'PathExpression',
    data,
    depth: 0,
    parts: [...parts],
    original: `${data ? '@' : ''}${parts.join('.')}`,
    loc,
  };
}

/** A text in an argument. */
export function text(value: string, loc: hbs.AST.SourceLocation): hbs.AST.StringLiteral {
  return { type: 'StringLiteral', value, original: value, loc };
}

/** Nothing, as an argument. */
export function nothing(loc: hbs.AST.SourceLocation): hbs.AST.NullLiteral {
  return { type: 'NullLiteral', loc };
}

/** `(helper …)`. */
export function call(
  helper: string,
  params: readonly Expression[],
  loc: hbs.AST.SourceLocation,
): hbs.AST.SubExpression {
  return { type: 'SubExpression', path: path([helper], false, loc), params: [...params], hash: noHash(loc), loc };
}

/** `{{helper …}}`, escaped where the template is. */
export function mustache(
  helper: string,
  params: readonly Expression[],
  loc: hbs.AST.SourceLocation,
): hbs.AST.MustacheStatement {
  return {
    type: 'MustacheStatement',
    path: path([helper], false, loc),
    params: [...params],
    hash: noHash(loc),
    escaped: true,
    strip: NO_STRIP,
    loc,
  };
}

/** `{{#helper … as |names|}}…{{/helper}}`. */
export function block(helper: string, params: readonly Expression[], body: hbs.AST.Program): hbs.AST.BlockStatement {
  return {
    type: 'BlockStatement',
    path: path([helper], false, body.loc),
    params: [...params],
    hash: noHash(body.loc),
    program: body,
    // The parser leaves it out where there is no `{{else}}`, whatever its type says.
    inverse: undefined as unknown as hbs.AST.Program,
    openStrip: NO_STRIP,
    inverseStrip: NO_STRIP,
    closeStrip: NO_STRIP,
    loc: body.loc,
  };
}

function noHash(loc: hbs.AST.SourceLocation): hbs.AST.Hash {
  return { type: 'Hash', pairs: [], loc };
}
