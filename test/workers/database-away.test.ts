import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openReleaseCache } from '../../engine/store/context.ts';
import { openDatabase } from '../../engine/store/database.ts';
import { closeEach, CloseError } from '../../workers/closing.ts';
import { openSettling } from '../../workers/settling.ts';
import { compileSources } from '../support/staff.ts';

const log = pino({ level: 'silent' });

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
