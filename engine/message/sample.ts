/** Made-up values for everything that a template names: how a mail looks before there is anybody to send it to. */
import type { Instant } from '../time/types.ts';
import type { KnownVariables, Shape } from './known.ts';
import { type Expression, type Part, isLiteral, partsOf } from './syntax.ts';
import type { Template } from './template.ts';
import { own } from '../playbook/own.ts';

/** What made-up values are made for. */
export interface SampleFor {
  readonly template: Pick<Template, 'reads' | 'parts'>;
  readonly known: KnownVariables;
  readonly now: Instant;
  /** A BCP 47 tag. */
  readonly locale: string;
  /** IANA name. */
  readonly zone: string;
}

/** The variables of a mail that depend on its reader. */
export interface SampleVariables {
  readonly customer: Readonly<Record<string, unknown>>;
  readonly event: Readonly<Record<string, unknown>>;
  readonly launch: Readonly<Record<string, unknown>>;
  readonly trigger: Readonly<Record<string, unknown>>;
  readonly vars: Readonly<Record<string, unknown>>;
}

const DAY_MS = 86_400_000;

/** By the last part of a variable's name; what is not here goes by its type. */
const TEXTS: Readonly<Record<string, string>> = {
  id: 'sample-1',
  email: 'anna.berg@example.com',
  name: 'Anna Berg',
  first_name: 'Anna',
  last_name: 'Berg',
  phone: '+44 20 7946 0000',
  city: 'Bath',
  country: 'United Kingdom',
  currency: 'GBP',
  code: 'SAMPLE-CODE',
  order_id: 'A-1042',
};
const NUMBERS: Readonly<Record<string, number>> = {
  score: 9,
  rating: 5,
  satisfaction: 9,
  orders: 3,
  count: 2,
  spent: 128.5,
  total: 42.5,
  price: 42.5,
  amount: 42.5,
};
const ITEMS = 2;
const ADDRESS = 'https://example.com/sample';

/** What helpers take; a list of theirs is declared as one. */
type Wanted = 'address' | 'date' | 'number';
const WANTED: Readonly<Record<string, Wanted | undefined>> = {
  link: 'address',
  date: 'date',
  money: 'number',
  number: 'number',
  plural: 'number',
};

/**
 * What a template itself says of its variables: texts that it compares them with, helpers that want something else than a text,
 * and fields of items that it loops over.
 */
interface Uses {
  readonly compared: Map<string, unknown>;
  readonly wanted: Map<string, Wanted>;
  readonly items: Map<string, Set<string>>;
}

/** Made-up variables: all that is declared, and of `vars` all that the template reads. */
export function sampleVariables(of: SampleFor): SampleVariables {
  const uses: Uses = { compared: new Map(), wanted: new Map(), items: new Map() };
  const { subject, preheader, html, text } = of.template.parts;
  for (const parts of [subject, preheader, html, text ?? []]) note(parts, uses, null);
  const record = (root: string): Readonly<Record<string, unknown>> => recordOf(root, of, uses);
  return {
    customer: { ...record('customer'), timezone: of.zone, locale: of.locale, tags: [] },
    event: record('event'),
    launch: record('launch'),
    trigger: { ...record('trigger'), date: dayOf(of.now) },
    vars: record('vars'),
  };
}

function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** A variable with its declared fields, and with those that the template reads of one that is open. */
function recordOf(root: string, of: SampleFor, uses: Uses): Readonly<Record<string, unknown>> {
  const shape: Shape = of.known.get(root) ?? 'any';
  const declared = typeof shape === 'string' ? [] : [...shape];
  const read = [...of.template.reads].flatMap((path) => {
    const [first, field] = path.split('.');
    return first === root && field !== undefined ? [field] : [];
  });
  const names = new Map<string, Shape>([...read.map((name) => [name, 'any'] as const), ...declared]);
  return Object.fromEntries([...names].map(([name, type]) => [name, valueOf(`${root}.${name}`, type, of, uses)]));
}

function valueOf(path: string, shape: Shape, of: SampleFor, uses: Uses): unknown {
  if (typeof shape !== 'string') {
    return Object.fromEntries([...shape].map(([name, type]) => [name, valueOf(`${path}.${name}`, type, of, uses)]));
  }
  const items = uses.items.get(path);
  if (items !== undefined || shape === 'list') return listOf(path, items ?? new Set(), of, uses);
  const within = [...of.template.reads].filter((read) => read.startsWith(`${path}.`));
  if (shape === 'any' && within.length > 0) {
    const fields = new Set(within.map((read) => read.slice(path.length + 1).split('.')[0] ?? ''));
    return Object.fromEntries([...fields].map((name) => [name, valueOf(`${path}.${name}`, 'any', of, uses)]));
  }
  const name = path.slice(path.lastIndexOf('.') + 1);
  const isOpen = shape === 'any' || (shape === 'string' && TEXTS[name] === undefined);
  const wanted = isOpen ? uses.wanted.get(path) : undefined;
  return (
    uses.compared.get(path) ?? (wanted === undefined ? simple(name, shape, of.now) : wantedValue(name, wanted, of))
  );
}

