/** Jobs whose mails wait for a slow server do not keep their lane. */
import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openPatience } from '../../workers/patience.ts';

function job(): { readonly promise: Promise<void>; readonly end: () => void; readonly fail: (error: Error) => void } {
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { promise, end, fail };
}

it('leaves so many jobs of a lane to themselves, and waits for them at the end', async () => {
  const lines: unknown[] = [];
  const log = pino({}, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  const patience = openPatience({ limit: 1, log, patienceMs: 20 });
  const [slow, second, other] = [job(), job(), job()];
  await patience.waitFor('bulk', slow.promise);
  await patience.waitFor('transactional', other.promise);
  let isSecondLeft = false;
  const waited = patience.waitFor('bulk', second.promise).then(() => (isSecondLeft = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isSecondLeft).toBe(false);
  slow.end();
  await waited;

  let isClosed = false;
  const closed = patience.close().then(() => (isClosed = true));
  other.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isClosed).toBe(false);
  second.fail(new Error('the database is away'));
  await closed;
  expect(lines).toEqual([
    ...Array<string>(3).fill('the mail server takes long; other mails go on meanwhile'),
    'a job that took long failed: what it held comes back by itself',
  ]);
});

it('is a job’s own end where that comes in time', async () => {
  const patience = openPatience({ limit: 1, log: pino({ level: 'silent' }), patienceMs: 60_000 });
  await patience.waitFor('bulk', Promise.resolve());
  await expect(patience.waitFor('bulk', Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  await patience.close();
});
