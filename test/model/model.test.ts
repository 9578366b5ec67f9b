/**
 * The promises of docs/architecture.md section 1 against the real store on a real PostgreSQL: random runs of what people,
 * shops, workers and crashes do, and after each round every invariant.
 *
 * A run is one circle of customers and 60 acts, of which more than 50 find something to do. Many circles share a database,
 * its clock, its pauses and its releases, and what several do in one round is done together: that makes it quick, and the
 * engine works on chunks of many customers anyway.
 *
 * docs/decisions/0042 says why, and lists the defects that were put in by hand and found.
 *
 * PERENNIAL_MODEL_RUNS makes more runs, PERENNIAL_MODEL_SHRINK=no stops at the first failure as it is. A failure prints
 * the command that repeats it; what happens at once is for the database to order, so it may have to be repeated often.
 */
import { expect, it } from '@jest/globals';
import process from 'node:process';
import fc from 'fast-check';
import { nextDueAt } from '../../engine/store/due.ts';
import { CUSTOMERS } from './company.ts';
import { expectInvariants } from './invariants.ts';
import { begin, goOn, identifyAll, retryAll } from './people.ts';
import type { Promised } from './promised.ts';
import { drain } from './drain.ts';
import { play, scriptsOf } from './script.ts';
import { openWorld, type World } from './world.ts';

const RUNS = Number(process.env['PERENNIAL_MODEL_RUNS'] ?? 1_000);
const CIRCLES = Math.min(100, Math.ceil(RUNS / 2));
const ROUNDS = 60;
const SEED = Number(process.env['PERENNIAL_MODEL_SEED'] ?? Date.now() % 2_147_483_647);
const PATH = process.env['PERENNIAL_MODEL_PATH'];
/** Side by side, in databases of their own: one asks while the other is answered. */
const WORLDS = PATH === undefined ? 2 : 1;
const BATCHES = Math.ceil(RUNS / CIRCLES / WORLDS);
/** Making a failure small takes many batches; what has been reached by then is reported. */
const LIMIT_MS = Math.max(300_000, RUNS * 1_000);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** More than any playbook needs when every step waits for a cap. */
const MOST_STEPS = 20;

/** Enrolments under way that began before $1, with their mails. */
const OPEN = `
  select c.key, p.name, e.step, e.ready, e.due_at, e.started_at, s.status, s.due_at as mail_due_at, s.first_due_at
  from enrolments e join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id
  left join sends s on s.enrolment_id = e.id and s.step = e.step
  where e.status = 'active' and e.started_at < $1`;

/** With nothing paused or held, and time enough, everything that was under way comes to its end. */
async function expectNothingStuck(promised: Promised, world: World): Promise<void> {
  await identifyAll(
    world,
    [...promised.members.keys()].flatMap((circle) =>
      CUSTOMERS.map((name) => ({ customer: circle + name, traits: { email: `${circle}${name}@example.com` } })),
    ),
  );
  for (const scope of promised.paused) await goOn(promised, world, scope, 0);
  const beganAt = promised.now;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    await drain(promised, world, 1);
    // What crashed before is found unknown only now, and may be held for it.
    await retryAll(promised, world);
    const open = await world.look(OPEN, [new Date(beganAt).toISOString()]);
    if (open.length === 0) return expectInvariants(promised, world);
    const next = await nextDueAt(world.db);
    if (next === null) throw new Error(`enrolments are under way, and nothing is due: ${JSON.stringify(open)}`);
    // Later than that, so that more comes due at once: late in the hours of a window that opened then, and not too late for any mail.
    const ms = Math.max(next, promised.now) + 59 * HOUR_MS - promised.now;
    promised.now += ms;
    await world.setClock(promised.now, ms);
  }
  const open = await world.look(OPEN, [new Date(beganAt).toISOString()]);
  throw new Error(`still under way after ${(promised.now - beganAt) / DAY_MS} days: ${JSON.stringify(open)}`);
}

/** What runs came to. */
interface Seen {
  runs: number;
  acts: number;
  mails: number;
  copies: number;
  refused: number;
}

/** Plays batches in one world. @throws Error with the command that repeats the failure. */
async function playIn(world: World, seed: number, seen: Seen): Promise<void> {
  const property = fc.asyncProperty(scriptsOf(CIRCLES, ROUNDS), async (script) => {
    const promised = await begin(world, script.circles);
    await play(script, promised, world);
    await expectNothingStuck(promised, world);
    seen.runs += script.circles.length;
    seen.acts += script.circles.length * script.rounds.length - promised.idle;
    seen.mails += promised.received.length;
    seen.copies += promised.received.length - promised.receivedOf.size;
    seen.refused += promised.received.filter(({ refused }) => refused).length;
  });
  const details = await fc.check(property, {
    seed,
    numRuns: BATCHES,
    plugins: [fc.interruptAfterTimeLimit(LIMIT_MS)],
    endOnFailure: process.env['PERENNIAL_MODEL_SHRINK'] === 'no',
    ...(PATH === undefined ? {} : { path: PATH }),
  });
  if (!details.failed) return;
  const report = await fc.asyncDefaultReportMessage(details);
  throw new Error(
    `${report}\n\nRepeat it with:\n  PERENNIAL_MODEL_RUNS=${RUNS} PERENNIAL_MODEL_SEED=${details.seed} ` +
      `PERENNIAL_MODEL_PATH='${details.counterexamplePath}' npm test -- test/model/model.test.ts`,
    { cause: details.errorInstance },
  );
}

it(
  'keeps its promises whatever people, shops and crashes do',
  async () => {
    const seen: Seen = { runs: 0, acts: 0, mails: 0, copies: 0, refused: 0 };
    const worlds = await Promise.all(Array.from({ length: WORLDS }, openWorld));
    const ends = await Promise.allSettled(worlds.map(async (world, index) => playIn(world, SEED + index, seen)));
    for (const world of worlds) await world.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    // Runs in which hardly a mail goes out, or nothing fails on its way, would show nothing.
    if (PATH !== undefined) return;
    expect(seen.runs).toBeGreaterThanOrEqual(RUNS);
    expect(seen.acts).toBeGreaterThan(seen.runs * 50);
    expect(seen.mails).toBeGreaterThan(seen.runs * 10);
    expect(seen.copies).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  },
  LIMIT_MS * 2,
);
