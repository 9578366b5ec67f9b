import { zone } from '../../time/zone.ts';
import type { Instant, Zone } from '../../time/types.ts';
import { expectation } from '../check/attributes.ts';
import type { DeclaredType } from '../cel/context.ts';
import { nearest } from '../nearest.ts';
import type { Complaint, Report } from '../read/report.ts';
import { endOfMoment, type Moment, startOfMoment } from '../schema/moment.ts';
import type { Playbook, Release } from '../types.ts';
import type { TestCustomer } from './types.ts';

/** What reading the tests of one file shares. */
export interface Reading {
  readonly report: Report;
  readonly release: Release;
}

/** What reading the parts of one test shares. */
export interface InTest extends Reading {
  readonly customers: readonly TestCustomer[];
  readonly from: Instant;
  readonly until: Instant;
  /** Those that run. */
  readonly inPlay: readonly Playbook[];
  /** The playbook that the file is named after. */
  readonly own: string | null;
}

/** A customer's zone, as production finds it. */
export function zoneOfCustomer(customer: { readonly timezone: string | null }, { release }: Reading): Zone {
  return (customer.timezone === null ? null : zone(customer.timezone)) ?? release.company.zone;
}

/** A name that is not among the known ones. */
interface UnknownName {
  readonly code: string;
  readonly message: string;
  readonly name: string;
  readonly known: Iterable<string>;
}

/** Complains about a name that is not among the known ones; the nearest is the fix. */
export function unknown({ report }: Reading, owner: object, key: string | number, name: UnknownName): void {
  report.at(owner, key, complaintOf(name));
}

function complaintOf({ code, message, name, known }: UnknownName): Complaint {
  const all = [...new Set(known)];
  const near = nearest(name, all);
  const few = all.length > 0 && all.length <= 6 ? `there is ${all.map((one) => `\`${one}\``).join(', ')}` : null;
  return { code, message, fix: near === null ? few : `did you mean \`${near}\`?` };
}

/** Checks values by their declared types: attributes, or the data of an event. */
export function checkValues(
  reading: Reading,
  owner: object,
  values: Readonly<Record<string, unknown>>,
  declared: {
    readonly types: Readonly<Record<string, DeclaredType>>;
    /** Such as `attribute`. */
    readonly what: string;
    /** Further names for the nearest. */
    readonly alsoKnown: readonly string[];
  },
): void {
  for (const [name, value] of Object.entries(values)) {
    const type = Object.hasOwn(declared.types, name) ? declared.types[name] : undefined;
    if (type === undefined) {
      const message = `the ${declared.what} \`${name}\` is declared nowhere`;
      const known = [...Object.keys(declared.types), ...declared.alsoKnown];
      reading.report.atKey(owner, name, complaintOf({ code: 'unknown-field', message, name, known }));
      continue;
    }
    const expected = expectation(type, value);
    const message = `\`${name}\` is declared as ${type}: expected ${expected ?? ''}`;
    if (expected !== null) reading.report.at(owner, name, { code: 'wrong-type', message });
  }
}

/** Whom something is about; null, and a complaint, where that cannot be known. */
export function customerFor(
  inTest: InTest,
  owner: { readonly customer?: string | undefined },
  what: string,
): TestCustomer | null {
  const { customers, report } = inTest;
  if (owner.customer === undefined) {
    if (customers.length === 1) return customers[0] ?? null;
    report.at(owner, null, {
      code: 'missing-key',
      message: `whose ${what}? the test has several customers`,
      fix: 'add `customer:`',
    });
    return null;
  }
  checkCustomer(inTest, owner, owner.customer);
  return customers.find(({ id }) => id === owner.customer) ?? null;
}

/** Complains about the id of nobody. */
export function checkCustomer(inTest: InTest, owner: object, name: string): void {
  const known = inTest.customers.map(({ id }) => id);
  if (known.includes(name)) return;
  unknown(inTest, owner, 'customer', {
    code: 'unknown-customer',
    message: `no customer of this test is called \`${name}\``,
    name,
    known,
  });
}

/** Complains about a time outside of the test's: nothing can happen then. */
export function checkTime(
  { report, from, until }: InTest,
  owner: { readonly at?: Moment | undefined },
  zoneOfIt: Zone,
  mayBeBefore = false,
): void {
  if (owner.at === undefined) return;
  const isAfter = startOfMoment(owner.at, zoneOfIt) >= until;
  const isBefore = endOfMoment(owner.at, zoneOfIt) <= from;
  if (isAfter) report.at(owner, 'at', { code: 'outside', message: 'this is at or after `until`, where the test ends' });
  else if (isBefore && !mayBeBefore)
    report.at(owner, 'at', { code: 'outside', message: 'this is before `from`, where the test begins' });
}
