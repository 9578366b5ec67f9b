/** Keys that sign links: a new one takes over in processes that run, and what older ones signed stays good. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { pino } from 'pino';
import { readBounceToken, signBounceToken } from '../../engine/message/bounce-token.ts';
import { readReaderLink, readSurveyLink, signReaderLink, signSurveyLink } from '../../engine/message/link-token.ts';
import { readClick, readOpen, signClick, signOpen } from '../../engine/message/track-token.ts';
import { loadSigningKeys, signingKey } from '../../engine/store/signing-keys.ts';
import { keysCommand } from '../../scripts/keys.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { openCurrentKey } from '../../workers/signing-key.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';

let staffed: Staffed;
const databaseUrl = process.env['DATABASE_URL'];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  process.env['DATABASE_URL'] = staffed.db.url;
});
afterAll(async () => {
  if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
  else process.env['DATABASE_URL'] = databaseUrl;
  await staffed.close();
});

const run = async (...args: readonly string[]): Promise<Printed> =>
  runCommand((terminal: Terminal): Command => keysCommand(terminal), args, '.');

it('signs with a new key from its making on, on record, and reads whatever an older key signed', async () => {
  const { db } = staffed;
  const first = await signingKey(db);
  let told = (): void => undefined;
  const taken = new Promise<void>((resolve) => {
    told = resolve;
  });
  const log = pino({}, { write: (line: string) => line.includes('links are signed with a new key') && told() });
  const process = await openCurrentKey(db, log, 10);
  expect(process.value).toEqual(first);
  const url = 'https://hearth.example/lamp?size=2';
  const signed = {
    reader: signReaderLink(7, first),
    survey: signSurveyLink({ sendId: 7, score: 9 }, first),
    click: signClick(7, url, first),
    open: signOpen(7, first),
    bounce: signBounceToken(7, first),
  };

  const rotated = await run('rotate', '--by', 'Mia', '--reason', 'once a year');
  expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining(`Key ${first.id + 1} signs from now on`) });
  await taken;
  expect(process.value.id).toBe(first.id + 1);
  expect(Buffer.from(process.value.secret)).toHaveLength(32);
  await process.stop();

  const keys = await loadSigningKeys(db);
  expect(readReaderLink(signed.reader, keys)).toBe(7);
  expect(readSurveyLink(signed.survey, keys)).toEqual({ sendId: 7, score: 9 });
  expect(readClick(signed.click, keys)).toEqual({ sendId: 7, url });
  expect(readOpen(signed.open, keys)).toBe(7);
  expect(readBounceToken(signed.bounce, keys)).toBe(7);
  expect(readReaderLink(signReaderLink(8, process.value), keys)).toBe(8);
  expect(readReaderLink(signReaderLink(8, process.value), [first])).toBeNull();

  const listed = await run('list');
  expect(listed.out).toMatch(
    /key +made \(Europe\/Berlin\) +what it does\n2 .* signs\n1 .* reads links of earlier mails\n$/,
  );
  const json = JSON.parse((await run('list', '--json')).out) as { readonly keys: readonly object[] };
  expect(json.keys.map((key) => Object.keys(key))).toEqual([
    ['id', 'createdAt', 'signs'],
    ['id', 'createdAt', 'signs'],
  ]);
  expect(await staffed.rows('select action, by, reason, detail from audit')).toEqual([
    { action: 'keys.rotate', by: 'Mia', reason: 'once a year', detail: { key: first.id + 1 } },
  ]);
});
