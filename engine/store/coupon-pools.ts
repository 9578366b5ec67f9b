/** Pools of coupon codes, for the people who fill them. */
import { writeAudit } from './audit.ts';
import { emptyPoolError } from './coupon-codes.ts';
import { businessNow, type Database, type Queryable, type Tx } from './database.ts';
import { time } from './sql.ts';

/** How a pool stands. */
export interface CouponPool {
  readonly pool: string;
  readonly free: number;
  /** Given to an enrolment, and not gone out yet. */
  readonly reserved: number;
  /** Gone out. */
  readonly committed: number;
  /** Enrolments that are held until there are codes. */
  readonly waiting: number;
}

/** All pools by name, or one; null counts are none. A pool is there once codes were imported or asked for. */
export async function listPools(db: Queryable, pool: string | null): Promise<readonly CouponPool[]> {
  const { rows } = await db.query<Omit<CouponPool, 'waiting'> & Record<string, unknown>>(
    `select p.name as pool, count(c.id) filter (where c.status = 'free') as free,
       count(c.id) filter (where c.status = 'reserved') as reserved,
       count(c.id) filter (where c.status = 'committed') as committed
     from coupon_pools p left join coupon_codes c on c.pool = p.name
     where $1::text is null or p.name = $1 group by p.name order by p.name`,
    [pool],
  );
  const { rows: held } = await db.query<{ error: string; count: number }>(
    `select held_error as error, count(*) as count from enrolments
     where held_at is not null and held_error = any($1::text[]) group by held_error`,
    [rows.map((row) => emptyPoolError(row.pool))],
  );
  const waiting = new Map(held.map(({ error, count }) => [error, count]));
  return rows.map((row) => ({ ...row, waiting: waiting.get(emptyPoolError(row.pool)) ?? 0 }));
}

/** What adding codes did. */
export interface CodesAdded {
  readonly added: number;
  /** In the pool already, whatever became of them, or twice in what was given. */
  readonly duplicates: number;
  /** Enrolments that waited and go on. */
  readonly released: number;
}

/**
 * Adds codes to a pool, in one transaction; at most some thousand. Enrolments that were held because it was empty go on:
 * their mails are due now, so that none is skipped for having waited.
 */
export async function addCodes(db: Database, pool: string, codes: readonly string[]): Promise<CodesAdded> {
  return db.transaction(async (tx) => {
    await lockPool(tx, pool);
    const { rowCount } = await tx.query(
      `insert into coupon_codes (pool, code) select $1, code from unnest($2::text[]) with ordinality as u (code, n)
       order by n on conflict (pool, code) do nothing`,
      [pool, codes],
    );
    const added = rowCount ?? 0;
    const released = added === 0 ? 0 : await release(tx, pool);
    return { added, duplicates: codes.length - added, released };
  });
}

/** Those who find the pool empty hold its row until they have said so. */
async function lockPool(tx: Tx, pool: string): Promise<void> {
  await tx.query('insert into coupon_pools (name) values ($1) on conflict do nothing', [pool]);
  await tx.query('select from coupon_pools where name = $1 for update', [pool]);
}

async function release(tx: Tx, pool: string): Promise<number> {
  const { rowCount } = await tx.query(
    `update enrolments set held_at = null, held_error = null, due_at = $2
     where held_at is not null and held_error = $1 and status = 'active'`,
    [emptyPoolError(pool), time(await businessNow(tx))],
  );
  return rowCount ?? 0;
}

/** Puts an import on record. */
export async function noteImport(
  db: Database,
  pool: string,
  act: { readonly by: string; readonly file: string; readonly added: number; readonly duplicates: number },
): Promise<void> {
  const { by, ...detail } = act;
  await db.transaction(async (tx) => {
    const businessAt = await businessNow(tx);
    await writeAudit(tx, { businessAt, by, action: 'coupons.import', detail: { pool, ...detail } });
  });
}
