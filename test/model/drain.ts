/** The tick, and all workers side by side until nothing is due. */
import { advance } from '../../engine/store/advance.ts';
import { isIdle } from '../../engine/store/due.ts';
import { expireLeases } from '../../engine/store/expire.ts';
import { workRuns } from '../../engine/store/runs.ts';
import { newTickCursor, tick } from '../../engine/store/tick.ts';
import type { Promised } from './promised.ts';
import { claimBy, finish, LANES, settled } from './work.ts';
import type { World } from './world.ts';

const ROOM = { advance: 10_000, transactional: 10_000, bulk: 10_000 };
/** More rounds than any chain of steps of one instant; whatever is still due then never ends. */
const MOST_ROUNDS = 40;

/**
 * All workers finish what they have, and then `count` of them work side by side until nothing is due.
 * @throws Error when that never comes.
 */
export async function drain(promised: Promised, world: World, count = world.workers.length): Promise<void> {
  await settled(world.workers.map(async (_, number) => finish(promised, world, number)));
  // Whoever still holds a lease now has crashed.
  await world.db.query(
    `update sends set lease_until = clock_timestamp() - interval '1 day' where status in ('claimed', 'handed')`,
  );
  const customers = [...promised.members.values()].flat().length;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await expireLeases(world.db, world.cache, 1_000);
    await workRuns(world.db, world.cache, { chunk: Math.max(4, Math.ceil(customers / 6)) });
    if (await isIdle(world.db)) return;
    const found = await tick(world.db, { perPlaybook: 1_000, room: ROOM, cursor: newTickCursor() });
    await settled(
      world.workers.slice(0, count).map(async ({ db, cache }, number) => {
        if (found.advance.length > 0) await advance(db, cache, found.advance);
        for (const lane of LANES) {
          if (found[lane].length > 0) await claimBy(promised, world, number, lane, found[lane]);
        }
        await finish(promised, world, number);
      }),
    );
  }
  const due = await tick(world.db, { perPlaybook: 1_000, room: ROOM, cursor: newTickCursor() });
  throw new Error(`the same work is due again and again: ${JSON.stringify(due)}`);
}
