/** Mails that come back into a mailbox, on a real IMAP server: each is taken once, whatever ends in between. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openImapMailbox } from '../../engine/mail/bounce/imap.ts';
import { parseImapUrl } from '../../engine/mail/bounce/imap-url.ts';
import { signReturnPath } from '../../engine/message/bounce-token.ts';
import type { SigningKey } from '../../engine/message/link-token.ts';
import { loadSigningKeys } from '../../engine/store/signing-keys.ts';
import { bouncesCommand } from '../../scripts/bounces.ts';
import { startPolling, type Polling } from '../../workers/bounces/polling.ts';
import { takeMailbox } from '../../workers/bounces/taking.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine } from '../../workers/engine.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { testDovecot, type Dovecot } from '../support/dovecot.ts';
import { testFolder } from '../support/folder.ts';
import { clear, openFleet, type Fleet } from '../store/support.ts';
import { complaint, dsn } from './support.ts';

const dovecot = await testDovecot();
const server = dovecot as Dovecot;
let fleet: Fleet;
let keys: readonly SigningKey[];
const environment = { ...process.env };
beforeAll(async () => {
  fleet = await openFleet();
  keys = await loadSigningKeys(fleet.db);
  process.env['DATABASE_URL'] = fleet.db.url;
});
afterAll(async () => {
  process.env = environment;
  await fleet.close();
  await dovecot?.stop();
});
beforeEach(async () => {
  process.env['BOUNCES_IMAP_URL'] = dovecot?.url();
  await clear(fleet);
  await dovecot?.empty();
});

/** Sends everybody a mail; the return paths, in the order of the names. */
async function sent(...names: readonly string[]): Promise<readonly string[]> {
  const ids = await fleet.customers(names);
  await fleet.event('order.placed', names);
  await fleet.deliver('bulk', ids);
  const rows = await fleet.rows<{ id: number }>('select id from sends where handed_at is not null order by id');
  return rows.map(({ id }) => signReturnPath('bounce@sample.example', id, keys[0] as SigningKey));
}

const hard = (to: string | undefined, recipient: string): Buffer =>
  dsn({ to: to ?? '', recipient, status: '5.1.1', diagnostic: '550 5.1.1 User unknown' });
const suppressed = async (): Promise<readonly unknown[]> =>
  (await fleet.rows('select address, source from suppressions order by address')).map(({ address, source }) => [
    address,
    source,
  ]);
const run = async (...args: readonly string[]): Promise<Printed> =>
  runCommand((terminal) => bouncesCommand(terminal), args, '.');

const LETTER = Buffer.from('From: Ada <ada@example.com>\r\nSubject: Hello\r\n\r\nIs anybody there?\r\n');
const AWAY = Buffer.from(
  'From: bob@example.com\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nBack on Monday.\r\n',
);
const MONSTER = Buffer.from(`Subject: ${'x'.repeat(600_000)}\r\n\r\nx\r\n`);

