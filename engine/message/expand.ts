/**
 * Makes one checked syntax tree of a mail: its layout, partials and slots put in place, every variable resolved, and
 * whatever is printed guarded, so that a missing value stops the mail. Mistakes become problems, all in one go.
 *
 * 1. A printed value goes through `$print`, an argument of date, money and number through `$need`: null throws there.
 * 2. The variables of a mail (customer, event, …) mean the same everywhere, also inside `each`, `with` and partials.
 * 3. Every helper, variable and partial in the result is known; nothing is looked up by name at run time.
 */
import { nearest } from '../playbook/nearest.ts';
import type { Problem } from '../playbook/problem.ts';
import { type Expansion, type Parsed, type Place, report } from './expansion.ts';
import { BLOCK_HELPERS, NAMING, NEED, PRINT, VALUE_HELPERS } from './helpers.ts';
import { isPlainPath, resolvePath } from './resolve.ts';
import {
  type Expression,
  type Part,
  type Statement,
  block,
  call,
  content,
  isLiteral,
  mustache,
  partsOf,
  program,
  statementsOf,
} from './syntax.ts';

const MAX_STATEMENTS = 20_000;

/** The statements of a parsed text in their final form. */
export function expand(parsed: Parsed, expansion: Expansion): readonly Part[] {
  const place: Place = { parsed, inItem: false, names: new Map(), partials: [], tested: new Set() };
  return statementsOf(parsed.tree).flatMap((statement) => expandStatement(statement, place, expansion));
}

function expandStatement(statement: Statement, place: Place, expansion: Expansion): readonly Part[] {
  expansion.size += 1;
  if (expansion.size > MAX_STATEMENTS) {
    if (expansion.size === MAX_STATEMENTS + 1) {
      report(expansion, place, statement, {
        code: 'too-large',
        message: `the mail has more than ${MAX_STATEMENTS} parts once its partials are put in`,
        fix: 'look for partials that use each other many times over',
      });
    }
    return [];
  }
  switch (statement.type) {
    case 'ContentStatement':
      return [statement];
    case 'CommentStatement':
      return [];
    case 'MustacheStatement':
      return expandMustache(statement, place, expansion);
    case 'BlockStatement':
      return expandBlock(statement, place, expansion);
    case 'PartialStatement':
      return expandPartial(statement, place, expansion);
    case 'PartialBlockStatement':
    case 'Decorator':
    case 'DecoratorBlock':
      report(expansion, place, statement, {
        code: 'not-a-template-form',
        message: 'blocks of partials ({{#> …}}) and decorators ({{* …}}) are not part of the template language',
        fix: 'use a layout, or a partial with parameters: {{> name label="…"}}',
      });
      return [];
  }
}

function expandMustache(node: hbs.AST.MustacheStatement, place: Place, expansion: Expansion): readonly Part[] {
  const target = node.path as Expression;
  const slot = slotOf(target, place, expansion);
  if (slot !== undefined) return fillSlot(slot, node, place, expansion);
  if (!node.escaped) {
    report(expansion, place, node, {
      code: 'raw-output',
      message: 'values are always escaped; three braces and {{& …}} stand only for {{{body}}} in a layout',
      fix: 'write {{…}} with two braces',
    });
    return [];
  }
  if (target.type !== 'PathExpression') {
    report(expansion, place, node, {
      code: 'not-a-variable',
      message: 'expected a variable or a helper',
      fix: 'write fixed text without braces',
    });
    return [];
  }
  if (isHelperCall(target, node, place)) {
    const value = expandCall(target.original, node, place, expansion);
    return value === null ? [] : printed(value, textOf(node.params[0] ?? target), expansion);
  }
  return printed(resolvePath(target, 'printed', place, expansion), textOf(target), expansion);
}

