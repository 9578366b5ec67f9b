import { nearest } from '../nearest.ts';
import type { Scope } from '../types.ts';
import { type Checked, type Checking, type DeclaredType, didYouMean, fail, type Fields, type Run } from './context.ts';
import type { Expression } from './syntax.ts';
import { ANY, STRINGS, TIME, typeOfField } from './type.ts';
import { dayStart, entryOf, finite, moment } from './value.ts';

const ROOTS = ['customer', 'event', 'launch', 'trigger', 'vars', 'now'] as const;
type Root = (typeof ROOTS)[number];
type Record_ = Readonly<Record<string, unknown>>;

const TRIGGER: Fields = new Map<string, DeclaredType>([
  ['count', 'number'],
  ['date', 'date'],
]);
const NO_ITEMS: readonly unknown[] = [];

function isRoot(name: string): name is Root {
  return (ROOTS as readonly string[]).includes(name);
}

function recordOf(root: Exclude<Root, 'now'>): (scope: Scope) => Record_ | undefined {
  switch (root) {
    case 'customer':
      return (scope) => scope.customer;
    case 'event':
      return (scope) => scope.event;
    case 'launch':
      return (scope) => scope.launch;
    case 'trigger':
      return (scope) => scope.trigger;
    case 'vars':
      return (scope) => scope.vars;
  }
}

/** Reads a declared field. A value of another type than declared counts as missing. */
function reader(record: (scope: Scope) => Record_ | undefined, name: string, type: DeclaredType): Run {
  switch (type) {
    case 'string':
    case 'boolean':
      return (scope) => {
        const value = record(scope)?.[name];
        return typeof value === type ? value : null;
      };
    case 'number':
      return (scope) => finite(record(scope)?.[name]);
    case 'date':
      return (scope) => dayStart(record(scope)?.[name], scope.zone);
    case 'datetime':
      return (scope) => moment(record(scope)?.[name]);
    case 'list':
      return (scope) => {
        const value = record(scope)?.[name];
        return Array.isArray(value) ? value : null;
      };
    case 'any':
      return (scope) => entryOf(record(scope), name);
  }
}

/** docs/playbooks.md: no tags is an empty list. */
function tagsReader(): Run {
  return (scope) => {
    const tags = scope.customer['tags'];
    return Array.isArray(tags) ? tags : NO_ITEMS;
  };
}

/** Why a record is not there, and where it would be. */
function absence(root: Root): string {
  switch (root) {
    case 'event':
      return 'there is no `event` here: only a playbook that an event starts, or the `if` of a wait_for, goal or exit event has one';
    case 'launch':
      return 'there is no `launch` here: only a playbook with a launch trigger has one';
    case 'trigger':
      return 'there is no `trigger` here: only a playbook with a date trigger has `trigger.count` and `trigger.date`';
    case 'vars':
      return 'there are no `vars` here: they belong to an enrolment';
    case 'customer':
    case 'now':
      throw new Error(`${root} is always there`);
  }
}

function fieldsOf(checking: Checking, root: Exclude<Root, 'now' | 'vars'>): Fields | null {
  switch (root) {
    case 'customer':
      return checking.env.customer;
    case 'event':
      return checking.env.event?.fields ?? null;
    case 'launch':
      return checking.env.launch;
    case 'trigger':
      return checking.env.trigger ? TRIGGER : null;
  }
}

function checkVariable(checking: Checking, name: string, at: number): Checked {
  if (!checking.env.vars) return fail(checking, at, 'cel-unknown', absence('vars'));
  checking.reads.add(`vars.${name}`);
  return { type: ANY, run: (scope) => entryOf(scope.vars, name) };
}

function unknownField(checking: Checking, root: Root, name: string, fields: Fields, at: number): Checked {
  const near = nearest(name, fields.keys());
  const event = root === 'event' ? ` of the event \`${checking.env.event?.name ?? ''}\`` : '';
  const where = root === 'customer' ? 'built in or declared under `attributes:`' : 'declared';
  const known = [...fields.keys()].slice(0, 12).map((field) => `\`${field}\``);
  const list =
    near === null && known.length > 0 ? `; there are ${known.join(', ')}${fields.size > 12 ? ', …' : ''}` : '';
  const fix = didYouMean(near === null ? null : `${root}.${near}`);
  return fail(checking, at, 'cel-unknown', `\`${root}.${name}\`${event} is not ${where}${list}`, fix);
}

