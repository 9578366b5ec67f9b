import { z } from 'zod';
import { nearest } from '../nearest.ts';
import { type Document, isMap, isScalar, isSeq, type Node, scalarText, type YAMLMap } from '../yaml/document.ts';

type Schema = z.core.$ZodType;

/** A schema of a map with known keys. */
export type ObjectSchema = z.core.$ZodObject<Readonly<Record<string, Schema>>>;

/** The one of a union that a node is meant for, or why it is meant for none. */
export type Option =
  | { readonly ok: true; readonly schema: Schema }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly fix: string | null };

/** A schema without what only says that it may be left out. */
export function unwrap(schema: Schema): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'optional' || def.type === 'nonoptional' || def.type === 'readonly'
    ? unwrap(def.innerType)
    : schema;
}

/** The type of what is written: of a text that becomes something else, the text's. */
function writtenType(schema: Schema): string {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  if (def.type === 'pipe') return writtenType(def.in);
  if (def.type === 'literal') return typeof def.values[0];
  if (def.type === 'enum') return 'string';
  return def.type;
}

function requiredKeys(schema: ObjectSchema): readonly string[] {
  const { shape } = schema._zod.def;
  return Object.keys(shape).filter((key) => shape[key]?._zod.optin !== 'optional');
}

/** No map of a union has as many keys; more are not looked at, so that the choice stays quick. */
const MOST_KEYS = 40;

function keysOf(map: YAMLMap): readonly string[] {
  const keys = map.items.slice(0, MOST_KEYS).map(({ key }) => scalarText(key));
  return keys.filter((key) => key !== null);
}

/** How badly a map fits: keys missing and keys unknown; a misspelt key is half as bad as one of each. */
function misfit(schema: ObjectSchema, keys: readonly string[]): { readonly cost: number; readonly isMeant: boolean } {
  const required = requiredKeys(schema);
  const missing = required.filter((key) => !keys.includes(key));
  const unknown = keys.filter((key) => !Object.hasOwn(schema._zod.def.shape, key));
  const misspelt = unknown.filter((key) => nearest(key, missing) !== null);
  const isMeant = required.length === 0 || misspelt.length > 0 || missing.length < required.length;
  return { cost: missing.length + unknown.length - misspelt.length * 1.5, isMeant };
}

/** Whether all keys are known and none is missing. */
function fits(schema: ObjectSchema, keys: readonly string[]): boolean {
  const { shape } = schema._zod.def;
  if (!keys.every((key) => Object.hasOwn(shape, key))) return false;
  const required = requiredKeys(schema);
  return required.length > 0 && required.every((key) => keys.includes(key));
}

function chooseObject(options: readonly ObjectSchema[], map: YAMLMap): Option {
  const keys = keysOf(map);
  // What is written without a mistake, as most is, needs no comparing of spellings.
  const exact = options.find((schema) => fits(schema, keys));
  if (exact !== undefined) return { ok: true, schema: exact };
  let best: { readonly schema: ObjectSchema; readonly cost: number } | null = null;
  for (const schema of options) {
    const { cost, isMeant } = misfit(schema, keys);
    if (isMeant && (best === null || cost < best.cost)) best = { schema, cost };
  }
  if (best !== null) return { ok: true, schema: best.schema };
  const first = options.flatMap((schema) => requiredKeys(schema).slice(0, 1));
  const written = keys.length === 0 ? 'nothing' : keys.map((key) => `\`${key}\``).join(', ');
  const message = `expected one of ${first.map((key) => `\`${key}\``).join(', ')}, found ${written}`;
  return { ok: false, code: 'unknown-key', message, fix: null };
}

function chooseScalar(options: readonly Schema[], value: unknown): Option {
  const type = value === null ? 'null' : typeof value;
  const candidates = options.filter((schema) => [type, 'unknown'].includes(writtenType(schema)));
  const fitting = candidates.find((schema) => z.safeParse(schema, value).success);
  const schema = fitting ?? candidates[0];
  if (schema !== undefined) return { ok: true, schema };
  const message = `${expectations(options, value)}, found \`${String(value)}\``;
  return { ok: false, code: 'wrong-type', message, fix: quoteFix(options, value) };
}

/** A number or a truth value where its text would do. */
export function quoteFix(options: readonly Schema[], value: unknown): string | null {
  if (typeof value !== 'number' && typeof value !== 'boolean') return null;
  return options.some((schema) => z.safeParse(schema, String(value)).success) ? `write it in quotes: "${value}"` : null;
}

/** What a node that fits nowhere was to be; of many kinds of maps, by their first keys. */
function expectations(options: readonly Schema[], value: unknown): string {
  if (options.every((schema) => schema._zod.def.type === 'object')) {
    const first = options.flatMap((schema) => requiredKeys(schema as ObjectSchema).slice(0, 1));
    return `expected a map with one of ${first.map((key) => `\`${key}\``).join(', ')}`;
  }
  const messages = options.map((option) => leafMessage(option, value)).filter((message) => message !== null);
  return [...new Set(messages)].join('; or ');
}

function leafMessage(schema: Schema, value: unknown): string | null {
  const type = writtenType(schema);
  if (type === 'object' || type === 'record') return 'expected a map of names and values';
  if (type === 'array') return 'expected a list';
  return z.safeParse(schema, value).error?.issues[0]?.message ?? null;
}

/** Picks the one of a union that a node is meant for: by its kind, of several maps by their keys. */
export function chooseOption(options: readonly Schema[], node: Node, document: Document): Option {
  const bare = options.map(unwrap);
  if (isMap(node)) {
    const objects = bare.filter((schema) => schema._zod.def.type === 'object') as ObjectSchema[];
    if (objects.length > 0) return chooseObject(objects, node);
    const record = bare.find((schema) => schema._zod.def.type === 'record');
    if (record !== undefined) return { ok: true, schema: record };
  }
  if (isSeq(node)) {
    const list = bare.find((schema) => schema._zod.def.type === 'array');
    if (list !== undefined) return { ok: true, schema: list };
  }
  if (isScalar(node)) return chooseScalar(bare, node.value);
  return { ok: false, code: 'wrong-type', message: expectations(bare, document.plain(node)), fix: null };
}
