/** `perennial simulate --live`: what it foresees is what the pipeline then does, and looking changes nothing. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Line } from '../../engine/journey/types.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { linesOf } from '../../engine/simulate/reader-run.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { compareLines, timelineOf } from '../../engine/store/timeline.ts';
import { parseInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { generateSample } from '../../scripts/sample/generate.ts';
import { withLive } from '../../scripts/simulate/live.ts';
import { setSteppedClock, stepUntil } from '../../workers/clock.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine, type Engine } from '../../workers/engine.ts';
import { compileSources } from '../../workers/parts.ts';
import { replay } from '../../workers/replay.ts';
import { loadHistory, replayed } from '../support/pipeline.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { sourcesIn } from '../support/shared.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NOTE = { author: 'test', note: null, gitCommit: null };
const FROM = parseInstant('2026-09-20T00:00:00+01:00');
/** In the middle of things: series, requests for reviews and timers are under way, and a launch is to come. */
const NOW = parseInstant('2026-10-06T11:23:00+01:00');
const DAYS = 12;
/** The engine stood still until then, so that much is overdue. */
const LATER = parseInstant('2026-10-21T09:30:00+01:00');
const DAYS_LATER = 20;

let database: TestDatabase;
let db: Database;
let sink: Sink;
const cache = openReleaseCache(compileSources);

beforeAll(async () => {
  database = await testDatabase();
  db = openDatabase(database.url, { max: 3 });
  sink = await startSink();
});
afterAll(async () => {
  await sink.close();
  await db.close();
  await database.drop();
});

async function withEngine(work: (engine: Engine) => Promise<void>): Promise<void> {
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: sink.url,
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
  };
  const roles = ['scheduler', 'advance', 'deliver'] as const;
  const log = pino({ level: 'silent' });
  const engine = await startEngine({ config: readConfig(env, '/'), log, roles, followFiles: false });
  try {
    await work(engine);
  } finally {
    await engine.close();
  }
}

async function foreseen(days: number, release: Release | null): Promise<readonly Line[]> {
  return withLive({ db, cache }, { days, only: null }, [release], async ({ readers }) => {
    const lines: Line[] = [];
    for await (const [run] of readers) if (run !== undefined) lines.push(...linesOf(run).map(({ line }) => line));
    return lines.sort(compareLines);
  });
}

/** What was added to the record while `work` ran. */
async function doneBy(work: () => Promise<void>): Promise<readonly Line[]> {
  const before = new Set((await timelineOf(db)).map(textOf));
  await work();
  return (await timelineOf(db)).filter((line) => !before.has(textOf(line)));
}

function textOf(line: Line): string {
  return [line.at, line.customer, line.playbook, line.step, line.do, line.template, line.reason].join(' ');
}

function expectSame(done: readonly Line[], expected: readonly Line[]): void {
  const [was, said] = [new Set(done.map(textOf)), new Set(expected.map(textOf))];
  expect({
    onlyDone: [...was].filter((line) => !said.has(line)).slice(0, 10),
    onlyForeseen: [...said].filter((line) => !was.has(line)).slice(0, 10),
  }).toEqual({ onlyDone: [], onlyForeseen: [] });
  expect(expected).toHaveLength(done.length);
}

async function stepTo(until: Instant): Promise<void> {
  await withEngine(async ({ fleet }) => stepUntil(db, fleet, until - 1));
}