/** What is fixed (a partial's parameter) is written now; the rest is printed for each mail. */
function printed(value: Expression, name: hbs.AST.StringLiteral, expansion: Expansion): readonly Part[] {
  if (!isLiteral(value)) return [mustache(PRINT, [value, name], name.loc)];
  const fixed = String(value.value);
  return [content(expansion.html ? escapeHtml(fixed) : fixed, name.loc)];
}

/** The slot that an expression names, unless a partial's parameter has the name. */
function slotOf(
  node: Expression | undefined,
  place: Place,
  expansion: Expansion,
): { readonly name: string; readonly statements: readonly Part[] } | undefined {
  if (node?.type !== 'PathExpression' || place.names.has(node.original)) return undefined;
  const statements = expansion.slots.get(node.original);
  return statements === undefined ? undefined : { name: node.original, statements };
}

function fillSlot(
  slot: { readonly name: string; readonly statements: readonly Part[] },
  node: hbs.AST.MustacheStatement,
  place: Place,
  expansion: Expansion,
): readonly Part[] {
  if (slot.name === 'body' && node.escaped) {
    report(expansion, place, node, {
      code: 'escaped-body',
      message: '{{body}} would show the mail as source text',
      fix: 'write {{{body}}} with three braces',
    });
    return [];
  }
  expansion.usedSlots.add(slot.name);
  return slot.statements;
}

/** `{{#if subject}}` and the like: known now, since a slot is empty or not. Undefined for other blocks. */
function slotBranch(
  node: hbs.AST.BlockStatement,
  place: Place,
  expansion: Expansion,
): hbs.AST.Program | null | undefined {
  const slot = slotOf(node.params[0] as Expression | undefined, place, expansion);
  if (slot === undefined || !['if', 'unless'].includes(node.path.original)) return undefined;
  return slot.statements.length > 0 === (node.path.original === 'if') ? node.program : (node.inverse ?? null);
}

function expandBlock(node: hbs.AST.BlockStatement, place: Place, expansion: Expansion): readonly Part[] {
  const branch = slotBranch(node, place, expansion);
  if (branch !== undefined) return expandAll(branch, place, expansion);
  const helper = node.path.original;
  if (!BLOCK_HELPERS.has(helper) || node.params.length !== 1) {
    report(expansion, place, node, {
      code: 'unknown-block',
      message: BLOCK_HELPERS.has(helper)
        ? `{{#${helper}}} takes exactly one value`
        : `there is no block helper "${helper}"; there are if, unless, each and with`,
      fix: BLOCK_HELPERS.has(helper)
        ? `write {{#${helper} customer.name}}…{{/${helper}}}`
        : `write {{#if ${helper}}}…{{/if}} to test a value, {{#each ${helper}}}…{{/each}} for a list`,
    });
    return [];
  }
  const param = node.params[0] as Expression;
  const value = expandExpression(param, 'tested', place, expansion);
  const fixed = isLiteral(value) || value.type === 'NullLiteral' ? fixedBranch(node, value) : undefined;
  if (fixed !== undefined) return expandAll(fixed, place, expansion);
  const changesItem = helper === 'each' || helper === 'with';
  const names = node.program?.blockParams ?? [];
  const inside: Place = {
    ...place,
    inItem: place.inItem || changesItem,
    names: new Map([...place.names, ...names.map((name) => [name, null] as const)]),
    tested:
      helper === 'if' && param.type === 'PathExpression' ? new Set([...place.tested, param.original]) : place.tested,
  };
  const body = program(expandAll(node.program, inside, expansion), names, node.loc);
  const expanded = { ...node, params: [value], program: body };
  if (node.inverse === undefined || node.inverse === null) return [expanded];
  return [{ ...expanded, inverse: program(expandAll(node.inverse, place, expansion), [], node.loc) }];
}

