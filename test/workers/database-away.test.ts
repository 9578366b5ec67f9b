import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { pino } from 'pino';
import { openReleaseCache } from '../../engine/store/context.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { closeEach, CloseError } from '../../workers/closing.ts';
import { openSettling } from '../../workers/settling.ts';
import { testFolder } from '../support/folder.ts';
import { startProcess } from '../support/process.ts';
import { compileSources, COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const PERENNIAL = path.join(import.meta.dirname, '../../scripts/perennial.ts');
const log = pino({ level: 'silent' });

/** A way to the database that can be cut. */
async function openWay(url: string): Promise<{ readonly url: string; readonly cut: () => void }> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as net.AddressInfo).port);
  // A server that is reached over its Unix socket would be reached past us.
  through.searchParams.delete('host');
  return {
    url: through.href,
    cut: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('a process that is told to end while the database is away', () => {
  let staffed: Staffed;
  let cut = (): void => undefined;
  beforeEach(async () => {
    staffed = await openStaffed('2026-03-01T12:00:00Z');
    await staffed.deploy({
      'perennial.yaml': COMPANY,
      'playbooks/sorry.yaml': 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: sorry\n',
      'templates/sorry.hbs': 'Sorry',
    });
  });
  afterEach(async () => {
    cut();
    await staffed.close();
  });

  it('ends by itself, and in order', async () => {
    const way = await openWay(staffed.db.url);
    cut = way.cut;
    const roles = ['--roles', 'scheduler,advance,deliver,public'];
    const worker = startProcess(PERENNIAL, ['work', ...roles, '--project', await testFolder()], {
      DATABASE_URL: way.url,
      PERENNIAL_WRITE_KEY: 'a-key-of-the-test-alone',
      PERENNIAL_PUBLIC_PORT: '0',
      REDIS_URL: '',
      SMTP_URL: '',
      LOG_LEVEL: 'silent',
    });
    const leased = async (): Promise<boolean> => (await staffed.rows('select holder from leases')).length > 0;
    while (!(await leased())) await new Promise((resolve) => setTimeout(resolve, 50));
    cut();
    // Not drained within 30 s it would end with 1.
    expect(await worker.end('SIGTERM')).toBe(0);
  }, 60_000);
});

describe('outcomes that the database does not take', () => {
  it('are given up once the process is to end, and not before', async () => {
    const db = openDatabase('postgres://nobody@127.0.0.1:1/nowhere');
    const errors: string[] = [];
    let settled = 0;
    let onError = (): void => undefined;
    const failedOnce = new Promise<void>((resolve) => (onError = resolve));
    const settling = openSettling({
      db,
      cache: openReleaseCache(compileSources),
      hints: { send: async () => true },
      log: pino(
        {},
        {
          write: (line) => {
            errors.push((JSON.parse(line) as { readonly msg: string }).msg);
            onError();
          },
        },
      ),
      onSettled: (count) => (settled += count),
      graceMs: 0,
    });
    const outcome = settling.settle({ sendId: 1, fence: 1, customerId: 1, kind: 'accepted' });
    await failedOnce;
    settling.hurry();
    await outcome;
    await settling.close();
    await db.close();
    expect(settled).toBe(0);
    expect(errors[0]).toBe('outcomes could not be recorded yet');
    expect(errors.at(-1)).toContain('they are found when their leases expire');
  });
});

describe('closeEach', () => {
  it('closes the others too when one fails, and says which', async () => {
    const closed: string[] = [];
    const closer = (what: string, fails: boolean): Parameters<typeof closeEach>[0][number] => ({
      what,
      close: async () => {
        closed.push(what);
        if (fails) throw new Error('gone');
      },
    });
    const closing = closeEach([closer('a', true), closer('b', false), closer('c', true)], log);
    const error: unknown = await closing.catch((thrown: unknown) => thrown);
    expect(closed).toEqual(['a', 'b', 'c']);
    expect(error).toBeInstanceOf(CloseError);
    expect((error as CloseError).message).toBe('not ended in order: a, c');
    expect((error as CloseError).errors).toHaveLength(2);
  });
});
