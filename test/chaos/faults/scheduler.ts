/** Kills the scheduler that acts, again and again, and looks how soon another one does. */
import type { Member } from '../fleet.ts';
import { until } from '../until.ts';
import type { Field } from './field.ts';

/** Kills so many; gives the longest that none acted, in ms. */
export async function killActing(field: Field, times: number): Promise<number> {
  const { site, fleet } = field;
  let longestMs = 0;
  for (let count = 0; count < times; count += 1) {
    let acting = await actingMember(field);
    await until(field, 'a scheduler acts', async () => (acting = await actingMember(field)) !== null);
    if (acting === null) throw new Error('no scheduler acts');
    const killedMs = performance.now();
    await acting.end('SIGKILL');
    fleet.replace(acting);
    await until(
      { site, load: field.load, fleet },
      'another scheduler acts',
      async () => (await actingMember(field)) !== null,
    );
    longestMs = Math.max(longestMs, performance.now() - killedMs);
  }
  return longestMs;
}

/** Its holder begins with the number of the process. */
async function actingMember({ site, fleet }: Field): Promise<Member | null> {
  const { rows } = await site.db.query<{ holder: string }>(
    `select holder from leases where name = 'scheduler' and until > clock_timestamp()`,
  );
  const pid = Number(rows[0]?.holder.split('-')[0] ?? 0);
  return fleet.members.find((member) => member.pid === pid) ?? null;
}
