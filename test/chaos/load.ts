/** Steady load: orders of new customers come in, and the business clock runs a minute in every round. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { classifyFailure } from '../../engine/store/failures.ts';
import { businessNow } from '../../engine/store/database.ts';
import { setSteppedClock, stepUntil } from '../../workers/clock.ts';
import type { Site } from './site.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** How much comes in. */
export interface Rate {
  /** Orders in each round. */
  readonly orders: number;
  /** Between two rounds. */
  readonly pauseMs: number;
  /** No orders come in while so many mails are due. */
  readonly maxBacklog: number;
}

/** Load on a site. */
export interface Load {
  /** Keys of the customers whose order was taken in: what was promised. */
  readonly customers: readonly string[];
  start(rate: Rate): void;
  /** Ends after the round under way. */
  stop(): Promise<void>;
  /** Runs the clock on until nothing is due any more; the fleet has to be there. @throws Error when it never comes. */
  finish(): Promise<void>;
  /** Why no more load comes although it was not stopped. */
  failure(): Error | null;
  /** Mails that are due and not settled. */
  backlog(): Promise<number>;
}

/** How load comes in. */
export interface LoadOptions {
  /** Tries again while the database is away, as whoever sends events does that are not taken in. Default: false. */
  readonly isPatient?: boolean;
}

const AGAIN_AFTER_MS = 100;

/** Makes ready to load a site. */
export function openLoad(site: Site, { isPatient = false }: LoadOptions = {}): Load {
  const customers: string[] = [];
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let failure: Error | null = null;

  const backlog = async (): Promise<number> => {
    const { rows } = await site.db.query<{ n: number }>(
      `select count(*) as n from sends, engine
       where status in ('planned', 'claimed', 'handed') and due_at <= engine.stepped_at`,
    );
    return rows[0]?.n ?? 0;
  };
  const round = async (rate: Rate): Promise<void> => {
    const now = await businessNow(site.db);
    if ((await backlog()) < rate.maxBacklog) {
      const keys = Array.from({ length: rate.orders }, (_, n) => `c${customers.length + n}`);
      await takeIn(site, keys, now);
      customers.push(...keys);
    }
    await setSteppedClock(site.db, now + MINUTE_MS);
  };
  return {
    customers,
    backlog,
    failure: () => failure,
    start: (rate) => {
      stopping = new AbortController();
      const { signal } = stopping;
      running = (async () => {
        while (!signal.aborted) {
          await (isPatient ? patiently(async () => round(rate), signal) : round(rate));
          await sleep(rate.pauseMs);
        }
      })();
      // Whoever stops the load, or waits for what it brings, hears of it.
      running.catch((error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error));
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    finish: async () => {
      const signals = { wake: () => undefined, worked: async () => sleep(50, false) };
      await stepUntil(site.db, signals, (await businessNow(site.db)) + DAY_MS);
    },
  };
}

/** Until it succeeds: events that were taken in and not confirmed are known by their ids the next time. */
async function patiently(round: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await round();
    } catch (error) {
      if (classifyFailure(error) !== 'fatal') throw error;
      await sleep(AGAIN_AFTER_MS);
    }
  }
}

/** As the intake does it: commit, then hint. */
async function takeIn(site: Site, keys: readonly string[], at: number): Promise<void> {
  const batch = keys.flatMap((customer): Incoming[] => [
    { kind: 'identify', customer, traits: { email: addressOf(customer) } },
    {
      kind: 'track',
      customer,
      event: { id: `order-${customer}`, event: 'order.placed', at, data: { total: 10 } },
      createIfMissing: false,
    },
  ]);
  const taken = await ingest(site.db, site.cache, batch, { history: false });
  // Tried again, they may have been taken in already.
  const known = taken.accepted + taken.duplicates;
  if (known !== batch.length) throw new Error(`of ${batch.length} items ${known} were taken in`);
  void site.hints.send({ ...taken.planned, advance: taken.due });
}

/** The address of a customer. */
export function addressOf(customer: string): string {
  return `${customer}@example.com`;
}
