import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inboxRange, listInbox, readMail } from '../../engine/mail/inbox/store.ts';
import { startInbox } from '../../engine/mail/inbox/server.ts';
import { openTransport } from '../../engine/mail/transport.ts';
import { compose } from '../../engine/message/compose.ts';
import { inboxCommand, inboxFolder } from '../../scripts/inbox.ts';

let project: string;
let dir: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'perennial-inbox-'));
  dir = inboxFolder(project);
});
afterEach(async () => {
  await rm(project, { recursive: true, force: true });
});

function mail(number: number, to = 'ada@example.com') {
  return compose({
    from: 'Hearth & Home <hello@hearth.example>',
    to,
    toName: 'Ada',
    replyTo: null,
    subject: `Grüße ${number}`,
    html: `<p>Mail ${number}</p>`,
    text: `Mail ${number}\n`,
    messageId: `<send-${number}@hearth.example>`,
    date: Date.UTC(2026, 2, 2, 9, 15) + number * 60_000,
    headers: { 'X-Perennial-Playbook': 'welcome-series', 'X-Perennial-Step': 'hello' },
  });
}

async function send(mails: readonly ReturnType<typeof mail>[], inboxes = 1): Promise<void> {
  const servers = await Promise.all(
    Array.from({ length: inboxes }, () => startInbox({ dir, host: '127.0.0.1', port: 0 })),
  );
  const transports = servers.map(({ url }) => openTransport({ url, connections: 4 }));
  const outcomes = await Promise.all(
    mails.map((each, index) => (transports[index % inboxes] as (typeof transports)[0]).deliver(each, async () => true)),
  );
  expect(outcomes.filter(({ kind }) => kind !== 'accepted')).toEqual([]);
  await Promise.all(transports.map((transport) => transport.close()));
  await Promise.all(servers.map((server) => server.close()));
}

/** What the command prints, and its exit code. */
async function run(...args: readonly string[]): Promise<{ out: string; err: string; code: unknown }> {
  const printed: { out: string; err: string } = { out: '', err: '' };
  const spies = (['out', 'err'] as const).map((name) =>
    jest.spyOn(process[`std${name}`], 'write').mockImplementation((chunk) => {
      printed[name] += Buffer.from(chunk as string).toString();
      return true;
    }),
  );
  try {
    await inboxCommand().parseAsync(['--project', project, ...args], { from: 'user' });
    return { ...printed, code: process.exitCode };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  }
}

describe('the local inbox', () => {
  it('has every mail on disk once it was accepted, and goes on counting after a restart', async () => {
    await send([mail(1)]);
    await send([mail(2, 'bob@example.com')]);
    expect(await readdir(dir)).toEqual(['000000001.eml', '000000002.eml']);
    expect(await listInbox(dir)).toEqual([
      {
        number: 1,
        at: '2026-03-02T09:16:00.000Z',
        to: 'ada@example.com',
        subject: 'Grüße 1',
        playbook: 'welcome-series',
        step: 'hello',
      },
      {
        number: 2,
        at: '2026-03-02T09:17:00.000Z',
        to: 'bob@example.com',
        subject: 'Grüße 2',
        playbook: 'welcome-series',
        step: 'hello',
      },
    ]);
    const read = await readMail(dir, 2);
    expect(read).toMatchObject({
      from: 'hello@hearth.example',
      messageId: '<send-2@hearth.example>',
      // The parser ends every part with a line break.
      text: 'Mail 2\n\n',
      html: '<p>Mail 2</p>\n',
    });
    expect(read?.raw.toString()).toMatch(
      /^Return-Path: <hello@hearth\.example>\r\nDelivered-To: bob@example\.com\r\nFrom: /,
    );
    expect(await readMail(dir, 3)).toBeNull();
  });

  it('loses and doubles nothing when several processes’ inboxes share a folder', async () => {
    await send(
      Array.from({ length: 200 }, (_, index) => mail(index)),
      3,
    );
    const mails = await Promise.all(Array.from({ length: 200 }, (_, index) => readMail(dir, index + 1)));
    expect(new Set(mails.map((each) => each?.messageId)).size).toBe(200);
    expect(await inboxRange(dir)).toEqual({ first: 1, last: 200, count: 200 });
    expect((await readdir(dir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is empty where there is no folder, and does not show what is half-written', async () => {
    expect(await listInbox(dir)).toEqual([]);
    await send([mail(1)]);
    await writeFile(join(dir, '.incoming-1-1'), 'Subject: half');
    expect(await listInbox(dir)).toHaveLength(1);
  });

  it('says that it could not keep a mail, so that it is tried again', async () => {
    const inbox = await startInbox({ dir, host: '127.0.0.1', port: 0 });
    const transport = openTransport({ url: inbox.url, connections: 1 });
    await rm(dir, { recursive: true });
    expect(await transport.deliver(mail(1), async () => true)).toMatchObject({
      kind: 'retry',
      code: 452,
      scope: 'message',
    });
    await transport.close();
    await inbox.close();
  });
});

describe('perennial inbox', () => {
  it('lists the latest mails, those to one address, and as JSON', async () => {
    expect((await run()).out).toBe(`No mail in ${dir} yet.\n`);
    await send([mail(1)]);
    await send([mail(2, 'bob@example.com')]);
    expect((await run()).out).toBe(
      [
        'No.  Time (UTC)        To               Subject  Playbook/step',
        '  1  2026-03-02 09:16  ada@example.com  Grüße 1  welcome-series/hello',
        '  2  2026-03-02 09:17  bob@example.com  Grüße 2  welcome-series/hello',
        '2 mails. Read one with "perennial inbox show NUMBER".',
        '',
      ].join('\n'),
    );
    expect((await run('--limit', '1')).out).toMatch(/ 2 {2}2026[^]*\nthe latest 1 of 2 mails\./);
    expect((await run('--to', 'ADA@example.com')).out).toMatch(/ 1 {2}2026[^]*\n1 mail to ADA@example.com\./);
    expect(JSON.parse((await run('--json', '--to', 'bob@example.com')).out)).toMatchObject([
      { number: 2, to: 'bob@example.com' },
    ]);
  });

  it('shows one mail, its HTML or its source', async () => {
    await send([mail(1)]);
    expect((await run('show', '1')).out).toBe(
      'From:     hello@hearth.example\nTo:       ada@example.com\nDate:     2026-03-02 09:16 UTC\nSubject:  Grüße 1\nPlaybook: welcome-series/hello\n\nMail 1\n',
    );
    expect((await run('show', '1', '--raw')).out).toMatch(/^Return-Path: /);
    const file = join(project, 'mail.html');
    expect((await run('show', '1', '--html', file)).out).toBe(`Wrote ${file}\n`);
  });

  it('says which numbers there are when it is asked for another', async () => {
    await send([mail(1)]);
    expect(await run('show', '7')).toEqual({
      out: '',
      err: `There is no mail 7 in ${dir}: it has 1 to 1; "perennial inbox" lists them.\n`,
      code: 1,
    });
  });

  it('prints nothing that a terminal would obey', async () => {
    await send([
      { ...mail(1), message: Buffer.from('Subject: =?UTF-8?B?G1syShtdMDt4Bw==?= hi\r\n\r\nbody\x1b[2J\r\n') },
    ]);
    expect((await run()).out).not.toContain('\u001b');
    expect((await run('show', '1')).out).not.toContain('\u001b');
  });
});
