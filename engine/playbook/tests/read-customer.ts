import { formatLocalDate } from '../../time/text.ts';
import type { Instant, LocalDate } from '../../time/types.ts';
import { zone } from '../../time/zone.ts';
import { CUSTOMER_FIELDS } from '../declarations.ts';
import { type Moment, startOfMoment } from '../schema/moment.ts';
import type { CustomerSource } from '../schema/playbook-test.ts';
import type { Json } from '../types.ts';
import { checkValues, type Reading, unknown, zoneOfCustomer } from './context.ts';
import type { TestChange, TestCustomer } from './types.ts';

/** What may stand under `change:`, besides attributes. */
export type ChangeSource = Pick<
  CustomerSource,
  | 'name'
  | 'first_name'
  | 'last_name'
  | 'timezone'
  | 'locale'
  | 'birthday'
  | 'tags'
  | 'suppressed'
  | 'unsubscribed'
  | 'subscribed'
>;

const CONSENT = ['suppressed', 'unsubscribed', 'subscribed'];
const OWN_KEYS: ReadonlySet<string> = new Set([...CUSTOMER_FIELDS.keys(), ...CONSENT]);

/** Those keys of a customer that name attributes; what the engine keeps itself cannot be given. */
function attributesOf(
  reading: Reading,
  source: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
): Readonly<Record<string, Json>> {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source)) {
    if (given.has(name)) continue;
    if (OWN_KEYS.has(name)) {
      const message = `\`${name}\` is kept by the engine and cannot be given here`;
      reading.report.atKey(source, name, { code: 'not-given', message, fix: 'leave it out, or let events bring it' });
    } else attributes[name] = value;
  }
  const types = reading.release.company.attributes;
  checkValues(reading, source, attributes, { types, what: 'attribute', alsoKnown: [...given] });
  return attributes as Readonly<Record<string, Json>>;
}

function checkTopics(reading: Reading, source: ChangeSource): void {
  const known = Object.keys(reading.release.company.topics);
  for (const topics of [source.unsubscribed, source.subscribed]) {
    for (const [index, name] of (topics ?? []).entries()) {
      if (known.includes(name)) continue;
      const message = `the topic \`${name}\` is declared nowhere`;
      unknown(reading, topics ?? [], index, { code: 'unknown-topic', message, name, known });
    }
  }
}

function checkZone({ report }: Reading, source: ChangeSource): void {
  if (source.timezone === undefined || zone(source.timezone) !== null) return;
  const message = `\`${source.timezone}\` is no IANA zone: the company's holds, as it would for such a customer`;
  report.at(source, 'timezone', { code: 'unknown-zone', level: 'hint', message, fix: 'such as `Europe/Berlin`' });
}

const dateText = (date: LocalDate | undefined): string | null => (date === undefined ? null : formatLocalDate(date));

const GIVEN: ReadonlySet<string> = new Set([...OWN_KEYS].filter((name) => name !== 'stage'));

/** Reads a customer of a test. */
export function readCustomer(reading: Reading, source: CustomerSource): TestCustomer {
  checkTopics(reading, source);
  checkZone(reading, source);
  const timezone = source.timezone ?? null;
  const home = zoneOfCustomer({ timezone }, reading);
  const instant = (moment: Moment | undefined): Instant | null =>
    moment === undefined ? null : startOfMoment(moment, home);
  return {
    id: source.id,
    email: source.email ?? null,
    name: source.name ?? null,
    first_name: source.first_name ?? null,
    last_name: source.last_name ?? null,
    timezone,
    locale: source.locale ?? null,
    birthday: dateText(source.birthday),
    created_at: instant(source.created_at),
    tags: source.tags ?? [],
    attributes: attributesOf(reading, source, GIVEN),
    orders: source.orders ?? 0,
    spent: source.spent ?? 0,
    first_order_at: instant(source.first_order_at),
    last_order_at: instant(source.last_order_at),
    last_seen_at: instant(source.last_seen_at),
    satisfaction: source.satisfaction ?? null,
    suppressed: source.suppressed ?? false,
    unsubscribed: source.unsubscribed ?? [],
    subscribed: source.subscribed ?? [],
  };
}

const TEXTS = ['name', 'first_name', 'last_name', 'timezone', 'locale', 'tags'] as const;
const CHANGEABLE: ReadonlySet<string> = new Set([...TEXTS, 'birthday', ...CONSENT]);

/** Reads what changes about a customer. */
export function readChange(reading: Reading, source: ChangeSource): TestChange {
  checkTopics(reading, source);
  checkZone(reading, source);
  const texts = TEXTS.flatMap((name) => (source[name] === undefined ? [] : [[name, source[name]] as const]));
  const birthday = source.birthday === undefined ? {} : { birthday: formatLocalDate(source.birthday) };
  return {
    profile: { ...Object.fromEntries(texts), ...birthday },
    attributes: attributesOf(reading, source, CHANGEABLE),
    suppressed: source.suppressed,
    unsubscribed: source.unsubscribed,
    subscribed: source.subscribed,
  };
}
