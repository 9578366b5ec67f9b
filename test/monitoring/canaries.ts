/**
 * Words that no customer else has, and secrets, go through a whole process while errors of all kinds are provoked, at the
 * highest level of the log. What comes out of it is gathered.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { prepareQueue } from '../../engine/queue/queue.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { compileSources } from '../../workers/parts.ts';
import { outerEnv } from '../chaos/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';
import { visitPages } from './canary-pages.ts';
import { recordRedis } from './canary-redis.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });

/** What must not come out. */
export const CANARIES = {
  name: 'Zanziwar',
  address: 'quuxley',
  body: 'plimborfle',
  coupon: 'VEXOLITH-7',
  reply: 'krumtwist',
  databasePassword: `db${randomBytes(12).toString('hex')}`,
  smtpPassword: `smtp${randomBytes(12).toString('hex')}`,
  writeKey: `write${randomBytes(12).toString('hex')}`,
  webhookSecret: randomBytes(32).toString('base64'),
  dkimKey: String(pem).split('\n')[3] ?? '',
  dkimSetting: Buffer.from(String(pem)).toString('base64').slice(100, 160),
};

function files(receiver: string): Readonly<Record<string, string>> {
  return {
    'perennial.yaml': COMPANY.replace('sample.example>', 'sample.example>\n  dkim: { selectors: [s1] }').replace(
      'order.placed: { total: number }',
      'order.placed: { total: number }\n  question.asked: { words: string }\n  order.rated: { words: string }',
    ),
    'playbooks/gift.yaml': `topic: service
trigger: { event: order.placed }
steps:
  - webhook: { url: "${receiver}/hook", body: { who: "{{customer.name}}", where: "{{customer.email}}" } }
  - coupon: { pool: gifts, as: gift }
  - email: gift
`,
    'playbooks/answer.yaml': 'topic: news\ntrigger: { event: question.asked }\nsteps:\n  - email: answer\n',
    'playbooks/rate.yaml':
      'topic: service\ntrigger: { event: order.rated }\nsteps:\n  - survey: { email: rate, ask: nps, up_to: 2 days }\n',
    'templates/rate.hbs': '{{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}',
    'templates/gift.hbs': `<p>Dear {{customer.name}}, ${CANARIES.body}: {{vars.gift.code}}</p>`,
    'templates/answer.hbs': `<p>${CANARIES.body} {{customer.plan}}</p>`,
  };
}

/** What came out. */
export interface Song {
  readonly log: string;
  /** Metrics and health. */
  readonly told: string;
  /** Every job, as it was written. */
  readonly jobs: string;
  /** What the public server answered, with where and what. */
  readonly answers: string;
  readonly taken: Sink['taken'];
}

let database: TestDatabase;
let db: Database;
let sink: Sink;

/** Runs it all, with the queue on PostgreSQL (null) or on this Redis. */
export async function sing(redisUrl: string | null): Promise<Song> {
  const role = `canary_${randomBytes(6).toString('hex')}`;
  database = await testDatabase();
  db = openDatabase(database.url, { max: 4 });
  await migrate(db);
  await prepareQueue({ kind: 'postgres', url: database.url });
  const receiver = await startReceiver();
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const note = { author: 'test', note: null, gitCommit: null };
  expect(await deployRelease(db, compileSources, sourcesOf(files(url)), note)).toMatchObject({ outcome: 'deployed' });
  sink = await startFaultySink();
  await prepareDatabase(role);
  const song = await run(url, role, redisUrl);
  receiver.close();
  await sink.close();
  await db.query(`drop owned by ${role} cascade`);
  await db.query(`drop role ${role}`);
  await db.close();
  await database.drop();
  return song;
}

async function startReceiver(): Promise<Server> {
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.writeHead(400).end(`${CANARIES.reply}: ${Buffer.concat(chunks).toString()}`));
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  return receiver;
}

async function startFaultySink(): Promise<Sink> {
  const reached = new Map<string, number>();
  return startSink({
    auth: { user: 'mailer', pass: CANARIES.smtpPassword },
    // One is turned away at the door, which may be told: nobody's name was said yet. One breaks off when nobody knows any more, one says what it refuses.
    fault: (stage) => {
      const before = reached.get(stage) ?? 0;
      reached.set(stage, before + 1);
      // The first of each: how many mails share a connection depends on how fast the machine is.
      if (before > 0) return null;
      if (stage === 'connect') return { do: 'reply-and-close', line: '421 4.3.2 too many connections' };
      if (stage === 'dot') return { do: 'reply', line: `451 4.3.0 ${CANARIES.reply}` };
      if (stage === 'taken') return { do: 'reset' };
      return null;
    },
    refuse: (to) => (to.includes('refused') ? `550 5.1.1 <${to}> ${CANARIES.name} is not here` : null),
  });
}