function expandPartial(node: hbs.AST.PartialStatement, place: Place, expansion: Expansion): readonly Part[] {
  const target = node.name as Expression;
  const name = target.type === 'PathExpression' ? target.original : null;
  const parsed = name === null ? undefined : expansion.partials.get(name);
  if (name === null || parsed === undefined || node.params.length > 0 || place.partials.includes(name)) {
    report(expansion, place, node, partialProblem(name, parsed, node, expansion));
    return [];
  }
  const params = node.hash?.pairs ?? [];
  const values = params.map(({ value }) => expandExpression(value as Expression, 'tested', place, expansion));
  // A fixed value or a mail's variable takes the parameter's place; what depends on a loop's turn is named at run time.
  const bound = params.map(({ key }, index) => [key, standsAlone(values[index]) ?? null] as const);
  const late = bound.flatMap(([key, value], index) =>
    value === null ? [{ key, value: values[index] as Expression }] : [],
  );
  const inside: Place = {
    parsed,
    inItem: false,
    names: new Map(bound),
    partials: [...place.partials, name],
    tested: new Set(),
  };
  const body = expandAll(parsed.tree, inside, expansion);
  const names = late.map(({ key }) => key);
  return late.length === 0
    ? body
    : [
        block(
          NAMING,
          late.map(({ value }) => value),
          program(body, names, node.loc),
        ),
      ];
}

/** A value that means the same wherever it is written. */
function standsAlone(value: Expression | undefined): Expression | undefined {
  if (value === undefined || isLiteral(value)) return value;
  return value.type === 'PathExpression' && value.data && value.parts[0] === 'root' ? value : undefined;
}

/** The branch that a fixed value takes; undefined for `each` and `with`. */
function fixedBranch(node: hbs.AST.BlockStatement, value: Expression): hbs.AST.Program | null | undefined {
  const helper = node.path.original;
  if (helper !== 'if' && helper !== 'unless') return undefined;
  const holds = isLiteral(value) && Boolean(value.value);
  return holds === (helper === 'if') ? node.program : (node.inverse ?? null);
}

function partialProblem(
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
    return { code: 'unknown-partial', message: `there is no templates/partials/${name}.hbs`, fix };
  }
  if (node.params.length > 0)
    return { code: 'partial-context', message: 'a partial takes named values', fix: `write {{> ${name} label="…"}}` };
  return { code: 'partial-cycle', message: `the partial "${name}" contains itself`, fix: null };
}

function expandAll(tree: hbs.AST.Program | null, place: Place, expansion: Expansion): readonly Part[] {
  return statementsOf(tree).flatMap((statement) => expandStatement(statement, place, expansion));
}

function expandExpression(node: Expression, use: 'tested' | 'needed', place: Place, expansion: Expansion): Expression {
  switch (node.type) {
    case 'PathExpression': {
      if (isPlainPath(node) && !place.names.has(node.original) && VALUE_HELPERS.has(node.original)) {
        return expandCall(node.original, { params: [], hash: undefined, loc: node.loc }, place, expansion) ?? node;
      }
      const value = resolvePath(node, use, place, expansion);
      return use === 'needed' ? call(NEED, [value, textOf(node)], node.loc) : value;
    }
    case 'SubExpression':
      return expandCall(node.path.original, node, place, expansion) ?? node;
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral':
    case 'UndefinedLiteral':
    case 'NullLiteral':
      return node;
  }
}

