/** Secrets of the configuration are in no message, whichever server refuses, is away, or is no server. */
import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isLoopbackHost } from '../../engine/mail/loopback.ts';
import { MailError, openTransport } from '../../engine/mail/transport.ts';
import { checkRedis, openQueue, prepareQueue } from '../../engine/queue/queue.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { databaseAway } from '../../scripts/support/database-away.ts';
import { ConfigError, readConfig } from '../../workers/config.ts';
import { errorFields } from '../../workers/log.ts';
import { pino } from 'pino';
import { COMPANY } from '../support/staff.ts';
import { testFolder } from '../support/folder.ts';
import { writeFile } from 'node:fs/promises';

const CANARY = 'c4n4ry-S3cret';

/** Says something that no server of ours says, and hangs up. */
let odd: Server;
beforeAll(async () => {
  odd = createServer((socket) => socket.on('error', () => undefined).end('-ERR who are you\r\n'));
  await new Promise<void>((resolve) => {
    odd.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  odd.close();
});

/** All that a person or a log would see of an error. */
function seen(error: unknown): string {
  const { message, stack } = error as Error;
  return [message, stack, String(databaseAway(error)), JSON.stringify(errorFields(error))].join('\n');
}

it.each(['nothing listens', 'another kind of server listens'])('where %s, nobody is shown a secret', async (which) => {
  const place = `127.0.0.1:${which === 'nothing listens' ? 1 : (odd.address() as AddressInfo).port}`;
  const postgres = `postgres://u:${CANARY}@${place}/x`;
  const redis = `redis://u:${CANARY}@${place}`;
  const smtp = `smtp://u:${CANARY}@${place}?tls=off`;
  const db = openDatabase(postgres, { max: 1 });
  const transport = openTransport({ url: smtp, connections: 1 });
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const queue = await openQueue({ backend: { kind: 'redis', url: redis, isTrusted: isLoopbackHost }, log });
  const attempts: readonly Promise<unknown>[] = [
    db.query('select 1'),
    prepareQueue({ kind: 'postgres', url: postgres }),
    checkRedis(redis, isLoopbackHost),
    queue.hint('bulk', [1]),
    transport.verify(),
  ];
  const results = await Promise.allSettled(attempts);
  expect(results.map(({ status }) => status)).toEqual(Array(attempts.length).fill('rejected'));
  for (const result of results) {
    const { reason } = result as PromiseRejectedResult;
    expect(seen(reason)).not.toContain(CANARY);
    expect(seen((reason as Error).cause ?? '')).not.toContain(CANARY);
  }
  expect((results.at(-1) as PromiseRejectedResult).reason).toBeInstanceOf(MailError);
  await Promise.allSettled([queue.close(), transport.close(), db.close()]);
  expect(logged.join('')).not.toContain(CANARY);
});

it('a configuration that is wrong everywhere names every variable and no secret', () => {
  const env = {
    DATABASE_URL: `postgres://u:${CANARY}@db.internal/x`,
    REDIS_URL: `redis://:${CANARY}@redis.internal`,
    SMTP_URL: `smtp://u:${CANARY}@mail.internal?tls=off`,
    PERENNIAL_WEBHOOK_SECRET: `${CANARY}!`,
    PERENNIAL_POSTMARK_LOGIN: CANARY,
    PERENNIAL_RESEND_SECRET: CANARY,
    PERENNIAL_SENDGRID_KEY: CANARY,
    PERENNIAL_DKIM_KEYS: CANARY,
  };
  for (const wrong of [env, { ...env, PERENNIAL_PUBLIC_PORT: 'x' }]) {
    try {
      readConfig(wrong, '/company');
      throw new Error('it was taken');
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(seen(error)).not.toContain(CANARY);
    }
  }
});

it('the program itself prints none of them when its servers are away', async () => {
  const dir = await testFolder();
  await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
  const program = path.join(import.meta.dirname, '../../bin/perennial.js');
  const env = {
    ...process.env,
    LOG_LEVEL: 'trace',
    DATABASE_URL: `postgres://u:${CANARY}@127.0.0.1:1/x`,
    REDIS_URL: `redis://:${CANARY}@127.0.0.1:1`,
    SMTP_URL: `smtp://u:${CANARY}@127.0.0.1:1?tls=off`,
    PERENNIAL_WRITE_KEY: `${CANARY}-${CANARY}`,
  };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, 'work', '--roles', 'deliver', '--project', dir],
    {
      env,
      encoding: 'utf8',
    },
  );
  expect(status).toBe(1);
  expect(stderr).toContain('The database cannot be used');
  expect(stdout + stderr).not.toContain(CANARY);
});
