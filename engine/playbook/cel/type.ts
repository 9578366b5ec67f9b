import type { FieldType } from '../types.ts';

/** The static type of an expression. Whether a value may be null is never part of it: every value may. */
export type ValueType =
  | { readonly kind: 'any' | 'null' | 'boolean' | 'number' | 'string' | 'time' | 'span' }
  | { readonly kind: 'list' | 'map'; readonly of: ValueType };

export const ANY: ValueType = { kind: 'any' };
export const NULL: ValueType = { kind: 'null' };
export const BOOLEAN: ValueType = { kind: 'boolean' };
export const NUMBER: ValueType = { kind: 'number' };
export const STRING: ValueType = { kind: 'string' };
export const TIME: ValueType = { kind: 'time' };
export const SPAN: ValueType = { kind: 'span' };
export const STRINGS: ValueType = { kind: 'list', of: STRING };

/** A declared field's type as a static type; dates and datetimes are both moments. `any` is a field without one type. */
export function typeOfField(type: FieldType | 'any'): ValueType {
  switch (type) {
    case 'date':
    case 'datetime':
      return TIME;
    case 'list':
      return { kind: 'list', of: ANY };
    case 'any':
    case 'string':
    case 'number':
    case 'boolean':
      return { kind: type };
  }
}

/** The type as a marketer would call it, with its article. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'any':
      return 'something of any type';
    case 'null':
      return 'null';
    case 'boolean':
      return 'true or false';
    case 'number':
      return 'a number';
    case 'string':
      return 'text';
    case 'time':
      return 'a date or time';
    case 'span':
      return 'a duration';
    case 'list':
      return type.of.kind === 'any' ? 'a list' : `a list of ${plural(type.of)}`;
    case 'map':
      return 'a map';
  }
}

function plural(type: ValueType): string {
  return type.kind === 'string' ? 'texts' : type.kind === 'number' ? 'numbers' : 'values';
}

/** The type that both can be taken for, or null: `any` and null go with everything. */
export function unify(a: ValueType, b: ValueType): ValueType | null {
  if (a.kind === 'null') return b;
  if (b.kind === 'null') return a;
  if (a.kind === 'any' || b.kind === 'any') return ANY;
  if (a.kind !== b.kind) return null;
  if (!('of' in a) || !('of' in b)) return a;
  const of = unify(a.of, b.of);
  return of === null ? null : { kind: a.kind, of };
}

/** Whether a value of this type may be asked for a kind: `any` and null may stand for all. */
export function mayBe(type: ValueType, ...kinds: readonly ValueType['kind'][]): boolean {
  return type.kind === 'any' || type.kind === 'null' || kinds.includes(type.kind);
}
