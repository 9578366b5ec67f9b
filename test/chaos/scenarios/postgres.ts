/** PostgreSQL is restarted, has no connection left, and has no space left on its disk, while a fleet works on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ownPostgres, whyNoDisk, type OwnPostgres, type OwnPostgresOptions } from '../../support/own-postgres.ts';
import { onGround, untilServed, type AtWork } from '../ground.ts';
import { randomFrom } from '../random.ts';
import { COUNTER, openChaosSite } from '../runner.ts';
import type { Backend, ChaosSite, Scenario } from '../scenario.ts';

const serverOf = new WeakMap<ChaosSite, OwnPostgres>();

async function openOwn(backend: Backend, options: OwnPostgresOptions = {}): Promise<ChaosSite> {
  const server = await ownPostgres(options);
  const site = await openChaosSite(backend, COUNTER, {
    // Its database goes with the server.
    database: { url: server.url, drop: async () => undefined },
    close: async () => server.close(),
  });
  serverOf.set(site, server);
  return site;
}

function serverUnder(site: ChaosSite): OwnPostgres {
  const server = serverOf.get(site);
  if (server === undefined) throw new Error('this site has no PostgreSQL of its own');
  return server;
}

const RESTARTS = { full: 20, short: 2 } as const;
const MAX_AWAY_MS = { full: 12_000, short: 3_000 } as const;
const MAX_BETWEEN_MS = 1_000;

export const postgresRestarted: Scenario = {
  name: 'postgres-restart',
  title: 'PostgreSQL restarted, fast and immediate',
  backends: ['postgres', 'redis'],
  open: async (backend) => openOwn(backend),
  run: async (site, seed, scale) => {
    const random = randomFrom(seed);
    const server = serverUnder(site);
    const act = async (work: AtWork) => {
      let recoveryMs = 0;
      for (let restarts = 0; restarts < RESTARTS[scale]; restarts += 1) {
        await sleep(random() * MAX_BETWEEN_MS);
        await server.stop(restarts % 2 === 0 ? 'immediate' : 'fast');
        await sleep(random() * MAX_AWAY_MS[scale]);
        await server.start();
        recoveryMs = Math.max(recoveryMs, await untilServed(work));
      }
      return { faults: RESTARTS[scale], recoveryMs, wrong: [] };
    };
    return onGround(site, act, { mayComplain: true });
  },
};

const SQUEEZES = { full: 5, short: 1 } as const;
const SQUEEZED_MS = { full: 10_000, short: 3_000 } as const;

export const postgresCrowded: Scenario = {
  name: 'postgres-connections',
  title: 'PostgreSQL out of connections',
  backends: ['postgres', 'redis'],
  open: async (backend) => openOwn(backend),
  run: async (site, _seed, scale) => {
    const act = async (work: AtWork) => {
      let recoveryMs = 0;
      for (let squeezes = 0; squeezes < SQUEEZES[scale]; squeezes += 1) {
        const others = await takeAllConnections(serverUnder(site).url);
        await sleep(SQUEEZED_MS[scale]);
        await Promise.all(others.map(async (other) => other.end()));
        recoveryMs = Math.max(recoveryMs, await untilServed(work));
      }
      return { faults: SQUEEZES[scale], recoveryMs, wrong: [] };
    };
    return onGround(site, act, { mayComplain: true });
  },
};

/** too_many_connections */
const NONE_LEFT = '53300';

/** Ends everybody's sessions and has as many as there may be, until no more can be had. */
async function takeAllConnections(url: string): Promise<readonly pg.Client[]> {
  const mine: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({ connectionString: url, application_name: 'somebody else' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      mine.push(client);
    } catch (error) {
      if ((error as { code?: string }).code !== NONE_LEFT) throw error;
      const { rowCount } = (await mine[0]?.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where backend_type = 'client backend' and application_name <> 'somebody else'`,
      )) ?? { rowCount: 0 };
      if (rowCount === 0) return mine;
    }
  }
}

const FULL_DISKS = { full: 3, short: 1 } as const;
const FULL_FOR_MS = { full: 15_000, short: 5_000 } as const;
/** What the cluster needs with its write-ahead log, and a little more. */
const DISK_MB = 300;
const SETTINGS = ['max_wal_size = 48MB', 'min_wal_size = 32MB'] as const;

export const postgresDiskFull: Scenario = {
  name: 'postgres-disk',
  title: "PostgreSQL's disk full",
  backends: ['postgres', 'redis'],
  whyNotHere: whyNoDisk,
  open: async (backend) => openOwn(backend, { settings: SETTINGS, diskMb: DISK_MB }),
  run: async (site, _seed, scale) => {
    const server = serverUnder(site);
    const act = async (work: AtWork) => {
      let recoveryMs = 0;
      for (let times = 0; times < FULL_DISKS[scale]; times += 1) {
        await server.fillDisk();
        await sleep(FULL_FOR_MS[scale]);
        await server.freeDisk();
        // A write-ahead log that cannot grow ends the server, and one that cannot recover does not come back by itself.
        await server.start();
        recoveryMs = Math.max(recoveryMs, await untilServed(work));
      }
      return { faults: FULL_DISKS[scale], recoveryMs, wrong: [] };
    };
    return onGround(site, act, { mayComplain: true });
  },
};
