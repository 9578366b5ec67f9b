/**
 * Pace with real processes, counted where the mail arrives. The limits are far below what a slow machine can do, so what is
 * counted is the limit and not the machine.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { listHolds } from '../../engine/store/pace/holds.ts';
import { openSite, type Site } from './site.ts';

const isFull = process.env['PERENNIAL_CHAOS_FULL'] === '1';
const PER_SECOND = 20;
/** How long is counted. */
const WINDOW_MS = isFull ? 60_000 : 15_000;
/** Where counting begins: the first mails go while processes still start. */
const SETTLING_MS = 3_000;
const EXPECTED = (PER_SECOND * WINDOW_MS) / 1_000;
const FOUR = ['scheduler,advance,deliver', ...Array<string>(3).fill('advance,deliver')];

let site: Site | null = null;
afterEach(async () => {
  await site?.close();
  site = null;
});

const addresses = (prefix: string, count: number, domain = 'example.com'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}@${domain}`);

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

/** How many mails came within the window that begins after the settling. */
function countedIn({ sink }: Site): number {
  const fromMs = (sink.taken[0]?.atMs ?? 0) + SETTLING_MS;
  return sink.taken.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + WINDOW_MS).length;
}

const isCounted = ({ sink }: Site): boolean =>
  (sink.taken.at(-1)?.atMs ?? 0) >= (sink.taken[0]?.atMs ?? Infinity) + SETTLING_MS + WINDOW_MS;

/** Everybody got one mail, and nobody two. */
function copiesIn({ sink }: Site): number {
  return sink.taken.length - new Set(sink.taken.map(({ messageId }) => messageId)).size;
}

describe('four workers under one limit', () => {
  it('send as many mails as it allows, and transactional ones at once', async () => {
    const open = (site = await openSite(`{ per_second: ${PER_SECOND} }`));
    await open.mail('mass', addresses('c', EXPECTED * 2));
    const fleet = open.start(FOUR);
    await fleet.whenRunning();
    await until(() => open.sink.taken.length > 40);
    await open.mail('single', addresses('t', 15));
    const before = open.sink.taken.length;
    const singles = (): number => open.sink.taken.filter(({ to }) => to[0]?.startsWith('t') === true).length;
    await until(() => singles() === 15);
    // What had a place already goes with them; hundreds of others wait.
    const passed = open.sink.taken.slice(before).filter(({ to }) => to[0]?.startsWith('c') === true).length;
    expect(passed).toBeLessThan(PER_SECOND * 5);
    const shown = await open.run('pace');
    expect(shown).toContain('each mail server  20 a second');
    expect(shown).toMatch(/\d+ +bulk +a place under a limit per second/);
    await until(() => isCounted(open));
    const counted = countedIn(open);
    process.stderr.write(`pace: ${counted} mails in ${WINDOW_MS} ms at ${PER_SECOND}/s\n`);
    expect(counted).toBeGreaterThanOrEqual(EXPECTED * 0.95);
    expect(counted).toBeLessThanOrEqual(EXPECTED * 1.05);
    expect(copiesIn(open)).toBe(0);
    expect(fleet.complaints).toEqual([]);
  }, 240_000);

  it('lose no more than a second of it when one is killed', async () => {
    const open = (site = await openSite(`{ per_second: ${PER_SECOND} }`));
    await open.mail('mass', addresses('c', EXPECTED * 2));
    const fleet = open.start(FOUR);
    await fleet.whenRunning();
    await until(() => open.sink.taken.length > (SETTLING_MS / 1_000 + 2) * PER_SECOND);
    const [, second] = fleet.members;
    await second?.end('SIGKILL');
    await until(() => isCounted(open));
    const counted = countedIn(open);
    process.stderr.write(`pace: ${counted} mails in ${WINDOW_MS} ms at ${PER_SECOND}/s, one worker killed\n`);
    expect(counted).toBeGreaterThanOrEqual(EXPECTED * 0.95 - PER_SECOND);
    expect(counted).toBeLessThanOrEqual(EXPECTED * 1.05);
    expect(copiesIn(open)).toBe(0);
  }, 240_000);
});

describe('a domain that asks for less', () => {
  it('waits, while all others get theirs; a person lets it go on', async () => {
    let isBusy = true;
    const refuse = (to: string): string | null =>
      isBusy && to.endsWith('@busy.example') ? '421 4.7.0 Try again later, closing connection.' : null;
    const open = (site = await openSite('', { refuse }));
    await open.mail('mass', [...addresses('b', 300, 'busy.example'), ...addresses('q', 300, 'quick.example')]);
    const fleet = open.start(['scheduler,advance,deliver', 'advance,deliver']);
    await fleet.whenRunning();
    await until(() => open.sink.taken.length === 300);
    expect(open.sink.taken.every(({ to }) => to[0]?.endsWith('@quick.example') === true)).toBe(true);
    expect(await listHolds(open.db)).toMatchObject([{ domain: 'busy.example', because: 'throttled' }]);
    const { rows: suppressed } = await open.db.query('select from suppressions');
    expect(suppressed).toEqual([]);
    isBusy = false;
    // All of them were either refused, and have a time of their own, or wait for the domain.
    await until(async () => (await statuses(open)).due === 0);
    const { waiting } = await statuses(open);
    // Refused were those that had begun when the first was, over all connections of both processes.
    process.stderr.write(`pace: ${300 - waiting} of 300 mails were refused before their domain was left alone\n`);
    expect(waiting).toBeGreaterThan(150);
    const shown = await open.run('pace');
    expect(shown).toMatch(/busy\.example +.*asks for less mail +RCPT TO: 421 4\.7\.0/);
    const lifted = await open.run('pace', 'lift', 'busy.example', '--by', 'Mia', '--reason', 'they said so');
    expect(lifted).toContain(`busy.example is held no longer. Mails that were waiting for it and go on: ${waiting}.`);
    await until(() => open.sink.taken.length === 300 + waiting);
    expect(copiesIn(open)).toBe(0);
  }, 120_000);
});

/** Mails that are due or under way, and mails that wait for their domain. */
async function statuses({ db }: Site): Promise<{ readonly due: number; readonly waiting: number }> {
  const { rows } = await db.query<{ due: number; waiting: number }>(
    `select count(*) filter (where status in ('claimed', 'handed') or (status = 'planned' and due_at <= clock_timestamp())) as due,
       count(*) filter (where status = 'planned' and waits_for = 'domain' and due_at = waits_until) as waiting from sends`,
  );
  return rows[0] ?? { due: 0, waiting: 0 };
}
