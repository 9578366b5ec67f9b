/**
 * Makes one checked syntax tree of a mail: its layout, partials and slots put in place, every variable resolved, and
 * whatever is printed guarded, so that a missing value stops the mail. Mistakes become problems, all in one go.
 *
 * 1. A printed value goes through `$print`, an argument of date, money and number through `$need`: null throws there.
 * 2. The variables of a mail (customer, event, …) mean the same everywhere, also inside `each`, `with` and partials.
 * 3. Every helper, variable and partial in the result is known; nothing is looked up by name at run time.
 */
import type { Problem } from '../playbook/problem.ts';
import { expandCall, expandExpression, isHelperCall, textOf } from './calls.ts';
import { type Expansion, type Parsed, type Place, askedName, report } from './expansion.ts';
import { BLOCK_HELPERS, NAMING, PRINT } from './helpers.ts';
import { partialProblem, standsAlone } from './partials.ts';
import { resolvePath } from './resolve.ts';
import { escapeHtml, fillSlot, slotBranch, slotOf } from './slots.ts';
import {
  type Expression,
  type Part,
  type Statement,
  block,
  content,
  isLiteral,
  mustache,
  program,
  statementsOf,
} from './syntax.ts';

const MAX_STATEMENTS = 20_000;

/** The statements of a parsed text in their final form. */
export function expand(parsed: Parsed, expansion: Expansion): readonly Part[] {
  const place: Place = { parsed, inItem: false, names: new Map(), partials: [], tested: new Set(), asked: new Set() };
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

function expandBlock(node: hbs.AST.BlockStatement, place: Place, expansion: Expansion): readonly Part[] {
  const branch = slotBranch(node, place, expansion);
  if (branch !== undefined) return expandAll(branch, place, expansion);
  const helper = node.path.original;
  const problem = blockProblem(node);
  if (problem !== null) {
    report(expansion, place, node, problem);
    return [];
  }
  const param = node.params[0] as Expression;
  const { value, asked } = askFor(param, place, expansion);
  const fixed = isLiteral(value) || value.type === 'NullLiteral' ? fixedBranch(node, value) : undefined;
  if (fixed !== undefined) return expandAll(fixed, place, expansion);
  const changesItem = helper === 'each' || helper === 'with';
  const names = node.program?.blockParams ?? [];
  const inside: Place = {
    ...place,
    inItem: place.inItem || changesItem,
    names: new Map([...place.names, ...names.map((name) => [name, null] as const)]),
    asked: helper === 'unless' ? place.asked : asked,
    tested:
      helper === 'if' && param.type === 'PathExpression' ? new Set([...place.tested, param.original]) : place.tested,
  };
  const body = program(expandAll(node.program, inside, expansion), names, node.loc);
  const expanded = { ...node, params: [value], program: body };
  if (node.inverse === undefined || node.inverse === null) return [expanded];
  const otherwise = helper === 'unless' ? { ...place, asked } : place;
  return [{ ...expanded, inverse: program(expandAll(node.inverse, otherwise, expansion), [], node.loc) }];
}

/** What a block asks, and the variables that are there where the answer is yes. */
function askFor(
  param: Expression,
  place: Place,
  expansion: Expansion,
): { readonly value: Expression; readonly asked: ReadonlySet<string> } {
  const reads = new Set<string>();
  const value = expandExpression(param, 'tested', place, { ...expansion, reads });
  for (const name of reads) expansion.reads.add(name);
  return { value, asked: new Set([...place.asked, ...[...reads].map((name) => askedName(name.split('.')))]) };
}

function blockProblem(node: hbs.AST.BlockStatement): Pick<Problem, 'code' | 'message' | 'fix'> | null {
  const helper = node.path.original;
  if (!BLOCK_HELPERS.has(helper)) {
    const fix = `write {{#if ${helper}}}…{{/if}} to test a value, {{#each ${helper}}}…{{/each}} for a list`;
    return {
      code: 'unknown-block',
      message: `there is no block helper "${helper}"; there are if, unless, each and with`,
      fix,
    };
  }
  if (node.params.length === 1 && (node.hash?.pairs.length ?? 0) === 0) return null;
  const fix = `write {{#${helper} customer.name}}…{{/${helper}}}`;
  return { code: 'helper-arguments', message: `{{#${helper}}} takes exactly one value, without a name`, fix };
}

function expandPartial(node: hbs.AST.PartialStatement, place: Place, expansion: Expansion): readonly Part[] {
  const target = node.name as Expression;
  const name = target.type === 'PathExpression' ? target.original : null;
  const parsed = name === null ? undefined : expansion.partials.get(name);
  if (parsed !== undefined && !('tree' in parsed)) {
    // Told of its own file once; here it only keeps this mail from being taken for whole.
    expansion.problems.push(parsed);
    return [];
  }
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
    asked: place.asked,
  };
  const body = expandAll(parsed.tree, inside, expansion);
  const names = late.map(({ key }) => key);
  const given = late.map(({ value }) => value);
  return late.length === 0 ? body : [block(NAMING, given, program(body, names, node.loc))];
}

/** The branch that a fixed value takes; undefined for `each` and `with`. */
function fixedBranch(node: hbs.AST.BlockStatement, value: Expression): hbs.AST.Program | null | undefined {
  const helper = node.path.original;
  if (helper !== 'if' && helper !== 'unless') return undefined;
  const holds = isLiteral(value) && Boolean(value.value);
  return holds === (helper === 'if') ? node.program : (node.inverse ?? null);
}

function expandAll(tree: hbs.AST.Program | null, place: Place, expansion: Expansion): readonly Part[] {
  return statementsOf(tree).flatMap((statement) => expandStatement(statement, place, expansion));
}