/** A role with a password that must not come out, codes to give, a row that is refused, and a copy of every job. */
async function prepareDatabase(role: string): Promise<void> {
  await db.query(`create role ${role} superuser login password '${CANARIES.databasePassword}'`);
  await db.query(`insert into coupon_pools (name) values ('gifts')`);
  await db.query(
    `insert into coupon_codes (pool, code) select 'gifts', '${CANARIES.coupon}' || n from generate_series(1, 50) n`,
  );
  await db.query(
    `create function public.refuse() returns trigger language plpgsql as
     'begin raise exception ''no room for %'', new.address using errcode = ''XX000'', detail = new.name; end'`,
  );
  await db.query(
    `create trigger refused before insert or update on customers for each row
     when (new.name like '%broken%') execute function public.refuse()`,
  );
  // Choices and answers of readers are not stored, with a row in the error.
  await db.query(
    `create function public.refuse_choice() returns trigger language plpgsql as
     'begin raise exception ''no choice of ${CANARIES.address}@sample.example'' using errcode = ''XX000'', detail = new::text; end'`,
  );
  await db.query(
    `create trigger refused before insert on suppressions for each row execute function public.refuse_choice()`,
  );
  await db.query(
    `create trigger refused before insert on events for each row
     when (new.event = 'survey.answered') execute function public.refuse_choice()`,
  );
  // Two jobs fail with a row in their error; a sequence counts on when a transaction is rolled back.
  await db.query('create sequence public.claims');
  await db.query(
    `create function public.refuse_claim() returns trigger language plpgsql as
     'begin if nextval(''public.claims'') <= 2 then
        raise exception ''no claim'' using errcode = ''XX000'', detail = new.address;
      end if; return new; end'`,
  );
  await db.query(
    `create trigger claimed before update on sends for each row
     when (new.status = 'claimed') execute function public.refuse_claim()`,
  );
  await db.query('create table public.copies (line text)');
  await db.query(
    `create function public.copy_job() returns trigger language plpgsql as
     'begin insert into public.copies values (to_jsonb(new)::text); return new; end'`,
  );
  const { rows } = await db.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema = 'perennial_queue' and table_type = 'BASE TABLE'`,
  );
  for (const { name } of rows) {
    await db.query(
      `create trigger copied before insert or update on ${name} for each row execute function public.copy_job()`,
    );
  }
}

async function run(webhookUrl: string, role: string, redisUrl: string | null): Promise<Song> {
  const url = new URL(database.url);
  url.username = role;
  url.password = CANARIES.databasePassword;
  const smtp = new URL(sink.url);
  smtp.username = 'mailer';
  smtp.password = CANARIES.smtpPassword;
  const args = ['work', '--roles', 'scheduler,advance,deliver,public', '--project', await testFolder()];
  const redis = redisUrl === null ? null : await recordRedis(redisUrl);
  const preload = path.join(ROOT, 'test/chaos/die-with-parent.js');
  const child = spawn(process.execPath, ['--import', preload, path.join(ROOT, 'bin/perennial.js'), ...args], {
    env: {
      ...outerEnv(),
      DATABASE_URL: url.href,
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
      SMTP_URL: smtp.href,
      LOG_LEVEL: 'trace',
      PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
      PERENNIAL_PUBLIC_PORT: '0',
      PERENNIAL_METRICS_PORT: '0',
      PERENNIAL_WRITE_KEY: CANARIES.writeKey,
      PERENNIAL_WEBHOOK_SECRET: `whsec_${CANARIES.webhookSecret}`,
      PERENNIAL_WEBHOOK_ALLOW: new URL(webhookUrl).host,
      PERENNIAL_DKIM_KEYS: `s1=base64:${Buffer.from(String(pem)).toString('base64')}`,
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const urls = await urlsIn(lines);
  const answers = await provoke(urls.intake);
  await untilProvoked();
  answers.push(...(await visitPages(urls.intake, db, CANARIES)));
  const told = await askAll(urls.monitor);
  child.kill('SIGTERM');
  await once(child, 'close');
  const copies = await db.query<{ line: string }>('select line from public.copies');
  const jobs = redis === null ? copies.rows.map(({ line }) => line) : await redis.end();
  return { log: lines.join('\n'), told, jobs: jobs.join('\n'), answers: answers.join('\n'), taken: [...sink.taken] };
}

async function urlsIn(lines: readonly string[]): Promise<{ readonly intake: string; readonly monitor: string }> {
  for (;;) {
    const parsed = lines.map((line) => JSON.parse(line) as { msg: string; url?: string });
    const of = (part: string): string | undefined => parsed.find(({ msg }) => msg.startsWith(part))?.url;
    const [intake, monitor] = [of('taking in'), of('to be watched')];
    if (parsed.some(({ msg }) => msg === 'running')) return { intake: intake ?? '', monitor: monitor ?? '' };
    await sleep(20);
  }
}

async function provoke(intake: string): Promise<string[]> {
  const answers: string[] = [];
  const headers = (key: string): Record<string, string> => ({
    'content-type': 'application/json',
    authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  });
  const post = async (what: string, body: string, key: string = CANARIES.writeKey): Promise<number> => {
    const response = await fetch(`${intake}/v1/${what}`, { method: 'POST', headers: headers(key), body });
    answers.push(`${response.status} POST ${what}: ${(await response.text()).replaceAll(/\s+/g, ' ')}`);
    return response.status;
  };
  const customer = async (id: string, address: string, name: string): Promise<number> =>
    post('identify', JSON.stringify({ userId: id, traits: { email: address, name } }));
  const event = async (id: string, name: string, properties: object): Promise<number> =>
    post('track', JSON.stringify({ userId: id, event: name, messageId: `${name}-${id}`, properties }));
  expect(await post('identify', `{"userId": "${CANARIES.name}"`)).toBe(400);
  expect(await post('identify', '{}', `${CANARIES.writeKey}x`)).toBe(401);
  const known = { email: `${CANARIES.address}@sample.example`, name: CANARIES.name };
  const tooLong = 'x'.repeat(600_000);
  expect(await post('identify', JSON.stringify({ userId: 'c9', traits: { ...known, name: tooLong } }))).toBe(413);
  // An answer names the value that is wrong, to whoever sent it, and nothing else of the call.
  expect(await post('batch', JSON.stringify({ batch: [{ type: CANARIES.name, traits: known }] }))).toBe(400);
  expect(await post('identify', JSON.stringify({ userId: 'c9', traits: { ...known, email: 'none' } }))).toBe(400);
  expect(await post('track', JSON.stringify({ userId: 'c9', properties: known }))).toBe(400);
  await event('nobody', 'no.such', { words: CANARIES.body });
  expect(await customer('c0', `${CANARIES.address}0@gmail.com`, `${CANARIES.name} broken`)).toBe(503);
  for (let n = 1; n <= 6; n += 1) {
    const who = n === 6 ? 'refused' : String(n);
    expect(await customer(`c${n}`, `${CANARIES.address}.${who}@sample.example`, `${CANARIES.name} ${n}`)).toBe(200);
    expect(await event(`c${n}`, 'order.placed', { total: 5 })).toBe(200);
  }
  // A mail that cannot be written: its reader has no plan.
  expect(await event('c1', 'question.asked', { words: CANARIES.body })).toBe(200);
  expect(await event('c2', 'order.rated', { words: CANARIES.body })).toBe(200);
  return answers;
}

/** Until every kind of end has come about. */
async function untilProvoked(): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ ends: string[] }>(
      `select array_agg(distinct e) as ends from (
         select status as e from sends union all
         select 'tried again' from sends where attempts > 0 and status = 'planned' union all
         select 'sent again' from sends where resends > 0 union all
         select 'held' from sends where held_at is not null union all
         select 'given up' from webhook_calls where held_at is not null) x`,
    );
    const ends = rows[0]?.ends ?? [];
    if (['sent', 'failed', 'tried again', 'sent again', 'held', 'given up'].every((end) => ends.includes(end))) return;
    await sleep(100);
  }
}

async function askAll(url: string): Promise<string> {
  const texts = ['/metrics', '/readyz', '/healthz'].map(async (page) => (await fetch(`${url}${page}`)).text());
  return (await Promise.all(texts)).join('\n');
}

/** Which canaries are in a text, with the line of each. */
export function found(text: string): readonly string[] {
  return Object.entries(CANARIES).flatMap(([name, canary]) =>
    canary.length > 5 && text.includes(canary)
      ? [
          `${name}: ${
            text
              .split('\n')
              .find((line) => line.includes(canary))
              ?.slice(0, 400) ?? ''
          }`,
        ]
      : [],
  );
}
