/** How dates, money and numbers read in a customer's language. The only place of this room that knows luxon and Intl. */
import { DateTime } from 'luxon';
import type { Instant } from '../time/types.ts';
import { RenderError } from './scope.ts';

/** For whom a value is written. */
export interface Reader {
  readonly locale: string;
  /** IANA name. */
  readonly zone: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/;
/** Intl formatters are costly to make and there are few combinations; beyond this many the cache starts anew. */
const MAX_FORMATTERS = 500;

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();
const plurals = new Map<string, Intl.PluralRules>();
const lists = new Map<string, Intl.ListFormat>();

/**
 * A day or an instant in words: by default the locale's long date, else by luxon's tokens (`d MMMM yyyy, HH:mm`).
 * Takes `YYYY-MM-DD` (a day, the same in every zone), an Instant, or ISO 8601 with an offset.
 * @throws {RenderError} `bad-value`
 */
export function formatDate(value: unknown, format: string | null, reader: Reader): string {
  const isDay = typeof value === 'string' && DAY.test(value);
  const at = isDay ? Date.parse(`${value}T00:00:00Z`) : instantOf(value);
  if (at === null || Number.isNaN(at)) {
    throw new RenderError(
      'bad-value',
      'date',
      `date cannot read ${show(value)}: expected a day (2026-03-02), an instant, or a time with an offset`,
    );
  }
  const zone = isDay ? 'UTC' : reader.zone;
  if (format === null) return longDate(reader.locale, zone).format(at);
  return DateTime.fromMillis(at, { zone, locale: reader.locale }).toFormat(format);
}

/**
 * An amount with its currency as the locale writes it (£12.50). `currency` is an ISO 4217 code.
 * @throws {RenderError} `bad-value`
 */
export function formatMoney(amount: unknown, currency: unknown, reader: Reader): string {
  if (typeof currency !== 'string' || !/^[A-Za-z]{3}$/.test(currency)) {
    throw new RenderError('bad-value', 'money', `money needs a currency such as "GBP", not ${show(currency)}`);
  }
  const code = currency.toUpperCase();
  return numberFormat(reader.locale, code).format(numeric('money', amount));
}

/**
 * A number with the locale's separators.
 * @throws {RenderError} `bad-value`
 */
export function formatNumber(value: unknown, reader: Reader): string {
  return numberFormat(reader.locale, null).format(numeric('number', value));
}

/** The forms of a number that languages know, as CLDR names them. */
export const PLURAL_FORMS = ['zero', 'one', 'two', 'few', 'many', 'other'] as const;

/**
 * The form of words that the locale has for a number, `#` in it being the number. `forms` are pairs of name and words, `other`
 * among them; `zero` is also for 0 itself, in every language.
 * @throws {RenderError} `bad-value`
 */
export function formatPlural(value: unknown, forms: readonly unknown[], reader: Reader): string {
  const count = numeric('plural', value);
  const words = new Map(forms.flatMap((name, index) => (index % 2 === 0 ? [[name, forms[index + 1]] as const] : [])));
  const rules = cached(plurals, reader.locale, () => new Intl.PluralRules(reader.locale));
  const form = (count === 0 ? words.get('zero') : undefined) ?? words.get(rules.select(count)) ?? words.get('other');
  return String(form).replaceAll('#', () => formatNumber(count, reader));
}

/**
 * A list as a sentence has it: `a, b and c`, or with `or`; `of` names a field of its items. Null, hence no value, when it is empty.
 * @throws {RenderError} `bad-value`
 */
export function formatList(value: unknown, kind: unknown, of: unknown, reader: Reader): string | null {
  if (!Array.isArray(value)) throw new RenderError('bad-value', 'list', `list needs a list, not ${show(value)}`);
  if (kind !== null && kind !== 'and' && kind !== 'or') {
    throw new RenderError('bad-value', 'list', `list joins by "and" or by "or", not by ${show(kind)}`);
  }
  if (value.length === 0) return null;
  const type = kind === 'or' ? 'disjunction' : 'conjunction';
  const { locale } = reader;
  const format = cached(lists, `${locale} ${type}`, () => new Intl.ListFormat(locale, { style: 'long', type }));
  return format.format(value.map((item: unknown) => itemWords(item, of, reader)));
}

function itemWords(item: unknown, of: unknown, reader: Reader): string {
  const isRecord = typeof item === 'object' && item !== null;
  const field = typeof of === 'string' ? of : null;
  const words: unknown =
    field !== null && isRecord && Object.hasOwn(item, field) ? (item as Record<string, unknown>)[field] : item;
  if (typeof words === 'string') return words;
  if (typeof words === 'number') return formatNumber(words, reader);
  const hint = isRecord && field === null ? ': name the field of its items, as in of="title"' : '';
  throw new RenderError('bad-value', 'list', `list cannot print an item ${show(item)}${hint}`);
}

function instantOf(value: unknown): Instant | null {
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) <= 8.64e15 ? value : null;
  return typeof value === 'string' && WITH_OFFSET.test(value) ? Date.parse(value) : null;
}

function numeric(helper: string, value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new RenderError('bad-value', helper, `${helper} needs a number, not ${show(value)}`);
}

function numberFormat(locale: string, currency: string | null): Intl.NumberFormat {
  const options = currency === null ? {} : ({ style: 'currency', currency } as const);
  return cached(numbers, `${locale} ${currency ?? ''}`, () => new Intl.NumberFormat(locale, options));
}

function longDate(locale: string, timeZone: string): Intl.DateTimeFormat {
  return cached(dates, `${locale} ${timeZone}`, () => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }));
}

function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  let formatter = cache.get(key);
  if (formatter === undefined) {
    if (cache.size >= MAX_FORMATTERS) cache.clear();
    formatter = make();
    cache.set(key, formatter);
  }
  return formatter;
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}
