/**
 * How fast events are imported, and in how much memory: 200,000 events of 20,000 customers from a file of JSON lines
 * into an embedded PostgreSQL, once as history and once live over the sample company's playbooks.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { importFile, type ImportOptions } from '../engine/ingest/file/import.ts';
import { RejectsFile } from '../engine/ingest/file/rejects.ts';
import { openSource } from '../engine/ingest/file/source.ts';
import { checkProject } from '../engine/project/check.ts';
import { openReleaseCache } from '../engine/store/context.ts';
import { openDatabase, type Database } from '../engine/store/database.ts';
import { migrate } from '../engine/store/migrate.ts';
import { deployRelease } from '../engine/store/releases.ts';
import { openEmbeddedPostgres } from '../workers/embedded/open.ts';
import { openLog } from '../workers/log.ts';
import { compileSources } from '../workers/parts.ts';

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 200_000);
const CUSTOMERS = EVENTS / 10;
const HOUR_MS = 3_600_000;

async function writeEvents(file: string, prefix: string, spanMs: number): Promise<void> {
  const stream = createWriteStream(file);
  const start = Date.now() - spanMs;
  for (let index = 0; index < EVENTS; index += 1) {
    const at = new Date(start + Math.floor((index / EVENTS) * spanMs)).toISOString();
    // A prime steps through all customers in an order that is none.
    const customer = `c${(index * 7919) % CUSTOMERS}`;
    const data = { total: 10 + (index % 90), order_id: `${prefix}${index}` };
    const line = `${JSON.stringify({ id: `${prefix}${index}`, customer, event: 'order.placed', at, data })}\n`;
    if (!stream.write(line)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

async function run(db: Database, file: string, name: string, history: boolean): Promise<void> {
  const source = await openSource(file, process.stdin);
  const options: ImportOptions = {
    kind: 'events',
    format: { kind: 'jsonl' },
    zone: null,
    createCustomers: true,
    history,
    restart: false,
  };
  let peak = 0;
  let early = 0;
  const watch = {
    begun: () => undefined,
    stored: ({ linesDone }: { readonly linesDone: number }) => {
      const rss = process.memoryUsage().rss;
      peak = Math.max(peak, rss);
      if (linesDone <= EVENTS / 10) early = rss;
    },
  };
  const cache = openReleaseCache(compileSources);
  const rejects = new RejectsFile(`${file}.rejects.jsonl`);
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  const { end } = await importFile({ db, cache, source, rejects, watch, stop: new AbortController().signal }, options);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const mb = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;
  process.stdout.write(
    `${name}: ${end.accepted} events, ${end.rejected} set aside, ${mb((await stat(file)).size)} in ${seconds.toFixed(1)} s: ` +
      `${Math.round(end.linesDone / seconds)} lines/s; this process ${((user + system) / 1e6).toFixed(1)} s of CPU; ` +
      `resident after a tenth ${mb(early)}, at most ${mb(peak)}\n`,
  );
}

const dir = await mkdtemp(path.join(tmpdir(), 'perennial-bench-import-'));
const log = openLog({ level: 'warn', name: 'bench' });
const postgres = await openEmbeddedPostgres({ projectDir: dir, log });
const db = openDatabase(postgres.url);
try {
  await migrate(db);
  const { sources } = await checkProject(path.resolve(import.meta.dirname, process.env['BENCH_PROJECT'] ?? '..'));
  await deployRelease(db, compileSources, sources, { author: 'bench', note: null, gitCommit: null });
  const [past, live] = [path.join(dir, 'past.jsonl'), path.join(dir, 'live.jsonl')];
  await writeEvents(past, 'h', 700 * 24 * HOUR_MS);
  await run(db, past, 'history', true);
  await writeEvents(live, 'l', 20 * HOUR_MS);
  await run(db, live, 'live', false);
} finally {
  await db.close();
  await postgres.close();
  await rm(dir, { recursive: true, force: true });
}
