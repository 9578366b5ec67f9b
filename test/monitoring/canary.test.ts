/** Words that nobody else has, and secrets, come out of a process in no log, job, metric, page or answer, whatever goes wrong. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { errorFields } from '../../workers/log.ts';
import { testRedis } from '../support/redis.ts';
import { CANARIES, found, sing, type Song } from './canaries.ts';

const redis = await testRedis();
afterAll(async () => redis?.stop());

const QUEUES: readonly (readonly [string, string | null])[] = [
  ['PostgreSQL', null],
  ...(redis === null ? [] : [['Redis', redis.url] as const]),
];

describe.each(QUEUES)('what nobody but the customer, or the operator, may know, with the queue on %s', (name, url) => {
  let song: Song;
  beforeAll(async () => {
    song = await sing(url);
  }, 60_000);

  it('is not in the log, at any level, whatever goes wrong', () => {
    // So that a process which no longer says anything does not pass for one that keeps its mouth shut.
    for (const said of [
      'cannot connect to the mail server',
      'a mail could not be written',
      'a webhook was given up',
      'the intake could not store what came in',
      'A job failed; its customers are found again by the sweep',
      'mail connection ended',
      'draining',
    ]) {
      expect(song.log).toContain(said);
    }
    expect(song.log).toMatch(/"send":\d+/);
    expect(found(song.log)).toEqual([]);
  });

  it('is in no job: jobs hold ids', () => {
    expect(song.jobs).toMatch(/"ids": ?\[\d+/);
    if (name === 'Redis') expect(song.jobs).toMatch(/^evalsha /m);
    expect(found(song.jobs)).toEqual([]);
  });

  it('is not in metrics and health', () => {
    expect(song.told).toContain('perennial_sends_total');
    expect(found(song.told)).toEqual([]);
  });

  it('is in no page that readers see, and in no answer to systems', () => {
    for (const [status, where] of [
      [400, 'POST identify'],
      [400, 'POST batch'],
      [401, 'POST identify'],
      [413, 'POST identify'],
      [503, 'POST identify'],
      [200, 'GET preferences'],
      [503, 'POST unsubscribe'],
      [503, 'POST preferences'],
      [503, 'POST survey'],
      [404, 'GET survey'],
    ]) {
      expect(song.answers).toMatch(new RegExp(`^${status} ${where}: .{20}`, 'm'));
    }
    expect(found(song.answers)).toEqual([]);
  });

  it('reached the reader, so that the canaries did sing', () => {
    // Not how many: that depends on how many mails shared the connections that broke. One answer was lost, and one came.
    expect(song.taken.length).toBeGreaterThan(1);
    expect(song.taken.every(({ to }) => to[0]?.startsWith(CANARIES.address))).toBe(true);
  });
});

describe('the fields of an error', () => {
  const withCode = (message: string, fields: object): Error => Object.assign(new Error(message), fields);
  it.each([
    ['an address', new Error('no user <quuxley@sample.example> here'), 'no user <(address)> here'],
    ['a password in a URL', new Error('cannot reach redis://me:hunter2@cache:6379'), '(address)'],
    [
      'a value that the database refuses',
      withCode('invalid input syntax: "quuxley"', { code: '22P02' }),
      'cannot take a value',
    ],
    [
      'a row',
      withCode('violates check', { code: '23514', detail: 'Failing row contains (quuxley)' }),
      'violates check',
    ],
    ['a text that cannot be parsed', new SyntaxError('Unexpected token in JSON: quuxley'), 'could not be read'],
  ])('hold no %s', (_what, error, expected) => {
    const lines: string[] = [];
    pino({}, { write: (line) => lines.push(line) }).error(errorFields(error), 'x');
    expect(lines[0]).toContain(expected);
    expect(lines[0]).not.toMatch(/quuxley|hunter2/);
  });
});
