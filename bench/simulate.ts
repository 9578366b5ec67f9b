/**
 * What a simulation costs: the sample company's playbooks over a made-up year, next to parsing the same input, and how
 * both grow with the number of customers. Run it with: npm run bench -- simulate [CUSTOMERS]
 */
import { checkProject } from '../engine/project/check.ts';
import { parseCustomers, parseEvents } from '../engine/simulate/input.ts';
import { simulateReaders, type Simulation } from '../engine/simulate/simulate.ts';
import { openTally } from '../engine/simulate/tally.ts';
import { parseInstant } from '../engine/time/text.ts';
import type { Release } from '../engine/playbook/types.ts';
import { findPackageRoot } from '../scripts/init/package-root.ts';
import { generateSample } from '../scripts/sample/generate.ts';
import { median } from './support/figures.ts';

const CUSTOMERS = Number(process.argv[2] ?? 2_000);
const FACTORS = [1, 2, 4] as const;
const TURNS = 3;
const FROM = parseInstant('2025-11-01T00:00:00Z');
const UNTIL = parseInstant('2026-11-01T00:00:00Z');

interface Input {
  readonly customers: string;
  readonly events: string;
}

function inputOf(customers: number): Input {
  const sample = generateSample({ seed: 7, customers, from: FROM, until: UNTIL });
  const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  return { customers: lines(sample.customers), events: lines(sample.events) };
}

function parse(input: Input, release: Release): Simulation {
  const customers = parseCustomers(input.customers, 'customers');
  const events = parseEvents(input.events, 'events', new Set(customers.map(({ profile }) => profile.id)));
  return { release, customers, events, from: FROM, until: UNTIL };
}

/** Mails, so that nothing can be left out. */
function run(simulation: Simulation): number {
  const { release } = simulation;
  const playbooks = release.playbooks.map(({ name }) => name);
  const tally = openTally({ zone: release.company.zone, playbooks, busiest: 5 });
  for (const [reader] of simulateReaders(simulation, [release])) if (reader !== undefined) tally.add(reader);
  return [...tally.totals().playbooks.values()].reduce((sum, { mails }) => sum + mails, 0);
}

/** CPU of this process in ms: other work on the machine does not count. */
function cpuMs<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1_000, result };
}

const { release } = await checkProject(await findPackageRoot(import.meta.dirname));
if (release === null) throw new Error('the sample company has mistakes: run "perennial check"');
run(parse(inputOf(200), release));
let first: number | null = null;
for (const factor of FACTORS) {
  const input = inputOf(CUSTOMERS * factor);
  const [parsing, running]: [number[], number[]] = [[], []];
  let [events, mails] = [0, 0];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const parsed = cpuMs(() => parse(input, release));
    parsing.push(parsed.ms);
    events = parsed.result.events.length;
    const ran = cpuMs(() => run(parsed.result));
    running.push(ran.ms);
    mails = ran.result;
  }
  const [parseMs, runMs] = [median(parsing), median(running)];
  first ??= runMs;
  const figures = [
    `${(CUSTOMERS * factor).toLocaleString('en')} customers, ${events.toLocaleString('en')} events, ${mails.toLocaleString('en')} mails`,
    `${Math.round(runMs)} ms of CPU, ${(runMs / parseMs).toFixed(1)} times parsing the same input (${Math.round(parseMs)} ms)`,
    `${(runMs / first).toFixed(1)} times the cost for ${factor} times the customers`,
  ];
  process.stdout.write(`${figures.join('; ')}\n`);
}
