/** Where a fleet works: a real database with a deployed company, a queue, and a counter of mails. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { openQueue, prepareQueue, type HintQueue, type QueueLocation } from '../../engine/queue/queue.ts';
import { openReleaseCache, type ReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { setSteppedClock } from '../../workers/clock.ts';
import { openHints, type Hints } from '../../workers/hints.ts';
import { queuePrefixOf } from '../../workers/parts.ts';
import type { TestCertificate } from '../support/certificate.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { spawnSink, type SpawnedSink, type SpawnedSinkOptions } from '../support/smtp-sink.ts';
import { compileSources } from '../support/staff.ts';
import { writeCompany } from './company.ts';
import type { Rate } from './load.ts';
import { outerEnv, startFleet, type Fleet, type Post } from './fleet.ts';

/** The lanes of mail. */
export type MailLane = 'transactional' | 'bulk';

/** Business time at the start. */
const STARTS_AT = Date.parse('2026-03-02T10:00:00Z');
const CLI = path.resolve(import.meta.dirname, '../../bin/perennial.js');

/** Two that schedule, three that work: any of them may die. */
export const FLEET = ['scheduler', 'scheduler', 'advance,deliver', 'advance,deliver', 'advance,deliver'] as const;

/** Connections of each process and lane to the counter: so many mails may be in a conversation when it is killed. */
export const CONNECTIONS = 8;

/** Load that keeps every process at work. */
export const BUSY: Rate = { orders: 25, pauseMs: 150, maxBacklog: 800 };
/** Load of which something is always under way, on a machine with other things to do. */
export const QUIET: Rate = { orders: 8, pauseMs: 150, maxBacklog: 150 };

/** An open site. */
export interface Site {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly queue: HintQueue;
  readonly hints: Hints;
  readonly sink: SpawnedSink;
  startFleet(roles: readonly (string | Post)[]): Fleet;
  /** Deploys the company with these files changed, as its staff would. */
  deploy(changed: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the fleets that are left, and everything else. */
  close(): Promise<void>;
}

/** How the counter behaves. */
export type CounterOptions = SpawnedSinkOptions;

/** Opens a site. `redisUrl` null: the queue is on the same PostgreSQL. The counter is as told; `ground` is the database if not a new one of the run's. */
export async function openSite(
  redisUrl: string | null,
  counter: CounterOptions = {},
  ground?: TestDatabase,
): Promise<Site> {
  const database = ground ?? (await testDatabase());
  const folder = await testFolder();
  const db = openDatabase(database.url, { max: 6 });
  await migrate(db);
  await setSteppedClock(db, STARTS_AT);
  const backend: QueueLocation =
    redisUrl === null
      ? { kind: 'postgres', url: database.url }
      : { kind: 'redis', url: redisUrl, isTrusted: isLoopbackHost };
  await prepareQueue(backend);
  const log = pino({ level: 'silent' });
  const queue = await openQueue({ backend, prefix: await queuePrefixOf(db), log });
  const sink = await spawnSink(counter);
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: smtpUrlOf(sink, counter),
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
    PERENNIAL_SMTP_CONNECTIONS: String(CONNECTIONS),
    REDIS_URL: redisUrl ?? '',
    PERENNIAL_METRICS_PORT: '0',
    ...(counter.tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: await writeAuthority(counter.tls) }),
  };
  const deploy: Site['deploy'] = async (changed) => {
    await writeCompany(folder, changed);
    const args = [CLI, 'deploy', '--project', folder, '--by', 'test'];
    await promisify(execFile)(process.execPath, args, { env: { ...outerEnv(), ...env } });
  };
  await deploy({});
  const fleets: Fleet[] = [];
  return {
    db,
    cache: openReleaseCache(compileSources),
    queue,
    hints: openHints(queue, log),
    sink,
    deploy,
    startFleet: (roles) => {
      const fleet = startFleet({ folder, env, roles });
      fleets.push(fleet);
      return fleet;
    },
    close: async () => {
      await Promise.all(fleets.map(async (fleet) => fleet.close()));
      await queue.close();
      await db.close();
      await sink.close();
      await database.drop();
    },
  };
}

function smtpUrlOf(sink: SpawnedSink, { auth }: CounterOptions): string {
  const url = new URL(sink.url);
  url.username = auth?.user ?? '';
  url.password = auth?.pass ?? '';
  return url.href;
}

async function writeAuthority({ cert }: TestCertificate): Promise<string> {
  const file = path.join(await testFolder(), 'authority.pem');
  await writeFile(file, cert);
  return file;
}
