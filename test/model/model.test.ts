/**
 * The promises of docs/architecture.md section 1 against the real store on a real PostgreSQL: random runs of what people, shops,
 * workers and crashes do, and after each act every invariant.
 *
 * PERENNIAL_MODEL_RUNS makes more runs, PERENNIAL_MODEL_SHRINK=no stops at the first failure as it is. A failure prints
 * the command that repeats it; what happens at once is for the database to order, so it may have to be repeated often.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import process from 'node:process';
import fc from 'fast-check';
import { nextDueAt } from '../../engine/store/due.ts';
import { commandsOf } from './commands.ts';
import { CUSTOMERS } from './company.ts';
import { expectInvariants } from './invariants.ts';
import { begin, goOn, identify, retryAll } from './people.ts';
import type { Promised } from './promised.ts';
import { drain } from './drain.ts';
import { openWorld, type World } from './world.ts';

const RUNS = Number(process.env['PERENNIAL_MODEL_RUNS'] ?? 60);
/** Making a failure small takes many runs; what has been reached by then is reported. */
const LIMIT_MS = Math.max(300_000, RUNS * 5_000);
/** On average half of them in a run. */
const MOST_COMMANDS = 100;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
});

/** More than any playbook needs when every step waits for a cap. */
const MOST_STEPS = 40;

/** Enrolments under way that began before $1, with their mails. */
const OPEN = `
  select c.key, p.name, e.step, e.ready, e.due_at, e.started_at, s.status, s.due_at as mail_due_at, s.first_due_at
  from enrolments e join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id
  left join sends s on s.enrolment_id = e.id and s.step = e.step
  where e.status = 'active' and e.started_at < $1`;

/** With nothing paused or held, and time enough, everything that was under way comes to its end. */
async function expectNothingStuck(promised: Promised): Promise<void> {
  for (const customer of CUSTOMERS) await identify(world, customer, { email: `${customer}@example.com` });
  for (const scope of promised.paused) await goOn(promised, world, scope, 0);
  const beganAt = promised.now;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    await drain(promised, world, 1);
    // What crashed before is found unknown only now, and may be held for it.
    await retryAll(promised, world);
    const open = await world.rows(OPEN, [new Date(beganAt).toISOString()]);
    if (open.length === 0) return expectInvariants(promised, world);
    const next = await nextDueAt(world.db);
    if (next === null) throw new Error(`enrolments are under way, and nothing is due: ${JSON.stringify(open)}`);
    // Some hours later, so that more comes due at once; windows are open for longer than that.
    const ms = Math.max(next, promised.now) + 5 * HOUR_MS - promised.now;
    promised.now += ms;
    await world.setClock(promised.now, ms);
  }
  const open = await world.rows(OPEN, [new Date(beganAt).toISOString()]);
  throw new Error(`still under way after ${(promised.now - beganAt) / DAY_MS} days: ${JSON.stringify(open)}`);
}

it(
  'keeps its promises whatever people, shops and crashes do',
  async () => {
    const seen = { mails: 0, copies: 0, refused: 0 };
    const seed = process.env['PERENNIAL_MODEL_SEED'];
    const path = process.env['PERENNIAL_MODEL_PATH'];
    const property = fc.asyncProperty(
      commandsOf(MOST_COMMANDS, process.env['PERENNIAL_MODEL_REPLAY']),
      async (commands) => {
        const promised = await begin(world);
        await fc.asyncModelRun(() => ({ model: promised, real: world }), commands);
        await expectNothingStuck(promised);
        seen.mails += promised.received.length;
        seen.copies += promised.received.length - new Set(promised.received.map(({ mail }) => mail.sendId)).size;
        seen.refused += promised.received.filter(({ refused }) => refused).length;
      },
    );
    const details = await fc.check(property, {
      numRuns: RUNS,
      plugins: [fc.interruptAfterTimeLimit(LIMIT_MS)],
      endOnFailure: process.env['PERENNIAL_MODEL_SHRINK'] === 'no',
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    });
    if (details.failed) {
      const report = await fc.asyncDefaultReportMessage(details);
      const replay = /replayPath="([^"]*)"/.exec(report ?? '')?.[1] ?? '';
      throw new Error(
        `${report}\n\nRepeat it with:\n  PERENNIAL_MODEL_SEED=${details.seed} PERENNIAL_MODEL_PATH='${details.counterexamplePath}' ` +
          `PERENNIAL_MODEL_REPLAY='${replay}' npm test -- test/model/model.test.ts`,
        { cause: details.errorInstance },
      );
    }
    // Runs in which hardly a mail goes out, or nothing fails on its way, would show nothing.
    if (path !== undefined || RUNS < 60) return;
    expect(seen.mails).toBeGreaterThan(RUNS * 10);
    expect(seen.copies).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  },
  LIMIT_MS * 2,
);
