/** Step *advance* of the protocol: carries on what of these customers is due. The lock is enough; there are no leases. */
import { changesOf } from '../journey/draft.ts';
import { runDue } from '../journey/run.ts';
import { withCustomers, type ChunkOptions } from './chunk.ts';
import type { ReleaseCache } from './context.ts';
import type { Database } from './database.ts';
import { joinMailDue, mailDue, type MailDue } from './due-now.ts';

/** What an advance did. */
export interface Advanced {
  /** Enrolments that were started, carried on or ended. */
  readonly advanced: number;
  /** Customers whose mail can be claimed now. */
  readonly planned: MailDue;
  /** Culprits that were held. */
  readonly held: number;
}

/** Runs everything of these customers that is due by business now. For up to some hundred customers. */
export async function advance(
  db: Database,
  cache: ReleaseCache,
  customerIds: readonly number[],
  options: Pick<ChunkOptions, 'onHeld'> = {},
): Promise<Advanced> {
  const { results, held } = await withCustomers(
    db,
    cache,
    customerIds,
    async (_tx, drafts, ctx) => {
      runDue(drafts, ctx.now, ctx);
      const advanced = drafts.reduce((sum, draft) => sum + changesOf(draft).enrolments.length, 0);
      return { advanced, planned: mailDue(drafts, ctx) };
    },
    // Advancing again from the same state gives the same: nothing is lost with it.
    { ...options, mail: false, durable: false },
  );
  return {
    advanced: results.reduce((sum, result) => sum + result.advanced, 0),
    planned: joinMailDue(results.map((result) => result.planned)),
    held: held.length,
  };
}
