import { daysInMonth, isLeapYear } from '../../engine/time/calendar.ts';
import { formatInstant, formatLocalDate } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import * as names from './names.ts';
import type { NamePool } from './names.ts';
import { between, chance, pick, pickWeighted } from './random.ts';
import type { Random } from './random.ts';
import type { SampleCustomer } from './types.ts';

/** Where a customer lives. */
export interface Place {
  readonly timezone: string;
  readonly locale: string;
  readonly pools: readonly (readonly [number, NamePool])[];
}

const MIXED: Place['pools'] = [
  [60, names.ENGLISH],
  [7, names.IRISH],
  [10, names.SOUTH_ASIAN],
  [5, names.WEST_AFRICAN],
  [5, names.POLISH],
  [4, names.ITALIAN],
  [4, names.FRENCH],
  [3, names.NORDIC],
  [2, names.TURKISH],
];

// The letters are in English, so dates and amounts are written in an English way everywhere.
const PLACES: readonly (readonly [number, Place])[] = [
  [81, { timezone: 'Europe/London', locale: 'en-GB', pools: MIXED }],
  [
    8,
    {
      timezone: 'Europe/Berlin',
      locale: 'en-GB',
      pools: [
        [70, names.GERMAN],
        [20, names.TURKISH],
        [10, names.POLISH],
      ],
    },
  ],
  [6, { timezone: 'America/New_York', locale: 'en-US', pools: MIXED }],
  [5, { timezone: 'Australia/Sydney', locale: 'en-AU', pools: MIXED }],
];

/** Draws where somebody lives: four in five in Britain, the others in Berlin, New York and Sydney. */
export function drawPlace(random: Random): Place {
  return pickWeighted(random, PLACES);
}

/** Draws the profile of customer `number`, who signed up at `createdAt`; some of it stays unknown, as in life. */
export function drawPerson(random: Random, number: number, place: Place, createdAt: Instant): SampleCustomer {
  const pool = pickWeighted(random, place.pools);
  const [first, last] = [pick(random, pool.first), pick(random, pool.last)];
  const birthday = drawBirthday(random);
  const named = chance(random, 0.95);
  const local = named ? `${plainLocalPart(first, last)}.${number}` : `customer.${number}`;
  return {
    id: `c${String(number).padStart(5, '0')}`,
    ...(chance(random, 0.99) ? { email: `${local}@customers.hearth.example` } : {}),
    ...(named ? { name: `${first} ${last}`, first_name: first, last_name: last } : {}),
    timezone: place.timezone,
    locale: place.locale,
    ...(chance(random, 0.75) ? { birthday } : {}),
    created_at: formatInstant(createdAt),
    ...(chance(random, 0.02) ? { tags: ['trade'] } : {}),
    ...(chance(random, 0.03) ? { unsubscribed: ['news'] } : {}),
  };
}

function plainLocalPart(first: string, last: string): string {
  return `${names.plainLetters(first)}.${names.plainLetters(last)}`;
}

/** One in fifty is born on 29 February, far more than in life, so that even a small sample has some. */
function drawBirthday(random: Random): string {
  const year = between(random, 1942, 2005);
  if (chance(random, 0.02)) return formatLocalDate({ year: year - (year % 4), month: 2, day: 29 });
  const month = between(random, 1, 12);
  const days = month === 2 && isLeapYear(year) ? 28 : daysInMonth(year, month);
  return formatLocalDate({ year, month, day: between(random, 1, days) });
}