/** Collects what is logged, and waits for it. */
function listening(): {
  readonly log: pino.Logger;
  readonly said: (words: string, times?: number) => Promise<Record<string, unknown>[]>;
} {
  const lines: Record<string, unknown>[] = [];
  let told = (): void => undefined;
  const log = pino(
    {},
    {
      write: (line: string) => {
        lines.push(JSON.parse(line) as Record<string, unknown>);
        told();
      },
    },
  );
  const said = async (words: string, times = 1): Promise<Record<string, unknown>[]> => {
    for (;;) {
      const found = lines.filter(({ msg }) => String(msg).includes(words));
      if (found.length >= times) return found;
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
  };
  return { log, said };
}

const suites = dovecot === null ? describe.skip : describe;

suites('perennial bounces --imap', () => {
  it('takes each mail once, moves it away, and leaves for people what is theirs', async () => {
    const [ada, , cleo] = await sent('ada', 'bob', 'cleo');
    await server.put(hard(ada, 'ada@example.com'), LETTER, complaint({ 'Return-Path': `<${cleo}>` }), MONSTER, AWAY);
    const dry = await run('--imap', '--dry-run');
    expect(dry.out).toMatch(/5 mails, 1 bounce, 1 complaint, nothing recorded \(dry run\), 3 without a report, 2 left/);
    expect([await server.count(), await suppressed()]).toEqual([5, []]);

    const taken = await run('--imap');
    expect(taken.code).toBe(0);
    expect(taken.out).toMatch(/^mail 1: hard bounce 5\.1\.1 of ada@example\.com, mail \d+ of thanks .*: suppressed$/m);
    expect(taken.out).toMatch(
      /5 mails, 1 bounce, 1 complaint, 2 suppressed, 3 without a report, 2 left in the mailbox for a person\.\n$/,
    );
    expect(await suppressed()).toEqual([
      ['ada@example.com', 'bounce'],
      ['cleo@example.com', 'complaint'],
    ]);
    expect([await server.count(), await server.count('Perennial.Done')]).toEqual([2, 3]);
    expect((await run('--imap')).out).toBe('0 mails, 0 bounces, 0 complaints, 0 suppressed.\n');
    // A mail that a person moves back is read again, and counts once.
    await server.put(hard(ada, 'ada@example.com'));
    expect((await run('--imap')).out).toMatch(/0 suppressed, 1 known before\.\n$/);
  });

  it('says what is wrong, without the password', async () => {
    process.env['BOUNCES_IMAP_URL'] = server.url('No/Such');
    const missing = await run('--imap');
    expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/: it has no mailbox "No\/Such"\n$/) });
    delete process.env['BOUNCES_IMAP_URL'];
    expect(await run('--imap')).toMatchObject({ code: 1, err: expect.stringContaining('BOUNCES_IMAP_URL is not set') });
    const place = { ...parseImapUrl(server.url()), startTls: 'required' as const };
    await expect(openImapMailbox(place, new Set())).rejects.toThrow(
      /no TLS that can be used .* nothing is read in clear/,
    );
  });
});

suites('a crash between recording and moving', () => {
  it('has the mail read again, and nothing counts twice', async () => {
    const [ada] = await sent('ada');
    await server.put(hard(ada, 'ada@example.com'));
    const take = async (crash: boolean): Promise<readonly string[]> => {
      const mailbox = await openImapMailbox(parseImapUrl(server.url()), new Set());
      const done = async (uid: number): Promise<void> =>
        crash ? Promise.reject(new Error('the process ends here')) : mailbox.done(uid);
      const parts = { db: fleet.db, isDryRun: false, goOn: async () => true, onFailure: () => undefined };
      const found: string[] = [];
      try {
        for await (const { result } of takeMailbox({ ...parts, mailbox: { ...mailbox, done } })) {
          found.push(result.kind === 'bounce' ? (result.taken[0]?.outcome ?? '') : result.kind);
        }
      } finally {
        await mailbox.close();
      }
      return found;
    };
    await expect(take(true)).rejects.toThrow('the process ends here');
    expect([await server.count(), await suppressed()]).toEqual([1, [['ada@example.com', 'bounce']]]);
    expect(await take(false)).toEqual(['known before']);
    expect([await server.count(), await server.count('Perennial.Done')]).toEqual([0, 1]);
    expect(await fleet.rows('select kind, verdict from feedback')).toEqual([{ kind: 'bounced', verdict: 'hard' }]);
  });
});

