/**
 * Everything bad that can happen to processes, to a fleet under load, over each queue: fifty SIGKILLs and more. The judge
 * is an independent process at the other end of SMTP. `npm run chaos` has the long form of each part.
 */
import { expect, it } from '@jest/globals';
import { installedProgram } from '../support/installed.ts';
import { repeatWith, runScenario } from './runner.ts';
import { medley } from './scenarios/medley.ts';
import { tableOf } from './table.ts';

const hasRedis = installedProgram('redis-server', 'Redis suites') !== null;
const backends = medley.backends.filter((backend) => backend === 'postgres' || hasRedis);
const seed = Number(process.env['PERENNIAL_CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));

it('loses nothing, sends no copy unseen, and is at work again within 30 s, whatever happens to its processes', async () => {
  // Side by side: most of it is waiting for processes to start and for leases to run out.
  const rows = await Promise.all(backends.map(async (backend) => runScenario(medley, backend, seed, 'short')));
  process.stderr.write(tableOf(rows));
  const broken = rows.filter((row) => row.violations.length > 0);
  expect(broken.flatMap((row) => [repeatWith(row), ...row.violations])).toEqual([]);
}, 500_000);
