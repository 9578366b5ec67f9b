/**
 * From now on: customers as the database has them, carried on by the rules of production, with nothing happening but
 * what is due. docs/simulating.md.
 */
import { openDraft, ReaderLog, type Draft } from '../journey/draft.ts';
import { compareSends } from '../journey/order.ts';
import { attempt, runDue, settle } from '../journey/run.ts';
import type { Attempt, Context, CustomerState, Send } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import type { ReaderRun } from './reader-run.ts';

/** One reader as the database has it. */
export interface PresentReader {
  readonly states: readonly CustomerState[];
  readonly handedAt: readonly Instant[];
  /** Mails that a worker has; `handedAt` is null until the server may have it. */
  readonly onTheirWay: readonly { readonly customer: string; readonly send: Send; readonly handedAt: Instant | null }[];
}

/** The time that is looked at. */
export interface Ahead {
  /** What decides, as in production: mails are planned, not handed over. */
  readonly ctx: Context;
  readonly now: Instant;
  /** Exclusive. */
  readonly until: Instant;
}

/**
 * Does first what is due by now and not done yet, all of it at this instant as a worker would, then everything to
 * come at its own time. A mail that is on its way counts as sent.
 */
export function runAhead(reader: PresentReader, { ctx, now, until }: Ahead): ReaderRun {
  const attempts: Attempt[] = [];
  const watched: Context = { ...ctx, givesSampleCodes: true, onAttempt: (one) => attempts.push(one) };
  const log = new ReaderLog(reader.handedAt);
  const drafts = reader.states.map((state) => openDraft(state, log));
  for (const { customer, send, handedAt } of reader.onTheirWay) {
    const draft = drafts.find(({ profile }) => profile.id === customer);
    if (draft !== undefined) settle(draft, send, { outcome: 'sent', at: handedAt ?? now }, watched);
  }
  catchUp(drafts, now, watched);
  runDue(drafts, until - 1, { ...watched, handsOverAtOnce: true });
  return { drafts, attempts };
}

/** What is overdue happens now: waits in the logical time of their ends, mails in the order of the language. */
function catchUp(drafts: readonly Draft[], now: Instant, ctx: Context): void {
  const compare = compareSends(ctx.release);
  for (;;) {
    runDue(drafts, now, ctx);
    const [first] = drafts
      .flatMap((draft) =>
        [...draft.sends.values()].map((send) => ({ draft, send, customer: draft.profile.id, age: draft.ageOf(send) })),
      )
      .filter(({ send }) => send.dueAt <= now && !ctx.isPaused(send.playbook))
      .sort(compare);
    if (first === undefined) return;
    const { draft, send } = first;
    if (attempt(draft, send, now, ctx).do === 'hand') settle(draft, send, { outcome: 'sent', at: now }, ctx);
  }
}
