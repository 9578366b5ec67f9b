/** The shapes of what is on record about one customer and one playbook. */
import type { Origin, Profile, WaitsFor } from '../journey/types.ts';
import type { Json } from '../playbook/types.ts';
import type { Hold } from '../store/history.ts';
import type { Instant } from '../time/types.ts';
import type { Deployment } from './answer.ts';

/**
 * An enrolment in the playbook. Who is under way is shown in the version that they go on in (`in_flight: move`), their
 * steps as it calls them; `releaseId` is the release that brought it.
 */
export interface EnrolmentOnRecord {
  readonly id: number;
  /** A deployment has moved it to another version than it started with. */
  readonly moved: boolean;
  readonly version: string;
  readonly releaseId: string;
  readonly entryKey: string;
  readonly status: 'active' | 'complete' | 'exit' | 'goal' | 'cancel';
  readonly ready: boolean;
  readonly step: string | null;
  readonly dueAt: Instant | null;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
  readonly reason: string | null;
  readonly origin: Origin;
  readonly vars: Readonly<Record<string, Json>>;
  readonly hold: Hold | null;
}

/** A mail of the playbook. `waitsFor` holds while `dueAt` is `waitsUntil`. */
export interface SendOnRecord {
  readonly enrolmentId: number;
  readonly step: string;
  readonly template: string;
  readonly topic: string;
  readonly lane: 'transactional' | 'bulk';
  readonly status: 'planned' | 'claimed' | 'handed' | 'sent' | 'failed' | 'skipped' | 'cancelled' | 'unknown';
  readonly firstDueAt: Instant;
  readonly dueAt: Instant;
  readonly handedAt: Instant | null;
  readonly settledAt: Instant | null;
  readonly attempts: number;
  readonly resends: number;
  readonly address: string | null;
  readonly reason: string | null;
  readonly waitsFor: WaitsFor | null;
  readonly waitsUntil: Instant | null;
  readonly releaseId: string | null;
  readonly hold: Hold | null;
}

/** Something that a step did, or that its own condition skipped it. */
export interface JournalLine {
  readonly enrolmentId: number | null;
  readonly at: Instant;
  readonly do: string;
  readonly step: string | null;
  readonly reason: string | null;
}

/** What a step did besides mail, in a row of its own: a task, a call, a code. `text` says how it stands. */
export interface EffectOnRecord {
  readonly enrolmentId: number;
  readonly step: string;
  readonly at: Instant;
  readonly text: string;
}

/** An entry that was refused. */
export interface RefusalOnRecord {
  readonly because: string;
  readonly at: Instant;
  readonly entryKey: string;
  readonly releaseId: string;
  readonly values: Readonly<Record<string, Json>> | null;
}

/** What a person did that bears on the question. */
export interface ActOnRecord {
  readonly at: Instant;
  readonly by: string;
  readonly action: string;
  readonly playbook: string | null;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The whole record. Lists are newest first, but for `deployments`. */
export interface WhyRecord {
  readonly now: Instant;
  readonly customer: {
    readonly id: number;
    readonly key: string;
    readonly address: string | null;
    readonly arrivedAt: Instant;
    readonly profile: Profile;
    readonly hold: Hold | null;
    readonly erasedAt: Instant | null;
    readonly heldEvents: number;
  };
  readonly playbook: {
    readonly id: number;
    readonly name: string;
    readonly live: boolean;
    readonly armedFrom: Instant;
  };
  readonly enrolments: readonly EnrolmentOnRecord[];
  readonly sends: readonly SendOnRecord[];
  readonly journal: readonly JournalLine[];
  readonly effects: readonly EffectOnRecord[];
  readonly refusals: readonly RefusalOnRecord[];
  readonly pause: { readonly at: Instant; readonly by: string; readonly reason: string; readonly all: boolean } | null;
  readonly acts: readonly ActOnRecord[];
  readonly deployments: readonly Deployment[];
}

/** The facts that events alone make. */
export type Facts = Pick<Profile, 'orders' | 'spent' | 'first_order_at' | 'last_order_at' | 'last_seen_at'>;
