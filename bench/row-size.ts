/**
 * What a waiting enrolment costs: in PostgreSQL when fresh (its row and its indexes), and in Redis (nothing: what waits
 * is a row, not a job). Run it with: npm run bench -- row-size [ENROLMENTS]
 */
import { Redis } from 'ioredis';
import { ingest, type Incoming } from '../engine/store/ingest.ts';
import { startFleet } from '../workers/fleet.ts';
import { openOutgoing } from '../workers/outgoing.ts';
import type { Parts } from '../workers/parts.ts';
import { companyWith, WAIT_AT_ORDER } from './support/company.ts';
import { openPlace } from './support/place.ts';
import { startRedis } from './support/redis.ts';

const ENROLMENTS = Number(process.argv[2] ?? 100_000);
const BATCH = 1_000;

async function enrol({ db, cache }: Parts): Promise<void> {
  for (let start = 0; start < ENROLMENTS; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, ENROLMENTS - start) }, (_, index) => start + index);
    const identities = numbers.map((n): Incoming => {
      const traits = { email: `reader.${n}@example.com`, first_name: 'Ada', timezone: 'Europe/London' };
      return { kind: 'identify', customer: `customer-${n}`, traits };
    });
    const at = Date.now();
    const orders = numbers.map((n): Incoming => {
      const data = { total: 19.5 + (n % 80), order_id: `A-${1_000_000 + n}`, room: 'living room' };
      const event = { id: `order-${1_000_000 + n}`, event: 'order.placed', at, data };
      return { kind: 'track', customer: `customer-${n}`, event, createIfMissing: false };
    });
    await ingest(db, cache, identities, { history: false });
    await ingest(db, cache, orders, { history: false });
  }
}

/** Bytes by table, indexes and partitions included. */
async function sizes({ db }: Parts): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ name: string; bytes: number }>(
    `select case when c.relispartition then 'events' else c.relname end as name,
       sum(pg_total_relation_size(c.oid))::bigint as bytes
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' group by 1 order by 2 desc`,
  );
  return new Map(rows.map((row) => [row.name, row.bytes]));
}

async function redisState(redis: Redis): Promise<{ readonly keys: number; readonly bytes: number }> {
  const memory = /used_memory_dataset:(\d+)/.exec(await redis.info('memory'));
  return { keys: await redis.dbsize(), bytes: Number(memory?.[1] ?? Number.NaN) };
}

const redisServer = await startRedis();
const env = redisServer === null ? {} : { REDIS_URL: redisServer.url };
const place = await openPlace(env, await companyWith(WAIT_AT_ORDER));
const redis = redisServer === null ? null : new Redis(redisServer.url);
try {
  const { parts } = place;
  const outgoing = await openOutgoing(parts);
  const fleet = startFleet(parts, ['scheduler', 'advance', 'deliver'], outgoing.transports);
  const before = redis === null ? null : await redisState(redis);
  await enrol(parts);
  const { rows } = await parts.db.query<{ waiting: number }>(
    `select count(*) as waiting from enrolments where status = 'active' and due_at is not null`,
  );
  const waiting = rows[0]?.waiting ?? 0;
  if (waiting !== ENROLMENTS) throw new Error(`${waiting} enrolments wait instead of ${ENROLMENTS}`);
  const bytes = await sizes(parts);
  const each = (of: number): string => `${Math.round(of / ENROLMENTS)} bytes`;
  process.stdout.write(
    `${ENROLMENTS.toLocaleString('en')} waiting enrolments, the event's three fields kept in each\n`,
  );
  process.stdout.write(`enrolments: ${each(bytes.get('enrolments') ?? Number.NaN)} each, indexes included\n`);
  const others = [...bytes].filter(([name, size]) => name !== 'enrolments' && size / ENROLMENTS >= 1);
  for (const [name, size] of others) process.stdout.write(`  beside it, ${name}: ${each(size)}\n`);
  if (redis !== null && before !== null) {
    const after = await redisState(redis);
    const grown = after.bytes - before.bytes;
    process.stdout.write(
      `Redis: ${after.keys} keys (${before.keys} before the first), ${grown} bytes of data more: ${each(grown)} each\n`,
    );
  }
  await fleet.close();
  await outgoing.close();
} finally {
  redis?.disconnect();
  await place.close();
  await redisServer?.close();
}
