/** How a loop tells of rounds that fail. */
import { Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startLoop } from '../../workers/loop.ts';

it.each([
  ['a lock that was not to be had in time is a warning', '55P03', 40],
  ['a full disk is an error', '53100', 50],
])('%s, and the next round comes', async (_, code, level) => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  let rounds = 0;
  let goOn: () => void = () => undefined;
  const again = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const round = async (): Promise<number> => {
    rounds += 1;
    if (rounds === 1) throw Object.assign(new Error('refused'), { code });
    goOn();
    return Promise.resolve(60_000);
  };
  const loop = startLoop('test', round, pino(stream), { afterErrorMs: 1 });
  await again;
  await loop.stop();
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level, loop: 'test', msg: 'a round failed and will be tried again' }),
  ]);
});
