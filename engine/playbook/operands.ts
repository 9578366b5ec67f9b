/** What a condition looked at: the answer to "why was it false?". */
import type { Condition, Json, Scope } from './types.ts';

/** Longer texts and lists are cut: values are shown to people, and kept with refused entries. */
const LONGEST_TEXT = 200;
const MOST_ITEMS = 20;

/**
 * The values of the fields that a condition reads, by name as written (`customer.orders`), in order of the names. As they
 * are stored: instants are numbers; what is missing is null; long texts and lists are cut, and end in "…".
 */
export function operandsOf(condition: Condition, scope: Scope): Readonly<Record<string, Json>> {
  const names = [...condition.reads].sort();
  return Object.fromEntries(names.map((name) => [name, shortened(valueOf(name, scope))]));
}

function valueOf(name: string, scope: Scope): unknown {
  const dot = name.indexOf('.');
  const record = recordOf(name.slice(0, dot), scope);
  return record?.[name.slice(dot + 1)] ?? null;
}

function recordOf(root: string, scope: Scope): Readonly<Record<string, unknown>> | undefined {
  switch (root) {
    case 'customer':
      return scope.customer;
    case 'event':
      return scope.event;
    case 'launch':
      return scope.launch;
    case 'trigger':
      return scope.trigger;
    case 'vars':
      return scope.vars;
    default:
      throw new Error(`no condition reads from "${root}": this is a bug in engine/playbook`);
  }
}

function shortened(value: unknown): Json {
  if (typeof value === 'string') return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return shortened(JSON.stringify(value));
  const items = value.slice(0, MOST_ITEMS).map(shortened);
  return value.length > MOST_ITEMS ? [...items, '…'] : items;
}
