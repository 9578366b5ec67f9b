/** The whole way: a mail leaves over SMTP with a signed return path, comes back there, and `perennial bounces` takes it in. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { bouncesCommand } from '../../scripts/bounces.ts';
import { customerCommand } from '../../scripts/customer.ts';
import { heldCommand } from '../../scripts/held.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { utc } from '../../engine/time/zone.ts';
import type { Command } from 'commander';
import { setSteppedClock } from '../../workers/clock.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine } from '../../workers/engine.ts';
import { replay } from '../../workers/replay.ts';
import { startSink, type Sink } from '../support/smtp-sink.ts';
import { COMPANY, openFleet, type Fleet } from '../store/support.ts';
import { complaint, dsn } from './support.ts';

const FROM = Date.parse('2026-03-02T09:00:00Z');

let fleet: Fleet;
let sink: Sink;
let folder: string;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  fleet = await openFleet({
    'perennial.yaml': COMPANY.replace('mail:\n', 'mail:\n  bounces: bounce@back.sample.example\n'),
  });
  sink = await startSink();
  process.env['DATABASE_URL'] = fleet.db.url;
  folder = await mkdtemp(path.join(tmpdir(), 'bounces-'));
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await rm(folder, { recursive: true, force: true });
  await sink.close();
  await fleet.close();
});

async function run(
  make: (terminal: Terminal, input: NodeJS.ReadableStream) => Command,
  args: readonly string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<{ out: string; err: string; code: number }> {
  const printed = { out: '', err: '', code: 0 };
  const terminal: Terminal = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    colour: false,
    zone: utc,
    setExitCode: (code) => {
      printed.code = code;
    },
  };
  await make(terminal, Readable.from([input])).parseAsync([...args, '--project', folder], { from: 'user' });
  return printed;
}

/** Sends everybody's first mail; the envelope senders, by recipient. */
async function deliverAll(keys: readonly string[], to = sink, from = FROM): Promise<ReadonlyMap<string, string>> {
  await fleet.customers(keys);
  const env = {
    DATABASE_URL: fleet.db.url,
    SMTP_URL: to.url,
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
  };
  const config = readConfig(env, folder);
  const log = pino({ level: 'silent' });
  const engine = await startEngine({ config, log, roles: ['scheduler', 'advance', 'deliver'], followFiles: false });
  try {
    await setSteppedClock(fleet.db, from);
    const events = keys.map((customer) => ({
      kind: 'track' as const,
      customer,
      createIfMissing: false,
      event: { id: `asked-${customer}`, event: 'question.asked', at: from + 60_000, data: {} },
    }));
    await replay({ parts: engine.parts, fleet: engine.fleet, events, from, until: from + 3_600_000 });
  } finally {
    await engine.close();
  }
  return new Map(to.taken.map((mail) => [mail.to[0] ?? '', mail.from]));
}

