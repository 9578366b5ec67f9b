/**
 * `npm run chaos`: every scenario over every queue, one after the other, and a table. Ends with 1 when a line is crossed.
 * --seed N: what is chance (default: another one each time); --scenario NAME and --backend redis|postgres: only these;
 * --short: a little of each kind; --at-once N: so many side by side (default 1).
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import globalSetup from '../support/global-setup.js';
import globalTeardown from '../support/global-teardown.js';
import { repeatWith, runScenario, type Row } from './runner.ts';
import type { Backend, Scale, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/list.ts';
import { tableOf } from './table.ts';

interface Order {
  readonly seed: number;
  readonly scale: Scale;
  readonly atOnce: number;
  readonly pairs: readonly { readonly scenario: Scenario; readonly backend: Backend }[];
}

/** @throws Error for what is not known, with what there is. */
function readOrder(args: readonly string[]): Order {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      scenario: { type: 'string' },
      backend: { type: 'string' },
      short: { type: 'boolean', default: false },
      'at-once': { type: 'string', default: '1' },
    },
  });
  const seed = wholeNumber('--seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)), 0);
  const atOnce = wholeNumber('--at-once', values['at-once'], 1);
  const names = SCENARIOS.map(({ name }) => name);
  if (values.scenario !== undefined && !names.includes(values.scenario)) {
    throw new Error(`there is no scenario "${values.scenario}"; there are ${names.join(', ')}`);
  }
  if (values.backend !== undefined && values.backend !== 'redis' && values.backend !== 'postgres') {
    throw new Error(`--backend is redis or postgres, not "${values.backend}"`);
  }
  const pairs = SCENARIOS.filter(({ name }) => name === (values.scenario ?? name)).flatMap((scenario) =>
    scenario.backends
      .filter((backend) => backend === (values.backend ?? backend))
      .map((backend) => ({ scenario, backend })),
  );
  if (pairs.length === 0) throw new Error(`the scenario "${values.scenario}" has nothing to do with ${values.backend}`);
  return { seed, scale: values.short ? 'short' : 'full', atOnce, pairs };
}

function wholeNumber(name: string, text: string, min: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < min)
    throw new Error(`${name} is a whole number from ${min}, not ${text}`);
  return number;
}

async function runAll({ seed, scale, atOnce, pairs }: Order): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const waiting = [...pairs];
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const row = await runScenario(next.scenario, next.backend, seed, scale);
      rows.push(row);
      process.stderr.write(`${row.scenario.name} over ${row.backend}: ${row.seconds} s\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const place = (row: Row): number =>
    pairs.findIndex(({ scenario, backend }) => scenario === row.scenario && backend === row.backend);
  return rows.sort((a, b) => place(a) - place(b));
}

async function main(): Promise<number> {
  let order: Order;
  try {
    order = readOrder(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  process.stderr.write(`seed ${order.seed}, ${order.pairs.length} to run\n`);
  await globalSetup();
  try {
    const rows = await runAll(order);
    process.stdout.write(tableOf(rows));
    for (const { scenario, notHere } of rows) {
      if (notHere !== undefined) process.stdout.write(`\nnot run: ${scenario.name}: ${notHere}\n`);
    }
    const broken = rows.filter((row) => row.violations.length > 0);
    for (const row of broken) {
      const what = `${row.scenario.name} over ${row.backend}, seed ${row.seed}`;
      process.stdout.write(`\n${what}:\n${row.violations.map((line) => `  - ${line}\n`).join('')}`);
      process.stdout.write(`  again: ${repeatWith(row)}\n`);
    }
    return broken.length === 0 ? 0 : 1;
  } finally {
    await globalTeardown();
  }
}

process.exitCode = await main();
