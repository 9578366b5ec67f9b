/** Expressions of templates: helpers with their arguments, checked, and worked out now where nothing is left open. */
import { nearest } from '../playbook/nearest.ts';
import { type Expansion, type Place, report } from './expansion.ts';
import { BLOCK_HELPERS, NEED, VALUE_HELPERS } from './helpers.ts';
import { formLink } from './link.ts';
import { isPlainPath, resolvePath } from './resolve.ts';
import { shapeArguments } from './shaped.ts';
import { type Expression, call, isLiteral, text as textLiteral } from './syntax.ts';
import { own } from '../playbook/own.ts';

/** A helper's arguments as the parser gives them. */
interface Arguments {
  readonly params: hbs.AST.Expression[];
  readonly hash: hbs.AST.Hash | undefined;
  readonly loc: hbs.AST.SourceLocation;
}

/** An expression in its final form; `needed` ones throw at run time when they have no value. */
export function expandExpression(
  node: Expression,
  use: 'tested' | 'needed',
  place: Place,
  expansion: Expansion,
): Expression {
  switch (node.type) {
    case 'PathExpression': {
      if (isPlainPath(node) && !place.names.has(node.original) && VALUE_HELPERS.has(node.original)) {
        return expandCall(node.original, { params: [], hash: undefined, loc: node.loc }, place, expansion) ?? node;
      }
      const value = resolvePath(node, use, place, expansion);
      return use === 'needed' && !isLiteral(value) ? call(NEED, [value, textOf(node)], node.loc) : value;
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
export function expandCall(helper: string, node: Arguments, place: Place, expansion: Expansion): Expression | null {
  const arity = VALUE_HELPERS.get(helper);
  if (arity === undefined) {
    const near = nearest(helper, [...VALUE_HELPERS.keys(), ...BLOCK_HELPERS]);
    const fix = near === null ? null : `did you mean ${near}?`;
    const message = `there is no helper "${helper}"; there are ${[...VALUE_HELPERS.keys()].join(', ')}`;
    report(expansion, place, node, { code: 'unknown-helper', message, fix });
    return null;
  }
  const count = node.params.length;
  const names = node.hash?.pairs.map(({ key }) => key) ?? [];
  const { named = [] } = arity;
  if (count < arity.min || count > arity.max || !names.every((name) => named.includes(name))) {
    const wanted = arity.min === arity.max ? `${arity.min}` : `${arity.min} to ${arity.max}`;
    const without = named.length === 0 ? 'without names' : `and by name ${named.join(', ')}`;
    const given = [`${count}`, ...names].join(' and ');
    report(expansion, place, node, {
      code: 'helper-arguments',
      message: `${helper} takes ${wanted} ${arity.max === 1 ? 'value' : 'values'}, ${without}; it has ${given}`,
      fix: own(EXAMPLES, helper) ?? null,
    });
    return null;
  }
  // Whoever asks whether a mail has links to answer by looks at what it reads.
  if (helper === 'survey_url') expansion.reads.add('survey.links');
  checkCurrency(helper, node.params as readonly Expression[], place, expansion);
  const use = helper === 'default' || helper === 'eq' ? 'tested' : 'needed';
  const expanded = (param: Expression): Expression => expandExpression(param, use, place, expansion);
  const values = (node.params as Expression[]).map(expanded);
  const given = new Map(node.hash?.pairs.map(({ key, value }) => [key, expanded(value as Expression)]));
  const shaped = shapeArguments(helper, values, given, node.loc);
  if ('code' in shaped) {
    report(expansion, place, node, shaped);
    return null;
  }
  return folded(helper, values, node.loc) ?? call(helper, shaped, node.loc);
}

/** What `eq`, `default` and `link` give is known now where their values are. */
function folded(helper: string, values: readonly Expression[], loc: hbs.AST.SourceLocation): Expression | null {
  const [first, second] = values;
  if (first === undefined || !isLiteral(first)) return null;
  if (helper === 'eq' && second !== undefined && isLiteral(second)) {
    const value = first.value === second.value;
    return { type: 'BooleanLiteral', value, original: value, loc };
  }
  if (helper === 'link' && values.every(isLiteral)) {
    return textLiteral(formLink(values.map(({ value }) => ({ isFixed: true, value }))), loc);
  }
  return helper === 'default' && first.value !== '' ? first : null;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  date: 'write {{date customer.birthday "d MMMM"}}',
  money: 'write {{money event.total "GBP"}}',
  number: 'write {{number customer.orders}}',
  plural: 'write {{plural customer.orders one="# order" other="# orders"}}',
  list: 'write {{list customer.tags}}, {{list customer.tags "or"}} or {{list event.items of="title"}}',
  link: 'write {{link company.website "/orders/" event.order_id}}',
  default: 'write {{default customer.first_name "there"}}',
  survey_url: 'write {{survey_url 9}}',
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

/** Whether a mustache calls a helper: it has arguments, or is a helper's name. */
export function isHelperCall(target: hbs.AST.PathExpression, node: hbs.AST.MustacheStatement, place: Place): boolean {
  if (node.params.length > 0 || (node.hash?.pairs.length ?? 0) > 0) return true;
  return isPlainPath(target) && !place.names.has(target.original) && VALUE_HELPERS.has(target.original);
}

/** What a message calls an expression. */
export function textOf(node: hbs.AST.Expression): hbs.AST.StringLiteral {
  const { loc } = node;
  const original = 'original' in node ? (node as { readonly original: string | number }).original : null;
  const inner = node.type === 'SubExpression' ? (node as hbs.AST.SubExpression).path.original : null;
  // A number's original is a number, which Handlebars would refuse here.
  return { type: 'StringLiteral', value: String(original ?? inner ?? 'value'), original: String(original ?? ''), loc };
}
