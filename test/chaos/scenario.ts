/**
 * What the chaos suite is made of: scenarios that do something bad to a fleet of real processes, and the lines that
 * none of them may cross. One file a scenario under scenarios/, all of them in scenarios/list.ts.
 */
import type { TestRedis } from '../support/redis.ts';
import type { CounterOptions, Site } from './site.ts';

/** Where hints go. */
export type Backend = 'postgres' | 'redis';

/** A site, and the Redis that it has for itself. */
export interface ChaosSite extends Site {
  readonly backend: Backend;
  /** null: the queue is on PostgreSQL. */
  readonly redis: TestRedis | null;
}

/** How much is done: the whole of it, or a little of each kind. */
export type Scale = 'full' | 'short';

/** What a scenario found. */
export interface Outcome {
  /** Faults that were brought about: kills, pauses, restarts, refusals. */
  readonly faults: number;
  /** Mails on record. */
  readonly mails: number;
  /** Mails that no server took and that the record does not call ended or `unknown`. */
  readonly lost: number;
  /** Copies that the record does not call `unknown`. */
  readonly copies: number;
  /** Copies of mails whose playbook says `assume_sent`. */
  readonly assumedCopies: number;
  /** How often the record called a mail `unknown`, whatever was done about it then. */
  readonly unknown: number;
  /** How often at most: messages under way at the faults, as the mail server counted them. */
  readonly unknownBound: number;
  /** The longest that work stayed undone because of a fault, in ms; null: the scenario has nothing of the kind. */
  readonly recoveryMs: number | null;
  /** Default: 30,000. */
  readonly recoveryLimitMs?: number;
  /** Whatever else is not as it must be, a line each: processes that complained, mails before their time, … */
  readonly wrong: readonly string[];
}

/** Something bad that happens to a fleet at work. */
export interface Scenario {
  /** As `--scenario` names it. */
  readonly name: string;
  /** In a few words, for the table. */
  readonly title: string;
  readonly backends: readonly Backend[];
  /** How the mail server behaves. Default: it thinks for a moment, and takes half of the mails before and half after. */
  readonly counter?: CounterOptions;
  /** Opens a site of its own kind. Default: the run's PostgreSQL, and with `redis` a Redis of its own. */
  readonly open?: (backend: Backend, scale: Scale, seed: number) => Promise<ChaosSite>;
  /** Why it cannot be done on this machine, in words; null when it can. Default: it can. */
  readonly whyNotHere?: () => string | null;
  /** Does it, on a fresh site; `seed` decides everything that is chance. The caller closes the site. */
  run(site: ChaosSite, seed: number, scale: Scale): Promise<Outcome>;
}

/** Shorter than this every recovery must be, unless the scenario says otherwise. */
export const RECOVERY_LIMIT_MS = 30_000;

/** Which lines an outcome crosses, in words; empty: none. */
export function violations(outcome: Outcome): readonly string[] {
  const { lost, copies, assumedCopies, unknown, unknownBound, recoveryMs, recoveryLimitMs, wrong } = outcome;
  const limitMs = recoveryLimitMs ?? RECOVERY_LIMIT_MS;
  return [
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(copies > 0 ? [`${copies} copies that the record does not call unknown`] : []),
    ...(assumedCopies > 0 ? [`${assumedCopies} copies although the policy is assume_sent`] : []),
    ...(unknown > unknownBound ? [`${unknown} unknown, and at most ${unknownBound} were under way`] : []),
    ...(recoveryMs !== null && recoveryMs > limitMs
      ? [`work stood still for ${(recoveryMs / 1_000).toFixed(1)} s, more than ${limitMs / 1_000} s`]
      : []),
    ...wrong,
  ];
}
