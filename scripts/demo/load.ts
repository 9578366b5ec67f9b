/** The sample's customers and history, taken in as any company's would be. */
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import type { Instant } from '../../engine/time/types.ts';
import type { Parts } from '../../workers/parts.ts';
import type { ReplayEvent } from '../../workers/replay.ts';
import type { Sample } from '../sample/types.ts';

const BATCH = 500;

/** What a sample comes to. */
export interface LoadedSample {
  readonly customers: number;
  /** Events before the period: facts only. */
  readonly history: number;
  /** Events of the period, to be replayed. */
  readonly events: readonly ReplayEvent[];
}

/** Takes in customers, what they said about topics, and the events before `from`; returns the rest. */
export async function loadSample(parts: Parts, sample: Sample, from: Instant): Promise<LoadedSample> {
  const lines = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  const customers = parseCustomers(lines(sample.customers), 'sample customers');
  const ids = new Set(customers.map((customer) => customer.profile.id));
  const events = parseEvents(lines(sample.events), 'sample events', ids).map(({ customer, event }): ReplayEvent => ({
    kind: 'track',
    customer,
    event,
    createIfMissing: false,
  }));
  const history = events.filter(({ event }) => event.at < from);
  await take(
    parts,
    customers.map(({ profile }) => ({ kind: 'identify', customer: profile.id, traits: traitsOf(profile) })),
    false,
  );
  for (const { profile, consent } of customers) {
    for (const topic of consent.unsubscribed) {
      const address = profile.email ?? '';
      await suppress(parts.db, { address, scope: topic, source: 'import', reason: null, by: 'demo' });
    }
  }
  await take(parts, history, true);
  return { customers: customers.length, history: history.length, events: events.slice(history.length) };
}

function traitsOf(
  profile: ReturnType<typeof parseCustomers>[number]['profile'],
): (Incoming & { kind: 'identify' })['traits'] {
  const { email, name, first_name, last_name, timezone, locale, birthday, created_at, tags, attributes } = profile;
  return { email, name, first_name, last_name, timezone, locale, birthday, created_at, tags, attributes };
}

async function take(parts: Parts, items: readonly Incoming[], history: boolean): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    const { rejected } = await ingest(parts.db, parts.cache, items.slice(start, start + BATCH), { history });
    if (rejected[0] !== undefined) throw new Error(`the sample is refused: ${rejected[0].message}`);
  }
}
