/** The real pipeline for tests: PostgreSQL, BullMQ and SMTP into a counting sink, under the stepped clock. */
import { pino } from 'pino';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { compareLines, timelineOf } from '../../engine/store/timeline.ts';
import type { Line } from '../../engine/journey/types.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { SimulatedCustomer, SimulatedEvent } from '../../engine/simulate/input.ts';
import type { Instant } from '../../engine/time/types.ts';
import { setSteppedClock } from '../../workers/clock.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine } from '../../workers/engine.ts';
import { compileSources, openConfiguredDatabase, type Parts } from '../../workers/parts.ts';
import { replay, type ReplayEvent } from '../../workers/replay.ts';
import { testDatabase } from './postgres.ts';
import { startSink, type Taken } from './smtp-sink.ts';

/** What to run. Events before `from` are history. */
export interface PipelineRun {
  readonly sources: readonly SourceFile[];
  readonly customers: readonly SimulatedCustomer[];
  readonly events: readonly SimulatedEvent[];
  readonly from: Instant;
  readonly until: Instant;
  /** null: the queue is on PostgreSQL. */
  readonly redisUrl: string | null;
  /** A database that is migrated already; by default one of its own. */
  readonly databaseUrl?: string;
}

/** What came of it. */
export interface PipelineResult {
  /** Sorted by `compareLines`. */
  readonly timeline: readonly Line[];
  /** What the SMTP side took. */
  readonly taken: readonly Taken[];
}

const BATCH = 500;

/** Runs a company through the real pipeline on a database of its own. */
export async function runPipeline(run: PipelineRun): Promise<PipelineResult> {
  const { databaseUrl } = run;
  const database =
    databaseUrl === undefined ? await testDatabase() : { url: databaseUrl, drop: () => Promise.resolve() };
  const sink = await startSink();
  const log = pino({ level: 'silent' });
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: sink.url,
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
    ...(run.redisUrl === null ? {} : { REDIS_URL: run.redisUrl }),
  };
  const config = readConfig(env, '/');
  try {
    await deployAt(run);
    const engine = await startEngine({
      config,
      log,
      roles: ['scheduler', 'advance', 'deliver'],
      followFiles: false,
    });
    try {
      const { parts, fleet } = engine;
      const { from, until } = run;
      await loadHistory(parts, run);
      const events = run.events.filter(({ event }) => event.at >= from).map(replayed);
      await replay({ parts, fleet, events, from, until });
      return { timeline: await timelineOf(parts.db, undefined, from, until), taken: [...sink.taken] };
    } finally {
      await engine.close();
    }
  } finally {
    await sink.close();
    await database.drop();
  }

  /** Triggers look forward from the deployment, so it happens at `from`. */
  async function deployAt({ sources, from }: PipelineRun): Promise<void> {
    const { db, close } = await openConfiguredDatabase(config, log, { max: 2 });
    try {
      await setSteppedClock(db, from);
      await deployRelease(db, compileSources, sources, { author: 'test', note: null, gitCommit: null });
    } finally {
      await close();
    }
  }
}

/** Customers, what their addresses allow, and the events before `from`. */
export async function loadHistory(
  { db, cache }: Pick<Parts, 'db' | 'cache'>,
  run: Pick<PipelineRun, 'customers' | 'events' | 'from'>,
): Promise<void> {
  const takeAll = async (items: readonly Incoming[], history: boolean): Promise<void> => {
    for (let start = 0; start < items.length; start += BATCH) {
      const { rejected } = await ingest(db, cache, items.slice(start, start + BATCH), { history });
      if (rejected[0] !== undefined) throw new Error(rejected[0].message);
    }
  };
  const identities = run.customers.map(({ profile }): Incoming => {
    const { email, name, first_name, last_name, timezone, locale, birthday, created_at, tags, attributes } = profile;
    const names = { name, first_name, last_name };
    const traits = { email, ...names, timezone, locale, birthday, created_at, tags, attributes };
    return { kind: 'identify', customer: profile.id, traits };
  });
  await takeAll(identities, false);
  for (const { profile, consent } of run.customers) {
    const scopes = [...(consent.suppressed ? ['*'] : []), ...consent.unsubscribed];
    for (const scope of scopes) {
      const address = profile.email ?? '';
      await suppress(db, { address, scope, source: 'import', reason: null, by: 'test' });
    }
  }
  await takeAll(run.events.filter(({ event }) => event.at < run.from).map(replayed), true);
}

/** An event as the replay takes it. */
export function replayed({ customer, event }: SimulatedEvent): ReplayEvent {
  return { kind: 'track', customer, event, createIfMissing: false };
}

/** Lines of a simulation in the order in which rows can be compared with them. */
export function comparable(lines: readonly Line[]): readonly Line[] {
  return lines.map(({ ...line }) => line).sort(compareLines);
}
