/**
 * Reads a YAML document by a zod schema, mistake by mistake with its place. zod itself stops at the first level of a
 * union that fits nowhere and tries every kind of step at every level; this walk picks the kind by its keys and goes on.
 */
import { z } from 'zod';
import { nearest } from '../nearest.ts';
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  scalarText,
  type YAMLMap,
  type YAMLSeq,
} from '../yaml/document.ts';
import { isForeign } from '../yaml/limits.ts';
import { chooseOption, type ObjectSchema, unwrap } from './choose.ts';
import { checkLeaf, complain, type Walk, wrongType } from './leaf.ts';
import type { Report } from './report.ts';

/** What was read where there are mistakes: anything may be missing, and a list keeps a hole where an item was wrong. */
export type Loose<T> = T extends readonly (infer Item)[]
  ? readonly (Loose<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Loose<T[K]> | undefined }
    : T;

type Schema = z.core.$ZodType;

/** How the names of a record were ordered, where the object itself puts whole numbers first. */
const written = new WeakMap<object, readonly string[]>();

/** The names of a record that was read, in the order in which they were written. */
export function namesOf(record: object): readonly string[] {
  return written.get(record) ?? Object.keys(record);
}

/** Of a map of hundreds of unknown keys it is enough to ask some whether they are meant for a missing one. */
const MOST_UNKNOWN = 50;

/** Reads a whole document. Without mistakes in the report, the result is a full `z.output` of the schema. */
export function readDocument<S extends Schema>(
  document: Document,
  schema: S,
  report: Report,
): Loose<z.output<S>> | undefined {
  if (document.root === null) {
    report.atNode(null, { code: 'empty-file', message: 'the file is empty', fix: 'write its contents, or remove it' });
    return undefined;
  }
  return walk({ document, report }, schema, document.root) as Loose<z.output<S>> | undefined;
}

function walk(context: Walk, outer: Schema, node: Node): unknown {
  // What is wrong with these is said already.
  if (isForeign(node)) return undefined;
  const schema = unwrap(outer);
  const type: string = schema._zod.def.type;
  switch (type) {
    case 'object':
      return isMap(node)
        ? walkObject(context, schema as ObjectSchema, node)
        : wrongType(context, 'a map of names and values', node);
    case 'record':
      return isMap(node)
        ? walkRecord(context, schema as z.core.$ZodRecord, node)
        : wrongType(context, 'a map of names and values', node);
    case 'array':
      return isSeq(node) ? walkArray(context, schema as z.core.$ZodArray, node) : wrongType(context, 'a list', node);
    case 'union': {
      const option = chooseOption((schema as z.core.$ZodUnion)._zod.def.options, node, context.document);
      return option.ok ? walk(context, option.schema, node) : complain(context, node, option);
    }
    case 'unknown':
      return context.document.plain(node);
    default:
      return walkLeaf(context, schema, node);
  }
}

function* pairsOf(
  { report }: Walk,
  map: YAMLMap,
): Generator<{ readonly name: string; readonly key: Node; readonly value: Node | null }> {
  const seen = new Set<string>();
  for (const { key, value } of map.items) {
    const name = scalarText(key);
    if (name === null) report.atNode(key as Node, { code: 'wrong-type', message: 'expected a name before the `:`' });
    // A second one of the same name is refused already; the first counts.
    else if (!seen.has(name)) yield { name, key: key as Node, value: value as Node | null };
    if (name !== null) seen.add(name);
  }
}

function isOptional(schema: Schema): boolean {
  return schema._zod.optin === 'optional';
}

function walkObject(context: Walk, schema: ObjectSchema, map: YAMLMap): unknown {
  const { shape, catchall } = schema._zod.def;
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  context.report.locate(result, map);
  const present = new Set(map.items.map(({ key }) => scalarText(key)).filter((name) => name !== null));
  for (const { name, key, value } of pairsOf(context, map)) {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (field !== undefined) result[name] = walkValue(context, field, key, value);
    else if (catchall?._zod.def.type === 'unknown')
      result[name] = value === null ? null : context.document.plain(value);
    else unknownKey(context, name, key, Object.keys(shape), present);
  }
  const missing = Object.keys(shape).filter((name) => !present.has(name) && !isOptional(shape[name] as Schema));
  for (const name of missing) {
    if (catchall?._zod.def.type !== 'unknown' && isMisspelt(present, shape, name)) continue;
    context.report.atNode(map, { code: 'missing-key', message: `\`${name}\` is missing`, fix: `add \`${name}:\`` });
  }
  return result;
}

/** Whether one of the unknown keys is meant for a missing one: then that is the mistake, not the missing. */
function isMisspelt(present: ReadonlySet<string>, shape: Readonly<Record<string, Schema>>, missing: string): boolean {
  const unknown = [...present].filter((name) => !Object.hasOwn(shape, name)).slice(0, MOST_UNKNOWN);
  const absent = Object.keys(shape).filter((name) => !present.has(name));
  return unknown.some((name) => nearest(name, absent) === missing);
}

function unknownKey(
  { report }: Walk,
  name: string,
  key: Node,
  known: readonly string[],
  present: ReadonlySet<string>,
): void {
  if (report.isFull()) return;
  const near = nearest(
    name,
    known.filter((candidate) => !present.has(candidate)),
  );
  const list = known.map((candidate) => `\`${candidate}\``).join(', ');
  const fix = near === null ? null : `did you mean \`${near}\`?`;
  report.atNode(key, {
    code: 'unknown-key',
    message: `\`${name}\` means nothing here; expected ${known.length > 1 ? 'one of ' : ''}${list}`,
    fix,
  });
}

/** The value under a key; an empty one is said at the key, since it stands nowhere. */
function walkValue(context: Walk, schema: Schema, key: Node, value: Node | null): unknown {
  if (value !== null && !(isScalar(value) && value.value === null && value.range?.[0] === value.range?.[1]))
    return walk(context, schema, value);
  const name = scalarText(key) ?? '';
  context.report.atNode(key, {
    code: 'empty-value',
    message: `\`${name}\` has no value`,
    fix: `write one after the colon, or remove \`${name}\``,
  });
  return undefined;
}

function walkRecord(context: Walk, schema: z.core.$ZodRecord, map: YAMLMap): unknown {
  const { keyType, valueType } = schema._zod.def;
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const names: string[] = [];
  context.report.locate(result, map);
  for (const { name, key, value } of pairsOf(context, map)) {
    checkLeaf(context, keyType, name, key);
    result[name] = walkValue(context, valueType, key, value);
    names.push(name);
  }
  if (names.some((name) => /^\d+$/.test(name))) written.set(result, names);
  return result;
}

function walkArray(context: Walk, schema: z.core.$ZodArray, seq: YAMLSeq): unknown {
  const tooFew = seq.items.length > 0 ? undefined : z.safeParse(schema, []).error?.issues[0];
  if (tooFew !== undefined) complain(context, seq, { code: 'too-few', message: tooFew.message, fix: null });
  const result = seq.items.map((item) => walk(context, schema._zod.def.element, item as Node));
  context.report.locate(result, seq);
  return result;
}

function walkLeaf(context: Walk, schema: Schema, node: Node): unknown {
  return checkLeaf(context, schema, isScalar(node) ? node.value : context.document.plain(node), node);
}
