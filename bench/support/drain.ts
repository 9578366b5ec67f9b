/** A fleet that delivers all that is due. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../../workers/fleet.ts';
import { openOutgoing } from '../../workers/outgoing.ts';
import type { Parts } from '../../workers/parts.ts';

/** Looking costs as much as delivering a mail: only when something was done, and in case that went unheard. */
const LOOK_WITHIN_MS = 1_000;
const STARTS_WITHIN_MS = 500;

/** How long it took, and the CPU time of this process meanwhile; both in ms. */
export interface Taken {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Starts a watch; what it gives reads it. */
export function stopwatch(): () => Taken {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - startedMs, cpuMs: (user + system) / 1_000 };
  };
}

/**
 * Lets a fleet deliver all that is due, until every mail is recorded. A fleet runs for weeks, so its start is not timed:
 * until then all is paused.
 */
export async function drain(parts: Parts): Promise<Taken> {
  const outgoing = await openOutgoing(parts);
  await parts.db.query(
    `insert into pauses (scope, at, by, reason) values ('*', now(), 'bench', 'until all is running')`,
  );
  const fleet = startFleet(parts, ['scheduler', 'advance', 'deliver'], outgoing.transports);
  await sleep(STARTS_WITHIN_MS);
  const stop = stopwatch();
  await parts.db.query('delete from pauses');
  fleet.wake();
  const isOver = async (): Promise<boolean> => {
    const { rows } = await parts.db.query<{ open: boolean }>(
      `select exists (select from sends where status in ('planned', 'claimed', 'handed')) as open`,
    );
    return rows[0]?.open === false;
  };
  while (!(await isOver())) await fleet.worked(LOOK_WITHIN_MS);
  const taken = stop();
  await fleet.close();
  await outgoing.close();
  return taken;
}
