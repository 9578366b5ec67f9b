/** Partitions of `events` by name, in tables of any migration: those before 0013 have no function that makes them. */
import type { Queryable } from '../database.ts';

/** As migration 0013 has it: what is older shares one partition. */
const FIRST_YEAR = 2000;
const NAME = /^events_(?:before|(\d{4})_q([1-4]))$/;

/** Makes the partition of that name within the caller's transaction; false when it is no name of one. */
export async function createPartition(tx: Queryable, name: string): Promise<boolean> {
  const match = NAME.exec(name);
  if (match === null) return false;
  const [, year, quarter] = match;
  const start = (of: number): string => `'${new Date(Date.UTC(Number(year), of * 3, 1)).toISOString()}'`;
  const [from, until] =
    year === undefined
      ? ['minvalue', `'${FIRST_YEAR}-01-01T00:00Z'`]
      : [start(Number(quarter) - 1), start(Number(quarter))];
  await tx.query(`create table ${name} partition of events for values from (${from}) to (${until})`);
  return true;
}
