/** A simulation from the database: the days to come, from now on. Nothing is written. */
import { runAhead } from '../../engine/simulate/ahead.ts';
import type { ReaderRun } from '../../engine/simulate/reader-run.ts';
import { countCustomers, lookOnly, standingReaders, type Crowd } from '../../engine/store/look.ts';
import { asDeployed, ifDeployed, type Supposed } from '../../engine/store/if-deployed.ts';
import type { ReleaseCache, StoreContext } from '../../engine/store/context.ts';
import type { Database, Tx } from '../../engine/store/database.ts';
import { findCustomer } from '../../engine/store/people.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { addDays, atTime, localDate } from '../../engine/time/local.ts';
import { formatInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { notFound } from '../support/staff.ts';
import { many } from './columns.ts';
import { SourceError, type Source } from './source.ts';

/** What is looked at. */
export interface LiveInput {
  /** So many days from now, in the company's zone. */
  readonly days: number;
  /** The id or address of the only customer that is wanted; null: all. */
  readonly only: string | null;
}

/**
 * Opens one snapshot of the database and gives it to `work` as a source. A release of null is the deployed one; another
 * is run as if it were deployed now. @throws SourceError when nobody is wanted, StoreError when nothing is deployed.
 */
export async function withLive<T>(
  { db, cache }: { readonly db: Database; readonly cache: ReleaseCache },
  { days, only }: LiveInput,
  releases: readonly (Release | null)[],
  work: (source: Source) => Promise<T>,
): Promise<T> {
  return lookOnly(db, async (tx) => {
    const ctx = await cache.context(tx);
    const { now } = ctx;
    const until = daysAfter(now, days, ctx);
    const worlds = await Promise.all(
      releases.map(async (release) => (release === null ? asDeployed(ctx) : ifDeployed(tx, ctx, release, until))),
    );
    const id = only === null ? undefined : await idOf(tx, only);
    const crowd = await countCustomers(tx);
    const source: Source = {
      releases: worlds.map((world) => world.ctx.release),
      from: now,
      until,
      customers: id === undefined ? crowd.customers : 1,
      readers: readersOf(tx, ctx, worlds, { until, ...(id === undefined ? {} : { only: id }) }),
      notes: await notesOf(tx, ctx, crowd, releases),
    };
    return work(source);
  });
}

/** The same time of day so many days later. */
function daysAfter(now: Instant, days: number, { release }: StoreContext): Instant {
  const { zone } = release.company;
  const day = localDate(now, zone);
  return now + (atTime(addDays(day, days), 0, zone) - atTime(day, 0, zone));
}

async function* readersOf(
  tx: Tx,
  ctx: StoreContext,
  worlds: readonly Supposed[],
  { until, only }: { readonly until: Instant; readonly only?: number },
): AsyncGenerator<readonly ReaderRun[]> {
  // The log of hand-overs reaches back as far as the longest cap of any of them.
  const caps = worlds.flatMap((world) => world.ctx.release.company.caps);
  const company = { ...ctx.release.company, caps };
  const loading = { ...ctx, release: { ...ctx.release, company } };
  for await (const reader of standingReaders(tx, loading, { until, ...(only === undefined ? {} : { only }) })) {
    yield worlds.map((world) => {
      const states = reader.states.map((state) => world.stateOf(state));
      const onTheirWay = reader.onTheirWay.map((mail) => ({ ...mail, send: world.sendOf(mail.send) }));
      return runAhead({ ...reader, states, onTheirWay }, { ctx: world.ctx, now: ctx.now, until });
    });
  }
}

async function idOf(tx: Tx, idOrEmail: string): Promise<number> {
  const found = await findCustomer(tx, idOrEmail);
  if (found.outcome !== 'found') throw new SourceError(notFound(found, idOrEmail).text.trimEnd());
  const { id } = found.customer;
  const { rows } = await tx.query<{ workable: boolean }>(
    'select held_at is null and erased_at is null and merged_into is null as workable from customers where id = $1',
    [id],
  );
  if (rows[0]?.workable === true) return id;
  throw new SourceError(
    `Nothing goes on for the customer "${idOrEmail}", who is held or erased: see "perennial held".`,
  );
}

async function notesOf(
  tx: Tx,
  ctx: StoreContext,
  { held }: Crowd,
  releases: readonly (Release | null)[],
): Promise<readonly string[]> {
  const { rows } = await tx.query<{ scope: string }>('select scope from pauses order by scope');
  const paused = rows.map(({ scope }) => (scope === '*' ? 'all playbooks' : scope));
  const [release = null] = releases;
  return [
    `As things stand at ${formatInstant(ctx.now)}, if nothing happens but what is due: no orders, no visits.`,
    release === null
      ? `Under the deployed release ${ctx.releaseId.slice(0, 12)}.`
      : 'Under the files of the company folder, as if they were deployed now.',
    ...(paused.length === 0 ? [] : [`Paused, so that nothing in them goes on: ${paused.join(', ')}.`]),
    ...(held === 0 ? [] : [`Left out because they are held: ${many(held, 'customer')}; see "perennial held".`]),
  ];
}
