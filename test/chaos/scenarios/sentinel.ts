/** Sentinels make another Redis the primary: the one that was is killed or hangs, and comes back as a replica. */
import { setTimeout as sleep } from 'node:timers/promises';
import { testSentinels, type TestSentinels } from '../../support/sentinels.ts';
import { onGround } from '../ground.ts';
import { COUNTER, openChaosSite } from '../runner.ts';
import type { ChaosSite, Scenario } from '../scenario.ts';
import { untilHinted } from './redis.ts';

const FAILOVERS = { full: ['SIGKILL', 'SIGSTOP', 'SIGKILL', 'SIGSTOP', 'SIGKILL'], short: ['SIGKILL'] } as const;
/** What was the primary is back before the next one goes. */
const BACK_AFTER_MS = 3_000;

const watchersOf = new WeakMap<ChaosSite, TestSentinels>();

export const sentinel: Scenario = {
  name: 'redis-sentinel',
  title: 'Sentinel makes another Redis the primary',
  backends: ['redis'],
  open: async (backend) => {
    const sentinels = await testSentinels();
    if (sentinels === null) throw new Error('there is no redis-server on the PATH: install it');
    const site = await openChaosSite(backend, COUNTER, {
      redisUrl: sentinels.url,
      close: async () => sentinels.stop(),
    });
    watchersOf.set(site, sentinels);
    return site;
  },
  run: async (site, _seed, scale) =>
    onGround(site, async (work) => {
      const sentinels = watchersOf.get(site);
      if (sentinels === undefined) throw new Error('this site has no Sentinels');
      let recoveryMs = 0;
      for (const signal of FAILOVERS[scale]) {
        const old = await sentinels.primary();
        await old.kill(signal);
        const next = await sentinels.whenReplaced(old);
        recoveryMs = Math.max(recoveryMs, await untilHinted(work, next));
        await old.start();
        await sleep(BACK_AFTER_MS);
      }
      return { faults: FAILOVERS[scale].length, recoveryMs, wrong: [] };
    }),
};