function checkDeclared(
  checking: Checking,
  root: Exclude<Root, 'now' | 'vars'>,
  name: string,
  node: Expression,
): Checked {
  if (root === 'event' && checking.env.event?.fields === null) return { type: ANY, run: () => null };
  const fields = fieldsOf(checking, root);
  if (fields === null) return fail(checking, node.start, 'cel-unknown', absence(root));
  const type = fields.get(name);
  if (type === undefined) return unknownField(checking, root, name, fields, node.start);
  checking.reads.add(`${root}.${name}`);
  if (root === 'customer' && name === 'tags') return { type: STRINGS, run: tagsReader() };
  if (root === 'customer' && name === 'stage') {
    const { stage } = checking.env;
    if (stage === null)
      return fail(checking, node.start, 'cel-unknown', 'a stage cannot be defined by `customer.stage` itself');
    if (stage.usesTime) checking.usesTime = true;
  }
  return { type: typeOfField(type), run: reader(recordOf(root), name, type) };
}

/** The name of a record in `vars`, of `vars.gift` or `vars["gift"]`; null for anything else. */
function recordInVars(checking: Checking, of: Expression): string | null {
  if (of.op !== 'field' && of.op !== 'index') return null;
  if (of.of.op !== 'name' || of.of.name !== 'vars' || checking.locals.has('vars') || !checking.env.vars) return null;
  if (of.op === 'field') return of.field;
  return of.at.op === 'literal' && typeof of.at.value === 'string' ? of.at.value : null;
}

/** What turns on that these are recorded of mails. */
const RECORDED_BY: Readonly<Record<string, string>> = {
  clicked: 'it is recorded with `tracking: { clicks: true }` under `mail:` in perennial.yaml',
  opened: 'it is recorded with `tracking: { opens: true }` under `mail:` in perennial.yaml',
};

function checkInRecord(checking: Checking, record: string, name: string, fields: Fields, node: Expression): Checked {
  const type = fields.get(name);
  if (type === undefined) {
    const known = [...fields.keys()].map((field) => `\`vars.${record}.${field}\``).join(', ');
    const message = `there is no \`vars.${record}.${name}\`${known === '' ? '' : `; there is ${known}`}`;
    return fail(checking, node.start, 'cel-unknown', message, RECORDED_BY[name] ?? null);
  }
  checking.reads.add(`vars.${record}.${name}`);
  const of = (scope: Scope): Record_ | undefined => {
    const value = scope.vars[record];
    return typeof value === 'object' && value !== null ? (value as Record_) : undefined;
  };
  return { type: typeOfField(type), run: reader(of, name, type) };
}

/** Checks `customer.orders`, `event.total` and the like; null when `of` is no record of the scope. */
export function checkField(checking: Checking, of: Expression, name: string, node: Expression): Checked | null {
  const record = recordInVars(checking, of);
  const fields = record === null ? undefined : checking.env.varRecords?.get(record);
  if (record !== null && fields !== undefined) return checkInRecord(checking, record, name, fields, node);
  if (of.op !== 'name' || checking.locals.has(of.name) || !isRoot(of.name) || of.name === 'now') return null;
  return of.name === 'vars' ? checkVariable(checking, name, node.start) : checkDeclared(checking, of.name, name, node);
}

/** Checks a bare name: `now`, or a variable of `exists` and the like. */
export function checkName(checking: Checking, name: string, at: number): Checked {
  const local = checking.locals.get(name);
  if (local !== undefined) return { type: local.type, run: (_scope, locals) => locals[local.index] ?? null };
  if (isRoot(name)) {
    if (name !== 'now') return wholeRecord(checking, name, at);
    checking.usesTime = true;
    return { type: TIME, run: (scope) => scope.now };
  }
  const field = checking.env.customer.has(name)
    ? `customer.${name}`
    : checking.env.event?.fields?.has(name)
      ? `event.${name}`
      : null;
  const fix = didYouMean(field ?? nearest(name, ROOTS));
  return fail(
    checking,
    at,
    'cel-unknown',
    `\`${name}\` is no variable; there are ${ROOTS.map((root) => `\`${root}\``).join(', ')}`,
    fix,
  );
}

function wholeRecord(checking: Checking, root: Exclude<Root, 'now'>, at: number): Checked {
  const field = { customer: 'orders', event: 'total', launch: 'title', trigger: 'count', vars: 'gift' }[root];
  return fail(
    checking,
    at,
    'cel-type',
    `\`${root}\` is a whole record: name one of its fields, such as \`${root}.${field}\``,
  );
}