describe('a mail that comes back', () => {
  it('is taken in from files, folders and standard input', async () => {
    const paths = await deliverAll(['ada', 'bob', 'cleo']);
    const to = (key: string): string => paths.get(`${key}@example.com`) ?? '';
    expect([...paths.values()].every((from) => /^bounce\+[a-z2-7]{40}@back\.sample\.example$/.test(from))).toBe(true);
    expect(new Set(paths.values()).size).toBe(3);

    const hard = dsn({ to: to('ada'), recipient: 'ada@example.com', status: '5.1.1', diagnostic: '550 5.1.1 unknown' });
    const blocked = dsn({ to: to('bob'), recipient: 'bob@example.com', status: '5.7.1', diagnostic: '550 5.7.1 no' });
    const spam = complaint({ 'Return-Path': `<${to('cleo')}>` });
    await mkdir(path.join(folder, 'maildir/cur'), { recursive: true });
    await mkdir(path.join(folder, 'maildir/new'));
    await mkdir(path.join(folder, 'maildir/tmp'));
    await writeFile(path.join(folder, 'maildir/new/1'), hard);
    await writeFile(path.join(folder, 'maildir/cur/2:2,S'), blocked);
    await writeFile(path.join(folder, 'maildir/tmp/3'), spam);
    const dry = await run(bouncesCommand, [path.join(folder, 'maildir'), '--dry-run']);
    expect(dry.out).toMatch(/2 mails, 2 bounces, 0 complaints, nothing recorded \(dry run\)\.\n$/);
    const taken = await run(bouncesCommand, [path.join(folder, 'maildir')]);
    expect(taken.out).toMatch(/hard bounce 5\.1\.1 of ada@example\.com, mail \d+ of answer .*: suppressed/);
    expect(taken.out).toMatch(/refusal of the sender 5\.7\.1 of bob@example\.com.*: recorded/);
    expect(taken.err).toMatch(/^warning: example\.com refuses mail of yours \(1 time, last 5\.7\.1/);

    const mailbox = Buffer.concat(
      [hard, blocked].flatMap((mail) => [Buffer.from('From x Mon Mar  2 09:00:00 2026\n'), mail, Buffer.from('\n\n')]),
    );
    await writeFile(path.join(folder, 'mbox'), mailbox);
    const again = await run(bouncesCommand, [path.join(folder, 'mbox'), '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ totals: { mails: 2, bounces: 2, suppressed: 0, knownBefore: 2 } });

    const piped = await run(bouncesCommand, ['-'], spam);
    expect(piped).toMatchObject({
      out: expect.stringMatching(/complaint of cleo@example\.com.*: suppressed/),
      code: 0,
    });
    expect(await fleet.rows('select address, source from suppressions order by 1')).toEqual([
      { address: 'ada@example.com', source: 'bounce' },
      { address: 'cleo@example.com', source: 'complaint' },
    ]);
  });

  it('is shown with its customer, and a refusing domain with what is held', async () => {
    const { out } = await run(customerCommand, ['ada']);
    expect(out).toMatch(
      /suppressed \(bounce: hard bounce 5\.1\.1 of ada@example\.com: smtp; 550 5\.1\.1 unknown \(mail \d+ of answer\)\)/,
    );
    expect(out).toMatch(/sent, hard bounce 5\.1\.1/);
    expect((await run(heldCommand, ['list'])).out).toMatch(/Nothing is held\.\nwarning: example\.com refuses mail/);
  });

  it('stays with the mail server while it cannot be taken in', async () => {
    process.env['DATABASE_URL'] = 'postgres://nobody@127.0.0.1:1/none';
    try {
      const away = await run(bouncesCommand, ['-'], Buffer.from('From: a@b.example\n\n'));
      expect(away).toMatchObject({ out: '', err: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:1/), code: 75 });
    } finally {
      process.env['DATABASE_URL'] = fleet.db.url;
    }
    const missing = await run(bouncesCommand, [path.join(folder, 'nowhere')]);
    expect(missing).toMatchObject({
      out: '',
      err: expect.stringMatching(/cannot read ".*nowhere" \(ENOENT\)/),
      code: 1,
    });
  });

  it('needs no report where the mail server refuses at once', async () => {
    const refusing = await startSink({
      fault: (stage) => (stage === 'rcpt' ? { do: 'reply', line: '550 5.1.1 No such user' } : null),
    });
    try {
      expect((await deliverAll(['dan'], refusing, FROM + 86_400_000)).size).toBe(0);
    } finally {
      await refusing.close();
    }
    const [row] = await fleet.rows(`select source, reason from suppressions where address = 'dan@example.com'`);
    expect(row).toMatchObject({
      source: 'bounce',
      reason: expect.stringMatching(/^hard bounce 5\.1\.1: .*550 5\.1\.1 No such user/),
    });
    const [send] = await fleet.rows<{ line: string }>(
      `select status as line from sends where address = 'dan@example.com'`,
    );
    expect(send?.line).toBe('failed');
  });
});
