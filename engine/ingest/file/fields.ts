/** The fields of a line of customers or events: the names of docs/playbooks.md, as JSON lines have them. */
import type { Company, FieldType } from '../../playbook/types.ts';
import { formatInstant, parseInstant, parseLocalDate, parseLocalDateTime } from '../../time/text.ts';
import { fromLocal } from '../../time/local.ts';
import type { Zone } from '../../time/types.ts';
import { reads } from '../declared.ts';
import type { Fields } from '../json.ts';
import { customerFields } from '../traits.ts';
import { proofFields } from './consent-proof.ts';
import { readCell, textsOf, type Mapping } from './mapping.ts';
import { own } from '../../playbook/own.ts';

/** What a file holds. */
export type ImportKind = 'customers' | 'events';

/** What a customer's address allows; in a line of customers only. */
export const CONSENT_FIELDS = ['suppressed', 'unsubscribed', 'subscribed'] as const;

const CUSTOMER_TYPES: Readonly<Record<string, FieldType>> = {
  created_at: 'datetime',
  birthday: 'date',
  tags: 'list',
  suppressed: 'boolean',
  unsubscribed: 'list',
  subscribed: 'list',
};
const EVENT_FIELDS = ['id', 'customer', 'event', 'at'] as const;
const DATA = 'data.';

/** The fields of a kind, for mappings and their mistakes. */
export function fieldsOf(
  kind: ImportKind,
  company: Company,
): {
  readonly known: readonly string[];
  readonly required: readonly string[];
  readonly isField: (name: string) => boolean;
} {
  if (kind === 'customers') {
    const known = ['id', ...customerFields(company), ...CONSENT_FIELDS, ...proofFields(company)];
    return { known, required: ['id'], isField: (name) => known.includes(name) };
  }
  const declared = Object.values(company.events).flatMap((fields) => Object.keys(fields).map((name) => DATA + name));
  const known = [...EVENT_FIELDS, ...new Set(declared)];
  // Events may carry more than is declared.
  const required = EVENT_FIELDS.filter((name) => name !== 'id');
  return {
    known,
    required,
    isField: (name) => known.includes(name) || (name.startsWith(DATA) && name.length > DATA.length),
  };
}

/** A CSV row as the object that a JSON line would have been; cells are read as the types of their fields. */
export function rowAsFields(kind: ImportKind, row: readonly string[], mapping: Mapping, company: Company): Fields {
  const texts = textsOf(row, mapping);
  return kind === 'customers' ? customerRow(texts, company) : eventRow(texts, company);
}

function customerRow(texts: ReadonlyMap<string, string>, company: Company): Fields {
  const entries = [...texts].map(([name, text]) => {
    return [name, readCell(text, own(CUSTOMER_TYPES, name) ?? own(company.attributes, name) ?? null)];
  });
  return Object.fromEntries(entries) as Fields;
}

function eventRow(texts: ReadonlyMap<string, string>, company: Company): Fields {
  const types = typesOfEvent(texts.get('event'), company);
  const data: [string, unknown][] = [];
  const fields: [string, unknown][] = [];
  for (const [name, text] of texts) {
    if (!name.startsWith(DATA)) fields.push([name, text]);
    else data.push([name.slice(DATA.length), readCell(text, own(types, name.slice(DATA.length)) ?? null)]);
  }
  return Object.fromEntries([...fields, ['data', Object.fromEntries(data)]]) as Fields;
}

/** The declared types of an event's fields; none for an event that is not declared. */
export function typesOfEvent(event: unknown, company: Company): Readonly<Record<string, FieldType>> {
  return (typeof event === 'string' ? own(company.events, event) : undefined) ?? {};
}

/** The types of a customer's fields that hold times. */
export function typesOfCustomer(company: Company): Readonly<Record<string, FieldType>> {
  return { consent_at: 'datetime', ...company.attributes, created_at: 'datetime' };
}

/**
 * The same fields, with local times made into instants in `zone` (`--time-zone`): 2009-12-01 10:18, or a day alone for
 * its midnight. What has an offset, or is no time, stays as it is.
 */
export function withZone(fields: Fields, types: Readonly<Record<string, FieldType>>, zone: Zone): Fields {
  const changed: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(types)) {
    const value = fields[name];
    if (type !== 'datetime' || typeof value !== 'string') continue;
    const at = zoned(value, zone);
    if (at !== value) changed[name] = at;
  }
  return Object.keys(changed).length === 0 ? fields : { ...fields, ...changed };
}

function zoned(text: string, zone: Zone): string {
  if (reads(parseInstant, text)) return text;
  if (reads(parseLocalDateTime, text)) return formatInstant(fromLocal(parseLocalDateTime(text), zone));
  if (reads(parseLocalDate, text)) return formatInstant(fromLocal({ ...parseLocalDate(text), ms: 0 }, zone));
  return text;
}
