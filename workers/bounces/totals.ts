/** What mails that came back came to, counted. */
import type { ReturnedMailResult, TakenOrFound } from '../returned-mail.ts';

/** One mail, and what it came to. */
export interface MailOutcome {
  readonly from: string;
  readonly result: ReturnedMailResult;
  /** It was left in a mailbox for a person to look at. */
  readonly stays?: boolean;
}

/** How many of what. */
export interface Totals {
  readonly mails: number;
  readonly bounces: number;
  readonly complaints: number;
  readonly suppressed: number;
  readonly knownBefore: number;
  readonly notOurs: number;
  /** Who unsubscribed by mail. */
  readonly unsubscribed: number;
  readonly noReport: number;
  readonly stays: number;
}

/** Counts; the recipients of a mail that suppresses two count twice there. */
export function totalsOf(outcomes: readonly MailOutcome[]): Totals {
  const kinds = (kind: string): number => outcomes.filter(({ result }) => result.kind === kind).length;
  const taken = outcomes.flatMap(({ result }) => ('taken' in result ? result.taken : []));
  const of = (outcome: TakenOrFound['outcome']): number => taken.filter((one) => one.outcome === outcome).length;
  return {
    mails: outcomes.length,
    bounces: kinds('bounce'),
    complaints: kinds('complaint'),
    suppressed: of('suppressed'),
    knownBefore: of('known before'),
    notOurs: of('not ours'),
    unsubscribed: outcomes.filter(({ result }) => result.kind === 'leave' && result.outcome === 'unsubscribed').length,
    noReport: kinds('none'),
    stays: outcomes.filter(({ stays }) => stays === true).length,
  };
}
