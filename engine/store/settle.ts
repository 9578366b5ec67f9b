/**
 * Step *outcome* of the protocol: what became of claimed mails, and in the same transaction their enrolments go on.
 *
 * Only a row whose fence is still the reporter's changes. One exception is no exception: the answer "accepted" to a mail
 * that has meanwhile become `unknown`, or is planned to be sent again, under that same fence is the truth, and recorded.
 */
import type { Instant } from '../time/types.ts';
import { withCustomers, type ChunkOptions } from './chunk.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import type { Database } from './database.ts';
import { dueAgain } from './due-again.ts';
import { joinMailDue, type MailDue } from './due-now.ts';
import { loadOpenSends, resolveSends, type OpenSend, type OpenStatus, type Resolution } from './open-sends.ts';
import { resolveAccepted, resolveDoubtful, resolveUnknown } from './unknown.ts';

/** What became of one claim. */
export type SettleResult = {
  readonly sendId: number;
  readonly fence: number;
  readonly customerId: number;
} & (
  | { readonly kind: 'accepted' }
  /** The server, or the way to it, said: later. `delayMs` from business now; null: retries are exhausted. */
  | { readonly kind: 'retry'; readonly delayMs: number | null; readonly reason: string }
  | { readonly kind: 'permanent'; readonly reason: string }
  /** Lost between hand-over and answer. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Not offered to a server: it may have gone out at `at`, before the database was restored from a backup. */
  | { readonly kind: 'doubtful'; readonly at: Instant }
  /** Not sent, since the hand-over was refused, failed, or was not used in time: for certain not at the server. */
  | { readonly kind: 'withheld' }
  /** Could not be rendered or composed: held for a person. */
  | { readonly kind: 'broken'; readonly reason: string }
);

/** What settling did. */
export interface Settled {
  readonly settled: number;
  /** Reports of claims that had been lost, and repeated reports: they changed nothing. */
  readonly stale: number;
  /** Customers with mail that can be claimed now. */
  readonly planned: MailDue;
  /** Culprits that were held. */
  readonly held: number;
}

/** Records a batch of outcomes. For up to some hundred; of one claim the first counts. */
export async function settleSends(
  db: Database,
  cache: ReleaseCache,
  results: readonly SettleResult[],
  options: Pick<ChunkOptions, 'onHeld'> = {},
): Promise<Settled> {
  const chunk = await withCustomers(
    db,
    cache,
    results.map((result) => result.customerId),
    async (tx, drafts, ctx, asked) => {
      const concerned = new Set(asked);
      const reports = results.filter((result) => concerned.has(result.customerId));
      const rows = await loadOpenSends(
        tx,
        reports.map((report) => report.sendId),
        ctx,
      );
      const resolutions = resolutionsOf(reports, rows, ctx);
      await resolveSends(tx, drafts, resolutions, ctx);
      const settled = resolutions.length;
      return { settled, stale: reports.length - settled, planned: dueAgain(drafts, resolutions, ctx) };
    },
    { ...options, recordsItself: true, mail: false },
  );
  return {
    settled: chunk.results.reduce((sum, result) => sum + result.settled, 0),
    stale: chunk.results.reduce((sum, result) => sum + result.stale, 0),
    planned: joinMailDue(chunk.results.map((result) => result.planned)),
    held: chunk.held.length,
  };
}

function resolutionsOf(
  reports: readonly SettleResult[],
  rows: ReadonlyMap<number, OpenSend>,
  ctx: StoreContext,
): Resolution[] {
  const resolutions = new Map<number, Resolution>();
  for (const report of reports) {
    const row = rows.get(report.sendId);
    if (row === undefined || row.fence !== report.fence || resolutions.has(report.sendId)) continue;
    const resolution = resolutionOf(report, row, ctx);
    if (resolution.from.some((status) => status === row.status)) resolutions.set(report.sendId, resolution);
  }
  return [...resolutions.values()];
}

const UNDER_WAY: readonly OpenStatus[] = ['claimed', 'handed'];
/** `planned` under the fence of a mail that was accepted: it was `unknown`, and about to be sent again. */
const ACCEPTABLE: readonly OpenStatus[] = ['handed', 'unknown', 'planned'];

function resolutionOf(report: SettleResult, of: OpenSend, ctx: StoreContext): Resolution {
  const plain = { of, from: UNDER_WAY, settlement: null, dueAt: null, attempt: false, resend: false, heldError: null };
  switch (report.kind) {
    case 'accepted':
      return resolveAccepted(of, ACCEPTABLE, ctx);
    case 'retry': {
      if (report.delayMs === null) return failed(of, report.reason, ctx);
      return { ...plain, status: 'planned', dueAt: ctx.now + report.delayMs, attempt: true, reason: report.reason };
    }
    case 'permanent':
      return failed(of, report.reason, ctx);
    case 'unknown':
      return resolveUnknown(of, report.reason, ctx);
    case 'doubtful':
      return resolveDoubtful(of, report.at, ctx);
    case 'withheld':
      return { ...plain, status: 'planned', reason: null };
    case 'broken':
      return { ...plain, status: 'planned', reason: null, heldError: report.reason };
  }
}

function failed(of: OpenSend, reason: string, ctx: StoreContext): Resolution {
  const settlement = { outcome: 'failed', at: ctx.now } as const;
  const changes = { dueAt: null, attempt: true, resend: false, heldError: null };
  return { of, from: UNDER_WAY, status: 'failed', settlement, reason, ...changes };
}
