/** Drains processes of a fleet at work one after the other, and replaces them, as a deployment of a new version does. */
import type { Field, Ground } from './field.ts';
import { untilTaken } from '../until.ts';

/** Restarts so many by SIGTERM. */
export async function roll(field: Ground & Pick<Field, 'fleet'>, restarts: number): Promise<void> {
  const { fleet, wrong } = field;
  for (let count = 0; count < restarts; count += 1) {
    const member = fleet.members[count % fleet.members.length];
    if (member === undefined) throw new Error('the fleet is empty');
    await untilTaken(field, 5);
    const ending = await member.end('SIGTERM');
    if (ending !== 0) wrong.push(`SIGTERM: ended with ${ending}\n${member.lastLines.join('\n')}`);
    await fleet.replace(member).running;
  }
}

/** How often the record calls a mail unknown so far. */
export async function doubts({ site }: Pick<Ground, 'site'>): Promise<number> {
  const { rows } = await site.db.query<{ n: number }>(
    `select coalesce(sum(resends + case when status = 'unknown' then 1 else 0 end), 0)::int as n from sends`,
  );
  return rows[0]?.n ?? 0;
}
