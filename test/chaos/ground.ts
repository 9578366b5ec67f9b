/** What a fleet stands on is taken away under load and comes back: how that is watched, and what is asked of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { conclude, endings } from './conclude.ts';
import type { Fleet } from './fleet.ts';
import { openLoad, type Load, type Rate } from './load.ts';
import type { ChaosSite, Outcome } from './scenario.ts';
import { until, type Watched } from './until.ts';

/** About 40 mails a second: a small part of what the fleet can do, and no backlog stops it. */
export const STEADY: Rate = { orders: 2, pauseMs: 250, maxBacklog: Number.POSITIVE_INFINITY };

/** After Redis or PostgreSQL is back, so long until all is as before. */
export const BACK_WITHIN_MS = 15_000;

const ROLES = ['scheduler', 'advance,deliver', 'advance,deliver'] as const;
/** Mails that go out at once when an order comes in: `receipt`, `care` and `hello`. */
const AT_ONCE = 3;
const WINDOW_MS = 10_000;

/** A fleet at work. */
export interface AtWork extends Required<Watched> {
  readonly site: ChaosSite;
  readonly load: Load;
  readonly fleet: Fleet;
}

/** What was done to a fleet at work. */
export interface Done {
  readonly faults: number;
  readonly recoveryMs: number | null;
  readonly wrong: readonly string[];
}

/** How to run. */
export interface GroundOptions {
  readonly rate?: Rate;
  /** Processes may log errors while the database is away; that one ends by itself is wrong all the same. Default: false. */
  readonly mayComplain?: boolean;
}

/** Does it to a fleet under steady load, lets everything come to its end, and judges. No mail may be in doubt. */
export async function onGround(
  site: ChaosSite,
  act: (work: AtWork) => Promise<Done>,
  { rate = STEADY, mayComplain = false }: GroundOptions = {},
): Promise<Outcome> {
  const load = openLoad(site, { isPatient: mayComplain });
  const fleet = site.startFleet(ROLES);
  const work: AtWork = { site, load, fleet };
  await fleet.whenRunning();
  load.start(rate);
  const usualMs = await usual(work);
  const done = await act(work);
  await load.stop();
  await load.finish();
  const wrong = [...done.wrong, ...endings(await fleet.drain()), ...(mayComplain ? deathsOf(fleet) : [])];
  // What an order takes on this machine anyway is not because of the fault.
  const recoveryMs = done.recoveryMs === null ? null : Math.max(0, done.recoveryMs - usualMs);
  const facts = { ...done, recoveryMs, wrong, unknownBound: 0, recoveryLimitMs: BACK_WITHIN_MS };
  return conclude(site, load, mayComplain ? [] : [fleet], facts);
}

/** The longest of a few times that an order takes to its first mails while nothing is amiss, in ms. */
async function usual(work: AtWork): Promise<number> {
  let longestMs = 0;
  for (let times = 0; times < 3; times += 1) longestMs = Math.max(longestMs, await untilServed(work));
  process.stderr.write(`  undisturbed, an order has its first mails within ${(longestMs / 1_000).toFixed(1)} s\n`);
  return longestMs;
}

function deathsOf({ complaints }: Fleet): readonly string[] {
  return complaints.filter((line) => line.includes('ended by itself'));
}

/** Waits until an order that comes in from now on has its first mails; gives how long that took, in ms. */
export async function untilServed(work: AtWork): Promise<number> {
  const startedMs = performance.now();
  const known = work.load.customers.length;
  await until(work, 'an order comes in', async () => work.load.customers.length > known);
  const key = work.load.customers[known];
  await until(work, `the order of ${key} has its first mails`, async () => {
    const { rowCount } = await work.site.db.query(
      `select from sends s join customers c on c.id = s.customer_id where c.key = $1 and s.status = 'sent'`,
      [key],
    );
    return (rowCount ?? 0) >= AT_ONCE;
  });
  return performance.now() - startedMs;
}

/** Lets so much time pass; in each 10 s of it mails must arrive. What is wrong. */
export async function endure(work: AtWork, name: string, forMs: number): Promise<readonly string[]> {
  const wrong: string[] = [];
  const taken = async (): Promise<number> => (await work.site.sink.standing()).takenCount;
  for (let leftMs = forMs; leftMs > 0; leftMs -= WINDOW_MS) {
    const before = await taken();
    await sleep(Math.min(leftMs, WINDOW_MS));
    if (leftMs >= WINDOW_MS && (await taken()) === before) wrong.push(`${name}: no mail in 10 s`);
  }
  return wrong;
}
