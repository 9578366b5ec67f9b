/** Workers that stand still with all that they hold, and wake up when others have long taken it over. */
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { HANDED_FOR_MS } from '../../../engine/store/hand.ts';
import type { Fleet, Member } from '../fleet.ts';
import type { Load } from '../load.ts';
import { CONNECTIONS, type Site } from '../site.ts';
import { until } from '../until.ts';

/** What a process is made to do. */
export type Sleep = 'stopped' | 'blocked';

/** A lease. */
const LEASE_MS = HANDED_FOR_MS;
/** The event loop stands still for three leases. */
const BLOCKED_MS = 3 * LEASE_MS;
/** More than fit into its conversations: some wait for a connection when it falls asleep. */
const CLAIMED_IN_SLEEP = 3 * CONNECTIONS;

interface Claim extends Record<string, unknown> {
  readonly id: number;
  readonly fence: number;
}

/** Workers that sleep. */
export interface Sleepers {
  /** Messages that were under way at the mail server when they fell asleep. */
  readonly underWay: number;
  /**
   * Wakes them when others have taken over their mails, or lets the blocked wake by themselves; then ends them in order.
   * Gives what was wrong about that.
   */
  wake(): Promise<readonly string[]>;
}

/** Lets workers work alone, and then fall asleep all at once. The load has to run. */
export async function fallAsleep(site: Site, load: Load, how: readonly Sleep[]): Promise<Sleepers> {
  const preload = [path.join(import.meta.dirname, '../block-on-signal.js')];
  // The watchdog would end them as they wake; here they are to wake up and find their work gone.
  const env = { CHAOS_BLOCK_MS: String(BLOCKED_MS), PERENNIAL_WATCHDOG_SECONDS: '3600' };
  const fleet = site.startFleet(how.map(() => ({ roles: 'advance,deliver', preload, env })));
  const watched = { site, load, fleet };
  await fleet.whenRunning();
  const isDeepInWork = async (): Promise<boolean> =>
    (await claims(site)).length >= CLAIMED_IN_SLEEP && (await site.sink.standing()).underWay >= CONNECTIONS;
  await until(watched, 'the sleepers have claimed enough', isDeepInWork);
  for (const [index, member] of fleet.members.entries()) {
    member.hang(how[index] === 'blocked' ? 'SIGUSR2' : 'SIGSTOP');
  }
  const asleepMs = performance.now();
  const { underWay } = await site.sink.standing();
  const held = await claims(site);
  return { underWay, wake: async () => wakeUp(watched, how, held, asleepMs) };
}

async function wakeUp(
  watched: { readonly site: Site; readonly load: Load; readonly fleet: Fleet },
  how: readonly Sleep[],
  held: readonly Claim[],
  asleepMs: number,
): Promise<readonly string[]> {
  const { site, fleet } = watched;
  await until(watched, 'their mails are in other hands', async () => (await stillHeld(site, held)) === 0);
  const longestMs = how.includes('blocked') ? BLOCKED_MS : LEASE_MS;
  await sleep(Math.max(0, asleepMs + longestMs + 1_000 - performance.now()));
  return (await Promise.all(fleet.members.map(awaken))).flat();
}

/** Its complaints are its own: the database has ended its sessions. How it ends is not. */
async function awaken(member: Member): Promise<readonly string[]> {
  member.hang('SIGCONT');
  // Whatever it had half done, it now does; a moment is enough to do it wrong.
  await sleep(2_000);
  const ending = await member.end('SIGTERM');
  return ending === 0 ? [] : [`a process that slept ended with ${ending}\n${member.lastLines.join('\n')}`];
}

async function claims(site: Site): Promise<readonly Claim[]> {
  return (await site.db.query<Claim>(`select id, fence from sends where status in ('claimed', 'handed')`)).rows;
}

async function stillHeld(site: Site, held: readonly Claim[]): Promise<number> {
  const { rows } = await site.db.query<{ n: number }>(
    `select count(*) as n from unnest($1::bigint[], $2::int[]) as c (id, fence) join sends s using (id, fence)
     where s.status in ('claimed', 'handed')`,
    [held.map((claim) => claim.id), held.map((claim) => claim.fence)],
  );
  return rows[0]?.n ?? 0;
}
