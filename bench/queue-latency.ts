// Prints how long an idle worker takes to begin a job after its hint, on both backends of the queue.
// Run it with: npm run build && node dist/bench/queue-latency.js [hints]
// The servers are those of DATABASE_URL and REDIS_URL; without DATABASE_URL an embedded PostgreSQL in a temporary
// folder, without REDIS_URL only PostgreSQL.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import { openQueue, prepareQueue, type HintQueue, type QueueLocation } from '../engine/queue/queue.ts';
import { openEmbeddedPostgres } from '../workers/embedded/open.ts';

const WARM_UP = 50;
const log = pino({ level: 'warn' });

const hints = Number(process.argv[2] ?? 500);
const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;

if (databaseUrl === undefined) {
  const projectDir = await mkdtemp(path.join(tmpdir(), 'perennial-bench-'));
  await chmod(projectDir, 0o711);
  const embedded = await openEmbeddedPostgres({ projectDir, log });
  await report('PostgreSQL', { kind: 'postgres', url: embedded.url });
  await embedded.close();
  await rm(projectDir, { recursive: true });
} else {
  await report('PostgreSQL', { kind: 'postgres', url: databaseUrl });
}
if (redisUrl !== undefined) await report('Redis', { kind: 'redis', url: redisUrl, isTrusted: () => true });

async function report(name: string, backend: QueueLocation): Promise<void> {
  await prepareQueue(backend);
  // Two of them: the hint comes from another connection than the worker's, as it does in production.
  const [sender, receiver] = await Promise.all([
    openQueue({ backend, log, prefix: 'perennial-bench' }),
    openQueue({ backend, log, prefix: 'perennial-bench' }),
  ]);
  const samples = (await measure(sender, receiver)).slice(WARM_UP).toSorted((a, b) => a - b);
  await Promise.all([sender.close(), receiver.close()]);
  const at = (share: number): string =>
    `${(samples[Math.floor(share * (samples.length - 1))] ?? Number.NaN).toFixed(1)} ms`;
  process.stdout.write(
    `${name.padEnd(11)} hint to run, idle, ${samples.length} hints: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}\n`,
  );
}

/** One hint after the other, each when the worker is idle again. Milliseconds from `hint` to the handler. */
async function measure(sender: HintQueue, receiver: HintQueue): Promise<number[]> {
  const samples: number[] = [];
  let began: (at: number) => void = () => undefined;
  receiver.work('transactional', async () => began(performance.now()), { concurrency: 4 });
  for (let index = 0; index < hints + WARM_UP; index++) {
    const run = new Promise<number>((resolve) => (began = resolve));
    const sentAt = performance.now();
    await sender.hint('transactional', [index]);
    samples.push((await run) - sentAt);
    // Long enough that the worker has finished the job and sleeps again, and never the same phase of any interval.
    await new Promise((resolve) => setTimeout(resolve, 5 + (index % 17)));
  }
  return samples;
}