/** A helper with its arguments; null, with a problem, when there is no such helper or it is given the wrong ones. */
function expandCall(
  helper: string,
  node: {
    readonly params: hbs.AST.Expression[];
    readonly hash: hbs.AST.Hash | undefined;
    readonly loc: hbs.AST.SourceLocation;
  },
  place: Place,
  expansion: Expansion,
): Expression | null {
  const arity = VALUE_HELPERS.get(helper);
  if (arity === undefined) {
    const near = nearest(helper, [...VALUE_HELPERS.keys(), ...BLOCK_HELPERS]);
    const fix = near === null ? null : `did you mean ${near}?`;
    const message = `there is no helper "${helper}"; there are ${[...VALUE_HELPERS.keys()].join(', ')}`;
    report(expansion, place, node, { code: 'unknown-helper', message, fix });
    return null;
  }
  const count = node.params.length;
  if (count < arity.min || count > arity.max || (node.hash?.pairs.length ?? 0) > 0) {
    const wanted = arity.min === arity.max ? `${arity.min}` : `${arity.min} to ${arity.max}`;
    report(expansion, place, node, {
      code: 'helper-arguments',
      message: `${helper} takes ${wanted} values, without names; it has ${count}`,
      fix: EXAMPLES[helper] ?? null,
    });
    return null;
  }
  checkCurrency(helper, node.params as readonly Expression[], place, expansion);
  const use = helper === 'default' || helper === 'eq' ? 'tested' : 'needed';
  const values = (node.params as Expression[]).map((param) => expandExpression(param, use, place, expansion));
  return folded(helper, values, node.loc) ?? call(helper, values, node.loc);
}

/** What `eq` and `default` give is known now where their values are. */
function folded(helper: string, values: readonly Expression[], loc: hbs.AST.SourceLocation): Expression | null {
  const [first, second] = values;
  if (first === undefined || !isLiteral(first)) return null;
  if (helper === 'eq' && second !== undefined && isLiteral(second)) {
    const value = first.value === second.value;
    return { type: 'BooleanLiteral', value, original: value, loc };
  }
  return helper === 'default' && first.value !== '' ? first : null;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  date: 'write {{date customer.birthday "d MMMM"}}',
  money: 'write {{money event.total "GBP"}}',
  number: 'write {{number customer.orders}}',
  default: 'write {{default customer.first_name "there"}}',
  eq: 'write {{#if (eq customer.stage "lapsed")}}',
};

function checkCurrency(helper: string, params: readonly Expression[], place: Place, expansion: Expansion): void {
  const currency = params[1];
  if (helper !== 'money' || currency?.type !== 'StringLiteral' || /^[A-Z]{3}$/i.test(currency.value)) return;
  report(expansion, place, currency, {
    code: 'bad-currency',
    message: `"${currency.value}" is no ISO 4217 currency code`,
    fix: 'write three letters, such as "GBP"',
  });
}

function isHelperCall(target: hbs.AST.PathExpression, node: hbs.AST.MustacheStatement, place: Place): boolean {
  if (node.params.length > 0 || (node.hash?.pairs.length ?? 0) > 0) return true;
  return isPlainPath(target) && !place.names.has(target.original) && VALUE_HELPERS.has(target.original);
}

/** What a message calls an expression. */
function textOf(node: hbs.AST.Expression): hbs.AST.StringLiteral {
  const { loc } = node;
  const original = 'original' in node ? (node as hbs.AST.PathExpression).original : null;
  const inner = node.type === 'SubExpression' ? (node as hbs.AST.SubExpression).path.original : null;
  return { type: 'StringLiteral', value: original ?? inner ?? 'value', original: original ?? '', loc };
}

function escapeHtml(fixed: string): string {
  return fixed.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Fixed text of a subject, put where HTML is read. */
export function escapeContent(statements: readonly Part[]): readonly Part[] {
  return statements.map((statement) => {
    switch (statement.type) {
      case 'ContentStatement':
        return content(escapeHtml(statement.value), statement.loc);
      case 'BlockStatement':
        return { ...statement, ...escapedBranches(statement) };
      case 'MustacheStatement':
        return statement;
    }
  });
}

function escapedBranches(node: hbs.AST.BlockStatement): Pick<hbs.AST.BlockStatement, 'program' | 'inverse'> {
  const escaped = (tree: hbs.AST.Program): hbs.AST.Program =>
    program(escapeContent(partsOf(tree)), tree.blockParams, tree.loc);
  return { program: escaped(node.program), inverse: node.inverse === undefined ? node.inverse : escaped(node.inverse) };
}
