/**
 * From "event accepted" to "mail handed over", on an idle engine: single events through the running public server, each
 * with a mail as its first step. The clock runs from the reply (its commit is behind it) to the moment at which the
 * mail server has the whole mail. Run it with: npm run bench -- latency [EVENTS]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { ingest } from '../engine/store/ingest.ts';
import { startFleet } from '../workers/fleet.ts';
import { openOutgoing } from '../workers/outgoing.ts';
import type { Parts } from '../workers/parts.ts';
import { startPublic } from '../workers/public.ts';
import { companyWith, MAIL_AT_ORDER } from './support/company.ts';
import { median, quantile } from './support/figures.ts';
import { openPlace } from './support/place.ts';
import { startRedis } from './support/redis.ts';
import { startSink, type Sink } from './support/sink.ts';

const EVENTS = Number(process.argv[2] ?? 300);
const WARM_UP = 50;
const WRITE_KEY = 'bench-write-key-0123456789';
const sources = await companyWith(MAIL_AT_ORDER);

const now = (): number => performance.timeOrigin + performance.now();

/** Times at which the sink took mails, by recipient. */
interface Arrivals {
  of(recipient: string): Promise<number>;
}

async function watch(sink: Sink): Promise<Arrivals> {
  const waiting = new Map<string, (atMs: number) => void>();
  await sink.tell((recipient, atMs) => waiting.get(recipient)?.(atMs));
  return {
    of: async (recipient) =>
      new Promise<number>((resolve) => {
        waiting.set(recipient, resolve);
      }),
  };
}

/** Never the same phase of any interval, and long enough that everything sleeps again. */
async function pause(index: number): Promise<void> {
  await sleep(20 + (index % 17));
}

/** ms from each reply to the arrival of its mail. */
async function viaEngine(parts: Parts, arrivals: Arrivals): Promise<readonly number[]> {
  const outgoing = await openOutgoing(parts);
  const fleet = startFleet(parts, ['scheduler', 'advance', 'deliver'], outgoing.transports);
  const { db, cache, config, log } = parts;
  const server = await startPublic({ db, cache, config, log, hints: fleet.hints });
  const samples: number[] = [];
  for (let index = 0; index < EVENTS + WARM_UP; index += 1) {
    const email = `reader.${index}@example.com`;
    const traits = { email, first_name: 'Ada' };
    await ingest(db, cache, [{ kind: 'identify', customer: `c${index}`, traits }], { history: false });
    const arrival = arrivals.of(email);
    const response = await fetch(`${server.url}/v1/track`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${WRITE_KEY}:`)}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        messageId: `m${index}`,
        userId: `c${index}`,
        event: 'order.placed',
        properties: { total: 42.5, order_id: `o${index}`, room: 'kitchen' },
      }),
    });
    const acceptedMs = now();
    if (!response.ok) throw new Error(`the intake said ${response.status}: ${await response.text()}`);
    samples.push((await arrival) - acceptedMs);
    await pause(index);
  }
  await server.close();
  await fleet.close();
  await outgoing.close();
  return samples.slice(WARM_UP);
}

/** ms from `sendMail` to the arrival, over a connection that is open already. */
async function bare(sink: Sink, arrivals: Arrivals): Promise<readonly number[]> {
  const pool = createTransport({
    host: sink.host,
    port: sink.port,
    pool: true,
    maxMessages: Infinity,
    ignoreTLS: true,
  });
  const html = `<p>${'Your order has reached us safely, and it is being picked and wrapped. '.repeat(90)}</p>`;
  const samples: number[] = [];
  for (let index = 0; index < EVENTS + WARM_UP; index += 1) {
    const to = `bare.${index}@example.com`;
    const arrival = arrivals.of(to);
    const startedMs = now();
    await pool.sendMail({ from: 'hello@hearth.example', to, subject: 'Thank you', html, text: 'Thank you' });
    samples.push((await arrival) - startedMs);
    await pause(index);
  }
  pool.close();
  return samples.slice(WARM_UP);
}

function report(name: string, samples: readonly number[], base: readonly number[]): void {
  const at = (share: number): string => `${quantile(samples, share).toFixed(1)} ms`;
  const ratio = (median(samples) / median(base)).toFixed(1);
  process.stdout.write(
    `${name.padEnd(34)} p50 ${at(0.5)}, p99 ${at(0.99)}, max ${quantile(samples, 1).toFixed(1)} ms; p50 is ${ratio} times bare\n`,
  );
}

const sink = await startSink();
const redis = await startRedis();
try {
  const arrivals = await watch(sink);
  for (const redisUrl of [...(redis === null ? [] : [redis.url]), null]) {
    const env = { SMTP_URL: sink.url, PERENNIAL_WRITE_KEY: WRITE_KEY };
    const place = await openPlace({ ...env, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) }, sources);
    try {
      const base = await bare(sink, arrivals);
      report('bare sendMail to accepted', base, base);
      const name = `event to mail, queue on ${redisUrl === null ? 'PostgreSQL' : 'Redis'}`;
      report(name, await viaEngine(place.parts, arrivals), base);
    } finally {
      await place.close();
    }
  }
} finally {
  await redis?.close();
  await sink.close();
}
