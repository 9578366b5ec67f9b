/**
 * What a fleet stands on is taken away under load: Redis goes away, hangs and comes back empty; PostgreSQL is restarted; the
 * mail server refuses, resets and stalls at each stage. Mail goes on where it can, none is lost, and none goes out twice
 * unseen. `npm run chaos` has the long forms, and more.
 */
import { expect, it } from '@jest/globals';
import { installedProgram } from '../support/installed.ts';
import { repeatWith, runScenario } from './runner.ts';
import type { Backend, Scenario } from './scenario.ts';
import { postgresRestarted } from './scenarios/postgres.ts';
import { redisDown } from './scenarios/redis.ts';
import { smtp } from './scenarios/smtp.ts';
import { tableOf } from './table.ts';

const hasRedis = installedProgram('redis-server', 'Redis suites') !== null;
const seed = Number(process.env['PERENNIAL_CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));

/** Where the queue is matters to the first two; the mail server knows nothing of it. */
const RUNS: readonly (readonly [Scenario, Backend])[] = [
  [redisDown, 'redis'],
  [postgresRestarted, 'postgres'],
  [smtp, 'postgres'],
];

it('loses nothing, sends no copy unseen, and is back within 15 s of what it stands on', async () => {
  const runs = RUNS.filter(([, backend]) => backend === 'postgres' || hasRedis);
  // Side by side: most of it is waiting for what is away.
  const rows = await Promise.all(
    runs.map(async ([scenario, backend]) => runScenario(scenario, backend, seed, 'short')),
  );
  process.stderr.write(tableOf(rows));
  const broken = rows.filter((row) => row.violations.length > 0);
  expect(broken.flatMap((row) => [repeatWith(row), ...row.violations])).toEqual([]);
}, 400_000);