suites('the fleet', () => {
  const polling: Polling[] = [];
  afterEach(async () => {
    for (const one of polling.splice(0)) await one.close();
  });

  it('looks into the mailbox by itself, in the role scheduler', async () => {
    const [ada] = await sent('ada');
    await server.put(hard(ada, 'ada@example.com'));
    const { log, said } = listening();
    const config = readConfig({ DATABASE_URL: fleet.db.url, BOUNCES_IMAP_URL: server.url() }, await testFolder());
    const engine = await startEngine({ config, log, roles: ['scheduler'], followFiles: false });
    try {
      const [taken] = await said('mails that came back were taken in');
      expect(taken).toMatchObject({ mails: 1, bounces: 1, suppressed: 1 });
      expect(JSON.stringify(taken)).not.toContain('@');
    } finally {
      await engine.close();
    }
    expect(await suppressed()).toEqual([['ada@example.com', 'bounce']]);
    expect(await fleet.rows(`select 1 from leases where name = 'bounces'`)).toEqual([]);
  });

  it('reads it in one process at a time, and goes on when the server is back', async () => {
    const paths = await sent('ada', 'bob', 'cleo');
    const { log, said } = listening();
    const place = parseImapUrl(server.url());
    const start = (): Polling => startPolling({ db: fleet.db, place, log, everyMs: 20 });
    const first = start();
    polling.push(first);
    await server.put(hard(paths[0], 'ada@example.com'));
    await said('mails that came back were taken in');
    const [{ holder } = { holder: '' }] = await fleet.rows(`select holder from leases where name = 'bounces'`);
    polling.push(start());
    await server.put(hard(paths[1], 'bob@example.com'));
    await said('mails that came back were taken in', 2);
    expect(await fleet.rows(`select holder from leases where name = 'bounces'`)).toEqual([{ holder }]);

    await server.stop();
    await said('the mailbox for bounces cannot be read');
    await server.start();
    await said('the mailbox for bounces can be read again');
    // The one that held it ends; the other one takes over.
    await first.close();
    await server.put(hard(paths[2], 'cleo@example.com'));
    const taken = await said('mails that came back were taken in', 3);
    expect(taken.map(({ mails, suppressed: many }) => [mails, many])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(await suppressed()).toHaveLength(3);
  });
});

suites('a server that refuses the password', () => {
  // The last one: Dovecot lets who was refused wait.
  it('is named, and the password is not', async () => {
    const place = parseImapUrl(server.url());
    const { credentials } = place;
    const wrong = { ...place, credentials: { ...credentials, pass: 'not-this-one' } };
    await expect(openImapMailbox(wrong, new Set())).rejects.toThrow(/: it refuses the user or the password$/);
  });
});

describe('BOUNCES_IMAP_URL', () => {
  it('is read with its defaults, and wants TLS of every other machine', () => {
    const credentials = { user: 'bounce@hearth.example', pass: 'a/b' };
    const url = '//bounce%40hearth.example:a%2Fb@';
    expect(parseImapUrl(`imaps:${url}imap.hearth.example`)).toEqual({
      host: 'imap.hearth.example',
      port: 993,
      secure: true,
      startTls: 'required',
      credentials,
      mailbox: 'INBOX',
    });
    const clear = parseImapUrl(`imap:${url}imap.hearth.example/INBOX/Back%20again`);
    expect(clear).toMatchObject({ port: 143, secure: false, startTls: 'required', mailbox: 'INBOX/Back again' });
    expect(parseImapUrl(`imap:${url}[::1]:1143`)).toMatchObject({ host: '::1', port: 1143, startTls: 'offered' });
  });

  it.each([
    ['pop3://bounce:s3cret@mail.example', 'cannot be read'],
    ['imaps://mail.example/INBOX', 'names no user and password'],
    ['imaps://bounce:s3cret%@mail.example', 'has a stray %'],
    ['imaps://bounce:s3cret@mail.example?tls=off', 'has something after "?"'],
  ])('refuses %s without quoting it', (url, words) => {
    const read = (): unknown => readConfig({ BOUNCES_IMAP_URL: url }, '/company');
    expect(read).toThrow(`BOUNCES_IMAP_URL: the mailbox's address ${words}`);
    expect(read).not.toThrow('s3cret');
  });
});
