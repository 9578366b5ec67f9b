/** The files of a simulation: customers and events as JSON lines. docs/playbooks.md. */
import { normaliseAddress, validateAddress } from '../message/address.ts';
import type { Json } from '../playbook/types.ts';
import { nearest } from '../playbook/nearest.ts';
import { parseInstant, parseLocalDate } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import type { Consent, CustomerEvent, Profile } from '../journey/types.ts';
import { failAt, objects, optional, tryParse, type Fail, type Fields, type Lines, type Row } from './rows.ts';

export { InputError } from './rows.ts';

/** A customer as a simulation knows it. */
export interface SimulatedCustomer {
  readonly profile: Profile;
  readonly consent: Consent;
}

/** The address that makes customers one reader; null for those who are a reader each: they have no valid one. */
export function readerAddress({ profile: { email } }: SimulatedCustomer): string | null {
  return email === null ? null : normaliseAddress(email);
}

/** An event with the customer it belongs to, and its line (from 1), which orders events of one instant. */
export interface SimulatedEvent {
  readonly customer: string;
  readonly event: CustomerEvent;
  readonly line: number;
}

const PLAIN_TEXT = ['email', 'name', 'first_name', 'last_name', 'timezone', 'locale'] as const;
const MOMENTS = ['created_at', 'first_order_at', 'last_order_at', 'last_seen_at'] as const;
const NUMBERS = ['orders', 'spent', 'satisfaction'] as const;
const CONSENT = ['suppressed', 'unsubscribed', 'subscribed'] as const;
const BUILT_IN: ReadonlySet<string> = new Set<string>([
  'id',
  'birthday',
  'tags',
  ...PLAIN_TEXT,
  ...MOMENTS,
  ...NUMBERS,
  ...CONSENT,
]);

/** The customers that are known by their ids. */
export interface Ids {
  has(id: string): boolean;
  keys(): Iterable<string>;
}

/** Reads customers. @throws InputError at the first line that is no customer, or whose id was there before. */
export function parseCustomers(text: Lines, file: string): readonly SimulatedCustomer[] {
  const ids = new Set<string>();
  return Array.from(readCustomers(text, file, ids), ({ customer }) => {
    ids.add(customer.profile.id);
    return customer;
  });
}

/**
 * Reads customers one by one; the caller adds each to `ids` before it takes the next.
 * @throws InputError at the first line that is no customer, or whose id is among `ids`.
 */
export function* readCustomers(
  text: Lines,
  file: string,
  ids: Ids,
): Iterable<{ readonly customer: SimulatedCustomer; readonly row: Row }> {
  for (const { fields, row } of objects(text, file)) {
    const fail = failAt(file, row.line);
    const { id } = fields;
    if (typeof id !== 'string' || id === '') return fail('a customer needs an "id", a text that is not empty');
    if (ids.has(id)) return fail(`the customer "${id}" is on an earlier line already`);
    yield { customer: customerOf(id, fields, fail), row };
  }
}

function customerOf(id: string, fields: Fields, fail: Fail): SimulatedCustomer {
  const text = (name: string): string | null => optional(fields, name, 'a text', isText, fail);
  const moment = (name: string): Instant | null => {
    const value = text(name);
    return value === null ? null : tryParse(() => parseInstant(value), name, fail);
  };
  const number = (name: string): number | null => optional(fields, name, 'a number', isNumber, fail);
  const list = (name: string): readonly string[] => optional(fields, name, 'a list of texts', isTexts, fail) ?? [];
  const birthday = text('birthday');
  if (birthday !== null) tryParse(() => parseLocalDate(birthday), 'birthday', fail);
  const attributes = Object.entries(fields).filter(([name]) => !BUILT_IN.has(name)) as [string, Json][];
  return {
    profile: {
      id,
      // The intake refuses what is no address, so such a customer has none there either.
      email: validateAddress(text('email') ?? ''),
      name: text('name'),
      first_name: text('first_name'),
      last_name: text('last_name'),
      timezone: text('timezone'),
      locale: text('locale'),
      birthday,
      created_at: moment('created_at'),
      tags: list('tags'),
      attributes: Object.fromEntries(attributes),
      orders: number('orders') ?? 0,
      spent: number('spent') ?? 0,
      first_order_at: moment('first_order_at'),
      last_order_at: moment('last_order_at'),
      last_seen_at: moment('last_seen_at'),
      satisfaction: number('satisfaction'),
    },
    consent: {
      suppressed: optional(fields, 'suppressed', 'true or false', isBoolean, fail) ?? false,
      unsubscribed: new Set(list('unsubscribed')),
      subscribed: new Set(list('subscribed')),
    },
  };
}

/**
 * Reads events, sorted by `at`, by line where equal; an id that came before in this order is dropped.
 * @throws InputError at a line that is no event, or that names a customer who is not among `customers`.
 */
export function parseEvents(text: Lines, file: string, customers: Ids): readonly SimulatedEvent[] {
  const known = new Map<string, string>();
  const events: SimulatedEvent[] = [];
  for (const { event: read, row } of readEvents(text, file, customers)) {
    // A customer's events share one text for its id, and all of a kind one for its name.
    const event = { ...read.event, event: shared(known, read.event.event) };
    events.push({ customer: shared(known, read.customer), line: row.line, event });
  }
  events.sort((a, b) => a.event.at - b.event.at || a.line - b.line);
  const seen = new Set<string>();
  return events.filter(({ event }) => !seen.has(event.id) && seen.add(event.id));
}

/**
 * Reads events one by one, as they are in the file.
 * @throws InputError at a line that is no event, or that names a customer who is not among `customers`.
 */
export function* readEvents(
  text: Lines,
  file: string,
  customers: Ids,
): Iterable<{ readonly event: SimulatedEvent; readonly row: Row }> {
  for (const { fields, row } of objects(text, file)) {
    yield { event: eventOf(fields, row.line, customers, failAt(file, row.line)), row };
  }
}

function shared(known: Map<string, string>, text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  known.set(text, text);
  return text;
}

function eventOf(fields: Fields, line: number, customers: Ids, fail: Fail): SimulatedEvent {
  const { id, customer, event, at } = fields;
  const data = fields['data'] ?? {};
  if (typeof id !== 'string' || id === '') return fail('an event needs an "id", a text that is not empty');
  if (typeof event !== 'string' || event === '') return fail('an event needs the name of the "event", a text');
  if (typeof customer !== 'string') return fail('an event needs a "customer", the id of one');
  if (!customers.has(customer)) {
    const close = nearest(customer, customers.keys());
    const hint = close === null ? 'add the customer to the customers file' : `did you mean "${close}"?`;
    return fail(`the customer "${customer}" is not among the customers; ${hint}`);
  }
  if (typeof at !== 'string') return fail('an event needs "at", a time with its offset such as 2026-03-02T09:15:00Z');
  if (typeof data !== 'object' || Array.isArray(data)) return fail('"data" must be an object, such as {"total": 42}');
  const moment = tryParse(() => parseInstant(at), 'at', fail);
  return { customer, line, event: { id, event, at: moment, data: data as Readonly<Record<string, Json>> } };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