function wantedValue(name: string, wanted: Wanted, { now }: SampleFor): unknown {
  return wanted === 'address' ? ADDRESS : simple(name, wanted, now);
}

function listOf(path: string, fields: ReadonlySet<string>, of: SampleFor, uses: Uses): readonly unknown[] {
  return Array.from({ length: ITEMS }, (_, index) => {
    if (fields.size === 0) return `Sample ${wordsOf(path.slice(path.lastIndexOf('.') + 1))} ${index + 1}`;
    return Object.fromEntries([...fields].map((name) => [name, valueOf(`${path}.${name}`, 'any', of, uses)]));
  });
}

function simple(name: string, type: Exclude<Shape, ReadonlyMap<string, Shape>>, now: Instant): unknown {
  switch (type) {
    case 'number':
      return own(NUMBERS, name) ?? 7;
    case 'boolean':
      return true;
    case 'date':
      return name === 'birthday' ? '1990-05-17' : dayOf(now + 7 * DAY_MS);
    case 'datetime':
      return /last|since|created|first/.test(name) ? now - 7 * DAY_MS : now + 7 * DAY_MS;
    case 'list':
    case 'string':
      return textFor(name);
    case 'any':
      return own(NUMBERS, name) ?? (/(?:_at|_on|date)$/.test(name) ? dayOf(now + 7 * DAY_MS) : textFor(name));
  }
}

function textFor(name: string): string {
  if (/(?:^|_)(?:url|link|href|website)$/.test(name)) return ADDRESS;
  return own(TEXTS, name) ?? `Sample ${wordsOf(name)}`;
}

/** `mail_pace` as `mail pace`. */
function wordsOf(name: string): string {
  return name.replaceAll('_', ' ');
}

/** The path of a mail's variable, without `@root`. */
function pathOf(node: Expression | undefined): string | null {
  return node?.type === 'PathExpression' && node.data && node.parts[0] === 'root'
    ? node.parts.slice(1).join('.')
    : null;
}

/** @param item the list whose items plain names are fields of; null outside of loops. */
function note(parts: readonly Part[], uses: Uses, item: string | null): void {
  for (const part of parts) {
    if (part.type === 'ContentStatement') continue;
    for (const param of part.params as Expression[]) noteExpression(param, uses, item);
    if (part.type !== 'BlockStatement') continue;
    const list = part.path.original === 'each' ? pathOf(part.params[0] as Expression | undefined) : null;
    if (list !== null && !uses.items.has(list)) uses.items.set(list, new Set());
    note(partsOf(part.program), uses, list ?? item);
    note(partsOf(part.inverse), uses, item);
  }
}

/** The value that a helper takes: of an address its beginning, where that is no fixed one. */
function noteWanted({ path: helper, params }: hbs.AST.SubExpression, uses: Uses, item: string | null): void {
  const wanted = WANTED[helper.original];
  // The compiler writes before the parts of an address which of them are fixed.
  const [taken] = (wanted === 'address' ? params.slice(1) : params) as Expression[];
  const value = taken?.type === 'SubExpression' ? (taken.params[0] as Expression | undefined) : taken;
  if (wanted === undefined || value?.type !== 'PathExpression') return;
  const path = pathOf(value) ?? (item === null || value.depth > 0 ? null : `${item}.${value.parts.at(-1) ?? ''}`);
  if (path !== null && !uses.wanted.has(path)) uses.wanted.set(path, wanted);
}

function noteExpression(node: Expression, uses: Uses, item: string | null): void {
  if (node.type === 'PathExpression' && item !== null && !node.data && node.depth === 0) {
    // The first part is the item's own name where the loop gives it one.
    const field = node.original.startsWith('this.') || node.parts.length === 1 ? node.parts[0] : node.parts[1];
    if (field !== undefined && node.original !== 'this') uses.items.get(item)?.add(field);
  }
  if (node.type !== 'SubExpression') return;
  const params = node.params as Expression[];
  noteWanted(node, uses, item);
  const [path, literal] = [params.map(pathOf).find((found) => found !== null), params.find(isLiteral)];
  if (node.path.original === 'eq' && path !== undefined && path !== null && literal !== undefined) {
    if (!uses.compared.has(path)) uses.compared.set(path, literal.value);
  }
  for (const param of params) noteExpression(param, uses, item);
}
