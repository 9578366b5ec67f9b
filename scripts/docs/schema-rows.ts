/** Reads a JSON Schema as the rows of a table: each key with what it takes, its default and what it means. */

/** As much of JSON Schema (draft 7) as the language's schemas use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly $ref?: string;
}

/** One key of the language. */
export interface KeyRow {
  /** From the object that is described, such as `care.email`, `topics.NAME.title` or `caps[].per`. */
  readonly key: string;
  /** What may be written, with an example. */
  readonly takes: string;
  /** `required`, the default, or nothing. */
  readonly otherwise: string;
  readonly means: string;
}

/** Beyond these a whole number has no bound that anybody meets. */
const SAFE = Number.MAX_SAFE_INTEGER;
const DEFAULT = /\s*Default: (.+)\.$/s;

/** The keys of an object and of all objects within it, in the order of the schema; not those of `omit`. */
export function rowsOf(schema: JsonSchema, omit: ReadonlySet<string> = new Set(), prefix = ''): readonly KeyRow[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !omit.has(name))
    .flatMap(([name, value]) => {
      const key = `${prefix}${name}`;
      return [rowOf(key, value, required.has(name)), ...rowsWithin(value, key)];
    });
}

function rowOf(key: string, schema: JsonSchema, isRequired: boolean): KeyRow {
  const description = schema.description ?? '';
  const [, otherwise] = DEFAULT.exec(description) ?? [];
  const means = description.replace(DEFAULT, '');
  return { key, takes: takesOf(schema), otherwise: isRequired ? 'required' : (otherwise ?? ''), means };
}

function rowsWithin(schema: JsonSchema, key: string): readonly KeyRow[] {
  const { anyOf, items, additionalProperties } = schema;
  if (schema.properties !== undefined) return rowsOf(schema, new Set(), `${key}.`);
  if (anyOf !== undefined) return anyOf.flatMap((option) => rowsWithin(option, key));
  if (items !== undefined && !isSteps(schema)) return rowsWithin(items, `${key}[]`);
  return isSchema(additionalProperties) ? rowsWithin(additionalProperties, `${key}.NAME`) : [];
}

function isSchema(value: JsonSchema | boolean | undefined): value is JsonSchema {
  return typeof value === 'object' && Object.keys(value).length > 0;
}

function isSteps({ items }: JsonSchema): boolean {
  return items?.$ref?.endsWith('/step') === true;
}

function code(value: unknown): string {
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  return `\`${String(value)}\``;
}

function either(words: readonly string[]): string {
  const unique = [...new Set(words)];
  return unique.length < 2 ? (unique[0] ?? '') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1) ?? ''}`;
}

/** What may be written for it, in words. */
export function takesOf(schema: JsonSchema): string {
  const { type, anyOf, examples, properties } = schema;
  if ('const' in schema) return code(schema.const);
  if (schema.enum !== undefined) return either(schema.enum.map(code));
  if (anyOf !== undefined) return either(anyOf.map(takesOf));
  if (Array.isArray(type)) return isCondition(type) ? 'a condition' : either(type.map((one) => takesOf({ type: one })));
  if (examples !== undefined) return `such as ${examples.map(code).join(', ')}`;
  switch (typeof type === 'string' ? type : 'unknown') {
    case 'boolean':
      return '`true` or `false`';
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'null':
      return '`null`';
    case 'array':
      return isSteps(schema) ? 'steps' : listOf(schema.items ?? {});
    case 'object':
      return properties === undefined ? recordOf(schema) : 'the keys below';
    case 'string':
      return schema.format === 'uri' ? 'a web address' : 'text';
    default:
      return 'anything';
  }
}

function listOf(item: JsonSchema): string {
  const [example] = item.examples ?? [];
  return example === undefined ? `a list: ${takesOf(item)}` : `a list such as ${code([example])}`;
}

function isCondition(types: readonly string[]): boolean {
  return types.length === 2 && types.includes('string') && types.includes('boolean');
}

function recordOf({ additionalProperties, propertyNames }: JsonSchema): string {
  const example = propertyNames?.examples?.[0];
  const name = example === undefined ? '' : ` such as ${code(example)}`;
  return isSchema(additionalProperties) ? `names${name}, each with ${takesOf(additionalProperties)}` : 'anything';
}

function bounds({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const least = exclusiveMinimum !== undefined ? ` above ${exclusiveMinimum}` : '';
  const from = minimum === undefined || minimum <= -SAFE ? '' : ` from ${minimum}`;
  const to = maximum === undefined || maximum >= SAFE ? '' : ` to ${maximum}`;
  return `${least}${from}${to}`;
}