/** The count, the newest writer and the content of every table. */
async function fingerprint(): Promise<unknown> {
  const { rows } = await db.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c where c.relkind in ('r', 'p')
       and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
       and c.relname !~ '^pg_' order by 1`,
  );
  expect(rows.length).toBeGreaterThan(20);
  const print = async ({ name }: { readonly name: string }): Promise<unknown> => {
    const { rows: of } = await db.query(
      `select count(*), max(t.xmin::text::bigint) as writer, sum(hashtext(t::text)) as content from ${name} t`,
    );
    return [name, of[0]];
  };
  const prints = [];
  for (const row of rows) prints.push(await print(row));
  return prints;
}

/** The sample company with other waits, another trigger, one playbook more and one less. */
function changed(sources: readonly SourceFile[]): readonly SourceFile[] {
  const edit = (name: string, from: string, to: string) => (file: SourceFile) => {
    if (file.path !== `playbooks/${name}.yaml`) return file;
    expect(file.text).toContain(from);
    return { ...file, text: file.text.replace(from, to) };
  };
  const kept = sources
    .filter(({ path }) => path !== 'playbooks/birthday.yaml')
    .map(edit('welcome-series', 'wait: 4 days', 'wait: 2 days'))
    .map(edit('review-request', 'topic: news', 'in_flight: move\nrenamed: { wait_for-1: using }\ntopic: news'))
    .map(edit('review-request', '  - wait_for:', '  - id: using\n    wait_for:'))
    .map(edit('review-request', 'up_to: 9 days', 'up_to: 5 days'))
    .map(edit('win-back', 'for: 120 days', 'for: 110 days'));
  const text = `title: After a month
topic: news
trigger: { inactive: { no: order.placed, for: 40 days } }
steps:
  - email: winback/miss-you
  - wait: 3 days
  - tag: quiet
`;
  return [...kept, { path: 'playbooks/after-a-month.yaml', text }];
}

it('agrees with what the pipeline then does, and writes nothing', async () => {
  const sources = sourcesIn(ROOT);
  const jsonLines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  const sample = generateSample({ seed: 11, customers: 150, from: FROM, until: NOW });
  const customers = parseCustomers(jsonLines(sample.customers), 'customers');
  const events = parseEvents(jsonLines(sample.events), 'events', new Set(customers.map(({ profile }) => profile.id)));

  await migrate(db);
  await setSteppedClock(db, FROM);
  await deployRelease(db, compileSources, sources, NOTE);
  await withEngine(async ({ parts, fleet }) => {
    await loadHistory(parts, { customers, events, from: FROM });
    const replayedEvents = events.filter(({ event }) => event.at >= FROM).map(replayed);
    await replay({ parts, fleet, events: replayedEvents, from: FROM, until: NOW });
  });

  await setSteppedClock(db, NOW);
  const before = await fingerprint();
  const first = await foreseen(DAYS, null);
  expect(first.filter((line) => line.do === 'email').length).toBeGreaterThan(50);
  expect(await asLooker(DAYS)).toEqual(first);
  expect(await fingerprint()).toEqual(before);
  const until = NOW + DAYS * 86_400_000;
  expectSame(await doneBy(async () => stepTo(until)), first);

  // Nothing ran for three days, and other playbooks are to be deployed.
  await setSteppedClock(db, LATER);
  const other = changed(sources);
  const second = await foreseen(DAYS_LATER, compileSources(other).release);
  expect(second.filter((line) => line.playbook === 'after-a-month' && line.do === 'enrol').length).toBeGreaterThan(2);
  // The clocks are set back on 25 October: 20 days are an hour longer.
  const end = LATER + DAYS_LATER * 86_400_000 + 3_600_000;
  const done = await doneBy(async () => {
    await deployRelease(db, compileSources, other, NOTE);
    await stepTo(end);
  });
  expectSame(done, second);
}, 300_000);

/** The command, as a role that may read and nothing else. */
async function asLooker(days: number): Promise<readonly Line[]> {
  const role = `looker_${randomBytes(6).toString('hex')}`;
  await db.query(`create role ${role} login password 'looking'`);
  try {
    await db.query(`grant select on all tables in schema public to ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'looking';
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, 'bin/perennial.js'), 'simulate', '--live', '--days', String(days), '--json'],
      { env: { ...process.env, DATABASE_URL: url.href }, maxBuffer: 64 * 1024 * 1024 },
    );
    return stdout
      .trim()
      .split('\n')
      .map((text) => {
        const line = JSON.parse(text) as Omit<Line, 'at'> & { readonly at: string };
        return { ...line, at: parseInstant(line.at) };
      })
      .sort(compareLines);
  } finally {
    await db.query(`drop owned by ${role}`);
    await db.query(`drop role ${role}`);
  }
}
