/** From a site whose work is done to what the suite says of it. */
import type { Ending, Fleet } from './fleet.ts';
import { judge } from './judge.ts';
import type { Load } from './load.ts';
import type { Outcome } from './scenario.ts';
import type { Site } from './site.ts';

/** What only the scenario knows. */
export interface Facts {
  readonly faults: number;
  readonly unknownBound: number;
  readonly recoveryMs: number | null;
  readonly recoveryLimitMs?: number;
  /** Mails that the server refused for good. Default: 0. */
  readonly failures?: number;
  /** What was found wrong on the way. */
  readonly wrong?: readonly string[];
}

/** Judges a site on which nothing is due any more, and whose fleets have ended. */
export async function conclude(site: Site, load: Load, fleets: readonly Fleet[], facts: Facts): Promise<Outcome> {
  const verdict = await judge(site, load.customers);
  const { lost, copies, strangers, stuck, early } = verdict;
  for (const line of [...lost, ...copies].slice(0, 20)) process.stderr.write(`  ${line}\n`);
  const { failures = 0, ...known } = facts;
  return {
    ...known,
    mails: verdict.mails,
    lost: lost.length,
    copies: copies.length,
    assumedCopies: verdict.assumedCopies,
    unknown: verdict.doubts,
    wrong: [
      ...(facts.wrong ?? []),
      ...(verdict.failed === failures ? [] : [`${verdict.failed} mails failed, and ${failures} were refused for good`]),
      ...strangers.map((line) => `should not have arrived: ${line}`),
      ...stuck.map((line) => `enrolments: ${line}`),
      ...early.map((customer) => `a mail came early: ${customer}`),
      ...fleets.flatMap((fleet) => fleet.complaints),
    ],
  };
}

/** What is wrong about how processes ended that were told to. */
export function endings(of: readonly Ending[]): readonly string[] {
  return of.filter((ending) => ending !== 0).map((ending) => `a process that was to drain ended with ${ending}`);
}
