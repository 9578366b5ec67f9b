/** A shop whose orders bring five mails each, the program as its operator runs it, and a counter at the other end of SMTP. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { businessNow, openDatabase, type Database } from '../../engine/store/database.ts';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { setSteppedClock, stepUntil } from '../../workers/clock.ts';
import { writeCompany } from '../chaos/company.ts';
import { outerEnv, startFleet, type Fleet } from '../chaos/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';
import { compileSources } from '../support/staff.ts';

const CLI = path.resolve(import.meta.dirname, '../../bin/perennial.js');
const STARTS_AT = Date.parse('2026-03-02T10:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** The mails that an order brings, by their template. */
export const LETTERS = ['receipt', 'care', 'hello', 'tips', 'again'] as const;

/** An order that the shop has made, and would send again. */
export interface Order {
  readonly customer: string;
  readonly at: number;
}

/** How a command ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A database with its clock. */
export interface Place {
  readonly db: Database;
  readonly url: string;
  /** New orders of new customers, now. */
  sell(count: number): Promise<readonly Order[]>;
  /** Sends orders, perhaps once more. */
  take(orders: readonly Order[]): Promise<void>;
  /** Sets the clock a minute on. */
  minute(): Promise<void>;
  /** Runs the clock on for a day, with a fleet that works. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** The folder of a company, and a mail server. */
export interface Shop {
  readonly folder: string;
  readonly sink: Sink;
  /** Subjects of all mails that arrived, such as `receipt for c7`, with how often. */
  arrived(): ReadonlyMap<string, number>;
  run(args: readonly string[], databaseUrl: string | null, more?: NodeJS.ProcessEnv): Promise<Ran>;
  startFleet(databaseUrl: string, roles: readonly string[], redisUrl?: string): Fleet;
  close(): Promise<void>;
}

/** Opens a shop whose mail server thinks for `thinkMs` about each mail. */
export async function openShop(thinkMs: number): Promise<Shop> {
  const folder = await testFolder();
  await writeCompany(folder);
  const sink = await startSink({ keep: true, thinkMs, takesLate: true });
  const fleets: Fleet[] = [];
  const envOf = (databaseUrl: string | null, redisUrl = ''): Record<string, string> => ({
    DATABASE_URL: databaseUrl ?? '',
    REDIS_URL: redisUrl,
    SMTP_URL: sink.url,
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
    PERENNIAL_PUBLIC_PORT: '0',
  });
  return {
    folder,
    sink,
    arrived: () => {
      const counts = new Map<string, number>();
      for (const source of sink.sources) {
        const [, subject = ''] = /^Subject: (.*?)\r$/m.exec(source.toString('latin1')) ?? [];
        counts.set(subject, (counts.get(subject) ?? 0) + 1);
      }
      return counts;
    },
    run: async (args, databaseUrl, more = {}) =>
      new Promise((resolve) => {
        const env = { ...outerEnv(), ...envOf(databaseUrl), ...more };
        const all = [CLI, ...args, '--project', folder];
        execFile(process.execPath, all, { env, maxBuffer: 10_000_000 }, (error, out, err) => {
          resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
        });
      }),
    startFleet: (databaseUrl, roles, redisUrl) => {
      const fleet = startFleet({ folder, env: envOf(databaseUrl, redisUrl), roles });
      fleets.push(fleet);
      return fleet;
    },
    close: async () => {
      await Promise.all(fleets.map(async (fleet) => fleet.close()));
      await sink.close();
    },
  };
}

let sold = 0;

/** Opens a database, whose clock is set to the start unless `at` says otherwise. */
export async function openPlace(url: string, at: number = STARTS_AT): Promise<Place> {
  const db = openDatabase(url, { max: 4 });
  await migrate(db);
  await setSteppedClock(db, at);
  const cache = openReleaseCache(compileSources);
  const take: Place['take'] = async (orders) => {
    const items = orders.flatMap(({ customer, at: orderedAt }): Incoming[] => [
      { kind: 'identify', customer, traits: { email: `${customer}@example.com` } },
      {
        kind: 'track',
        customer,
        event: { id: `order-${customer}`, event: 'order.placed', at: orderedAt, data: { total: 10 } },
        createIfMissing: false,
      },
    ]);
    await ingest(db, cache, items, { history: false });
  };
  return {
    db,
    url,
    take,
    sell: async (count) => {
      const now = await businessNow(db);
      const orders = Array.from({ length: count }, () => ({ customer: `c${(sold += 1)}`, at: now }));
      await take(orders);
      return orders;
    },
    minute: async () => setSteppedClock(db, (await businessNow(db)) + MINUTE_MS),
    finish: async () => {
      const signals = { wake: () => undefined, worked: async () => sleep(50, false) };
      await stepUntil(db, signals, (await businessNow(db)) + DAY_MS);
    },
    close: async () => db.close(),
  };
}

/** An empty database. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return testDatabase();
}

/** What the record says of each mail: `receipt for c7` and its state. */
export async function onRecord(db: Database): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ mail: string; status: string }>(
    `select split_part(s.template, '/', 2) || ' for ' || c.key as mail, s.status
     from sends s join customers c on c.id = s.customer_id`,
  );
  return new Map(rows.map(({ mail, status }) => [mail, status]));
}
