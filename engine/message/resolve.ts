/** Variables of templates: which one a path means, whether it exists, and whether it may be used so. */
import { nearest } from '../playbook/nearest.ts';
import { type Expansion, type Place, type Use, noteRead, report } from './expansion.ts';
import type { FieldType } from '../playbook/types.ts';
import type { Shape } from './known.ts';
import { type Expression, nothing, path } from './syntax.ts';

/** `@index` and its like: what a loop says about its turn. */
const LOOP_DATA: ReadonlySet<string> = new Set(['index', 'key', 'first', 'last']);

/** A name alone, without `../`, `this.`, `@` or dots. */
export function isPlainPath(node: hbs.AST.PathExpression): boolean {
  return !node.data && node.depth === 0 && node.parts.length === 1 && node.original === node.parts[0];
}

/**
 * The expression that a path stands for. A mail's variables are read from the root wherever they are named; what is
 * no variable, item, given name or loop data is a problem.
 */
export function resolvePath(node: hbs.AST.PathExpression, use: Use, place: Place, expansion: Expansion): Expression {
  const parts = node.data && node.parts[0] === 'root' ? node.parts.slice(1) : node.parts;
  const [first] = parts;
  if (node.data && parts === node.parts) return loopData(node, place, expansion);
  const ofItem = /^(this\b|\.\/|\.$)/.test(node.original);
  if (first !== undefined && !ofItem && !(place.names.has(first) && node.depth === 0) && expansion.known.has(first)) {
    noteRead(expansion, parts, use, place);
    checkFields(node, parts, use, place, expansion);
    return path(['root', ...parts], true, node.loc);
  }
  const given = first === undefined || ofItem || node.depth > 0 ? undefined : place.names.get(first);
  if (given !== undefined) return given === null ? node : ofParameter(node, given, use, place, expansion);
  if (place.inItem) return node;
  if (ofItem || node.depth > 0 || first === undefined) {
    report(expansion, place, node, {
      code: 'no-item',
      message: `${node.original} means an item, and here is none`,
      fix: 'use it inside {{#each}} or {{#with}}',
    });
    return nothing(node.loc);
  }
  return unknown(node, first, use, place, expansion);
}

/** A partial's parameter whose value is known where the partial is used. */
function ofParameter(
  node: hbs.AST.PathExpression,
  given: Expression,
  use: Use,
  place: Place,
  expansion: Expansion,
): Expression {
  const rest = node.parts.slice(1);
  if (given.type !== 'PathExpression') return rest.length === 0 ? given : nothing(node.loc);
  const parts = [...given.parts.slice(1), ...rest];
  noteRead(expansion, parts, use, place);
  checkFields(node, parts, use, place, expansion);
  return path(['root', ...parts], true, node.loc);
}

function loopData(node: hbs.AST.PathExpression, place: Place, expansion: Expansion): Expression {
  if (place.inItem && node.parts.length === 1 && LOOP_DATA.has(node.parts[0] ?? '')) return node;
  report(expansion, place, node, {
    code: 'unknown-variable',
    message: `${node.original} is not known here; inside {{#each}} there are @index, @key, @first and @last`,
    fix: null,
  });
  return nothing(node.loc);
}

/** A name that nothing gives. In a partial it is a parameter that was left out, which may be tested but not printed. */
function unknown(
  node: hbs.AST.PathExpression,
  first: string,
  use: Use,
  place: Place,
  expansion: Expansion,
): Expression {
  const partial = place.partials.at(-1);
  if (partial !== undefined) {
    if (use !== 'tested' && !place.tested.has(node.original)) {
      report(expansion, place, node, {
        code: 'missing-parameter',
        message: `the partial "${partial}" prints "${first}", which is no variable and is not given where the partial is used`,
        fix: `write {{> ${partial} ${first}="…"}}, or {{default ${first} "…"}} in the partial`,
      });
    }
    return nothing(node.loc);
  }
  const variables = [...expansion.known.keys()];
  const field = fieldNamed(first, expansion.known.get('customer'));
  const near = field ?? nearest(first, variables);
  report(expansion, place, node, {
    code: 'unknown-variable',
    message: `there is no variable "${first}"; there are ${variables.join(', ')}`,
    fix: near === null ? null : `did you mean ${near}?`,
  });
  return nothing(node.loc);
}

function fieldNamed(name: string, shape: Shape | undefined): string | null {
  return shape instanceof Map && shape.has(name) ? `customer.${name}` : null;
}

function checkFields(
  node: hbs.AST.PathExpression,
  parts: readonly string[],
  use: Use,
  place: Place,
  expansion: Expansion,
): void {
  let shape: Shape = expansion.known;
  for (const [index, part] of parts.entries()) {
    if (shape === 'any' || shape === 'list') return;
    const owner = parts.slice(0, index).join('.');
    const scalar: FieldType | null = typeof shape === 'string' ? shape : null;
    const fields: ReadonlyMap<string, Shape> | null = typeof shape === 'string' ? null : shape;
    const next: Shape | undefined = fields?.get(part);
    if (next === undefined) {
      const near = fields === null ? null : nearest(part, fields.keys());
      const message =
        fields === null
          ? `${owner} is a ${scalar} and has no fields`
          : `${owner} has no field "${part}" declared anywhere`;
      report(expansion, place, node, {
        code: 'unknown-field',
        message,
        fix: near === null ? null : `did you mean ${owner}.${near}?`,
      });
      return;
    }
    shape = next;
  }
  if (use === 'printed') checkPrintable(node, shape, parts, place, expansion);
}

function checkPrintable(
  node: hbs.AST.PathExpression,
  shape: Shape,
  parts: readonly string[],
  place: Place,
  expansion: Expansion,
): void {
  const name = parts.join('.');
  if (typeof shape !== 'string') {
    const fields = [...shape.keys()]
      .slice(0, 3)
      .map((field) => `${name}.${field}`)
      .join(', ');
    report(expansion, place, node, {
      code: 'not-printable',
      message: `${name} is a record, not a text`,
      fix: `print one of its fields: ${fields}`,
    });
  } else if (shape === 'date' || shape === 'datetime') {
    const message = `${name} is a ${shape} and would be printed as a computer writes it`;
    report(expansion, place, node, {
      level: 'warning',
      code: 'raw-date',
      message,
      fix: `write {{date ${name}}} or {{date ${name} "d MMMM"}}`,
    });
  }
}
