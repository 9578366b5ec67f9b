/** Which variables a template may name: the built-in fields, and what `perennial.yaml` and the launches declare. */
import { parse } from 'yaml';
import type { SourceFile } from '../playbook/problem.ts';
import type { FieldType } from '../playbook/types.ts';

/** The fields of one variable, or what is known of its value. `any` is open: whatever is named may exist. */
export type Shape = 'any' | FieldType | ReadonlyMap<string, Shape>;

/** What is known of each variable that templates can name. */
export type KnownVariables = ReadonlyMap<string, Shape>;

/** Built-in fields and facts: docs/playbooks.md. */
const CUSTOMER: readonly (readonly [string, FieldType])[] = [
  ['id', 'string'],
  ['email', 'string'],
  ['name', 'string'],
  ['first_name', 'string'],
  ['last_name', 'string'],
  ['timezone', 'string'],
  ['locale', 'string'],
  ['birthday', 'date'],
  ['created_at', 'datetime'],
  ['tags', 'list'],
  ['orders', 'number'],
  ['spent', 'number'],
  ['first_order_at', 'datetime'],
  ['last_order_at', 'datetime'],
  ['last_seen_at', 'datetime'],
  ['stage', 'string'],
  ['satisfaction', 'number'],
];
const FIELD_TYPES: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'date', 'datetime', 'list']);

/**
 * What the sources declare. A `perennial.yaml` that is missing or cannot be read leaves everything open: its own
 * checker says what is wrong with it.
 */
export function knownVariables(sources: readonly SourceFile[]): KnownVariables {
  const company = record(readYaml(sources.find(({ path }) => path === 'perennial.yaml')?.text));
  const launches = sources.filter(({ path }) => /^playbooks\/launches\/[^/]+\.yaml$/.test(path));
  return new Map<string, Shape>([
    ['customer', company === null ? 'any' : new Map([...CUSTOMER, ...declared(company['attributes'])])],
    ['company', company === null ? 'any' : shapeOf(company['company'])],
    ['event', company === null ? 'any' : eventFields(company['events'])],
    ['launch', launches.length === 0 ? 'any' : launchFields(launches)],
    [
      'trigger',
      new Map<string, Shape>([
        ['count', 'number'],
        ['date', 'date'],
      ]),
    ],
    ['vars', 'any'],
    ['unsubscribe_url', 'string'],
    ['preferences_url', 'string'],
    [
      'survey',
      new Map<string, Shape>([
        ['ask', 'string'],
        ['links', 'list'],
      ]),
    ],
    ['now', 'datetime'],
  ]);
}

/** A template does not say for which event it is: it may name the fields of any. */
function eventFields(events: unknown): Shape {
  const fields = Object.values(record(events) ?? {}).flatMap((event) => [...declared(event)]);
  return new Map(fields);
}

function launchFields(launches: readonly SourceFile[]): Shape {
  const fields = launches.flatMap(({ text }) => Object.entries(record(readYaml(text)) ?? {}));
  return new Map<string, Shape>([
    ...fields.map(([name, value]) => [name, shapeOf(value)] as const),
    ['title', 'string'],
    ['public_at', 'datetime'],
  ]);
}

function declared(fields: unknown): [string, Shape][] {
  return Object.entries(record(fields) ?? {}).map(([name, type]) => [
    name,
    FIELD_TYPES.has(String(type)) ? (type as FieldType) : 'any',
  ]);
}

function shapeOf(value: unknown): Shape {
  const fields = record(value);
  return fields === null ? 'any' : new Map(Object.entries(fields).map(([name, item]) => [name, shapeOf(item)]));
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function readYaml(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return parse(text, { logLevel: 'silent', maxAliasCount: 0 });
  } catch (error) {
    // Said, with its place, by the checker of that file.
    if (error instanceof Error) return null;
    throw error;
  }
}
