/** A customer's mail that kills whoever takes it. */
import type { CrashPoint } from '../crash.ts';
import { addressOf } from '../load.ts';
import { until } from '../until.ts';
import { crashInTurn } from './crash-in-turn.ts';
import type { Ground } from './field.ts';

/** Workers die of the same customer at these points, one after the other; none other may be there. A scheduler is needed. */
export async function crashOnOneCustomer(ground: Ground, points: readonly CrashPoint[]): Promise<void> {
  const { site } = ground;
  let found: { readonly id: number; readonly key: string } | undefined;
  await until(ground, 'somebody has a mail to come', async () => {
    const { rows } = await site.db.query<{ id: number; key: string }>(
      `select c.id, c.key from sends s join customers c on c.id = s.customer_id
       where s.status = 'planned' order by s.id desc limit 1`,
    );
    found = rows[0];
    return found !== undefined;
  });
  const { id = 0, key = '' } = found ?? {};
  const concern = { atPass: 1, address: addressOf(key), customer: id };
  await crashInTurn(
    ground,
    points.map((point) => ({ ...concern, point })),
    1,
  );
}
