/** Runs scenarios, each on a site of its own. */
import type { TestDatabase } from '../support/postgres.ts';
import { testRedis, type TestRedis } from '../support/redis.ts';
import { openSite } from './site.ts';
import { violations, type Backend, type ChaosSite, type Outcome, type Scale, type Scenario } from './scenario.ts';

/** A scenario that has run. */
export interface Row {
  readonly scenario: Scenario;
  readonly backend: Backend;
  readonly seed: number;
  readonly scale: Scale;
  /** null: it did not come to an end, or was not run. */
  readonly outcome: Outcome | null;
  /** Why it was not run. */
  readonly notHere?: string;
  /** Which lines it crossed, or why it did not come to an end. */
  readonly violations: readonly string[];
  readonly seconds: number;
}

/** A mail server thinks for a moment; of the mails that a killed process leaves, half have been taken and half have not. */
export const COUNTER = { thinkMs: 100, takesLate: true } as const;
/**
 * It answers every second mail at once: then the next but one is handed over while it thinks about the next. And it ends a
 * connection after some mails, as most servers do.
 */
export const MOODY = { ...COUNTER, quickEvery: 2, messagesPerConnection: 20 } as const;

/** What a site stands on instead of the run's PostgreSQL and, with `redis`, a Redis of its own. */
export interface Ground {
  readonly redis?: TestRedis;
  /** For a Redis that is not one server. */
  readonly redisUrl?: string;
  readonly database?: TestDatabase;
  /** Ends it, when the site is closed. */
  readonly close?: () => Promise<void>;
}

/** Opens the site that a scenario runs on unless it has its own way. @throws Error when there is no redis-server. */
export async function openChaosSite(
  backend: Backend,
  counter: Scenario['counter'] = COUNTER,
  ground: Ground = {},
): Promise<ChaosSite> {
  const isOwn = backend === 'redis' && ground.redis === undefined && ground.redisUrl === undefined;
  const redis = ground.redis ?? (isOwn ? await requiredRedis() : null);
  const site = await openSite(ground.redisUrl ?? redis?.url ?? null, counter, ground.database);
  return {
    ...site,
    backend,
    redis,
    close: async () => {
      await site.close();
      await redis?.stop();
      await ground.close?.();
    },
  };
}

/** Starts a Redis. `args` are more of its options. @throws Error when there is no redis-server. */
export async function requiredRedis(args: readonly string[] = []): Promise<TestRedis> {
  const redis = await testRedis(args);
  if (redis === null) throw new Error('there is no redis-server on the PATH: install it');
  return redis;
}

/** Runs one scenario over one queue; never rejects. */
export async function runScenario(scenario: Scenario, backend: Backend, seed: number, scale: Scale): Promise<Row> {
  const startedMs = performance.now();
  const row = { scenario, backend, seed, scale };
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1_000);
  let site: ChaosSite | null = null;
  try {
    const notHere = scenario.whyNotHere?.() ?? null;
    if (notHere !== null) return { ...row, outcome: null, notHere, violations: [], seconds: 0 };
    site = await (scenario.open?.(backend, scale, seed) ?? openChaosSite(backend, scenario.counter));
    const outcome = await scenario.run(site, seed, scale);
    return { ...row, outcome, violations: violations(outcome), seconds: seconds() };
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...row, outcome: null, violations: [`did not come to an end: ${reason}`], seconds: seconds() };
  } finally {
    await site?.close();
  }
}

/** The command that runs a row again. */
export function repeatWith({ scenario, backend, seed, scale }: Row): string {
  const short = scale === 'short' ? ' --short' : '';
  return `npm run chaos -- --seed ${seed} --scenario ${scenario.name} --backend ${backend}${short}`;
}
