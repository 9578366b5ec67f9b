/**
 * What is known of one customer while the engine decides, and what it decides.
 * The store loads and saves these; the simulator keeps them in memory.
 */
import type { Json, Playbook, Release, Scope, Step } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';

/** A customer's profile, attributes and facts, as conditions see them. Missing is null. */
export interface Profile {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly first_name: string | null;
  readonly last_name: string | null;
  /** As given; may be no IANA zone, then the company's holds. */
  readonly timezone: string | null;
  readonly locale: string | null;
  /** 'YYYY-MM-DD'. */
  readonly birthday: string | null;
  readonly created_at: Instant | null;
  readonly tags: readonly string[];
  /** Declared in `perennial.yaml`; a date is 'YYYY-MM-DD', a datetime an ISO 8601 string with offset. */
  readonly attributes: Readonly<Record<string, Json>>;
  readonly orders: number;
  readonly spent: number;
  readonly first_order_at: Instant | null;
  readonly last_order_at: Instant | null;
  readonly last_seen_at: Instant | null;
  readonly satisfaction: number | null;
}

/** How often, first and last an event was seen. */
export interface EventStat {
  readonly first: Instant;
  readonly last: Instant;
  readonly count: number;
}

/** An event as it came in. `at` is its own time. */
export interface CustomerEvent {
  readonly id: string;
  readonly event: string;
  readonly at: Instant;
  readonly data: Readonly<Record<string, Json>>;
}

/** How an enrolment began: what `event`, `trigger` and `launch` mean in its conditions and templates. */
export interface Origin {
  readonly event?: CustomerEvent;
  readonly trigger?: { readonly count: number; readonly date: string };
  readonly launch?: string;
}

/**
 * Where an enrolment stands.
 * - `time`: continues at `dueAt`: past the wait on which it stands, or at the end of a `wait_for`; with `ready`, at
 *   the step itself (parked by a pause).
 * - `mail`: an open send decides when it goes on.
 * - `ended`: over, and stays so.
 */
export type Position =
  | { readonly on: 'time'; readonly step: string; readonly dueAt: Instant; readonly ready: boolean }
  | { readonly on: 'mail'; readonly step: string }
  | {
      readonly on: 'ended';
      readonly how: 'complete' | 'exit' | 'goal' | 'cancel';
      readonly at: Instant;
      readonly reason: string | null;
    };

/** One customer's way through one playbook. `playbook` and `entryKey` are unique for a customer. */
export interface Enrolment {
  /** The database's id; null until it is stored. */
  readonly id: number | null;
  readonly playbook: string;
  /** The playbook's version it is in: the one it started with, or one to which a deployment moved it. */
  readonly version: string;
  /**
   * What it was started by: `event:ID`, `date:DAY`, `schedule:DAY`, `lapse:INSTANT`, `launch:NAME`,
   * `segment:INSTANT`, `start:PLAYBOOK/STEP/KEY`, `manual:ID`.
   */
  readonly entryKey: string;
  readonly startedAt: Instant;
  readonly origin: Origin;
  readonly vars: Readonly<Record<string, Json>>;
  readonly position: Position;
  /** Steps that it has done outwardly (a mail, a task) in an earlier version: only of one that was moved to this one. */
  readonly done?: ReadonlySet<string>;
}

export type SkipReason =
  'condition' | 'holdout' | 'cap' | 'suppressed' | 'unsubscribed' | 'no address' | 'not allowed' | 'late';

/** A mail on its way: the part of a `sends` row that decisions need. Unique by enrolment, step and visit. */
export interface Send {
  /** The database's id; null until it is stored. */
  readonly id: number | null;
  readonly playbook: string;
  readonly entryKey: string;
  readonly step: string;
  /** 0, unless the same step is reached again. */
  readonly visit: number;
  readonly template: string;
  readonly topic: string;
  readonly transactional: boolean;
  /** What a survey's mail asks; null for all other mail. */
  readonly ask: string | null;
  /** When the step was reached. */
  readonly firstDueAt: Instant;
  /** When it is tried next. */
  readonly dueAt: Instant;
}

/**
 * A timer of a `date`, `inactive` or `schedule` trigger; of a `segment` one the last answer to its condition. `dueAt: null` means
 * considered, and nothing to come.
 */
export interface Timer {
  readonly playbook: string;
  readonly dueAt: Instant | null;
  /** Rule, anchor and zone from which `dueAt` was made; when it differs from the present one, the timer is made anew. */
  readonly basis: string;
}

/** What a playbook's earlier enrolments of this customer forbid. */
export interface EntryRecord {
  readonly lastStartedAt: Instant;
  /** Entry keys other than `event:`, `start:` and `manual:` ones (those are unique by themselves). */
  readonly keys: ReadonlySet<string>;
}

/** Everything that is a customer's own, loaded under its lock. */
export interface CustomerState {
  readonly profile: Profile;
  /** When the engine came to know the customer: triggers of time look forward from here. */
  readonly arrivedAt: Instant;
  /** Whether a profile was ever given from outside. The first one is the customer's arrival, and turns no segment. */
  readonly identified: boolean;
  readonly stats: ReadonlyMap<string, EventStat>;
  /** Active enrolments only, the older first. */
  readonly enrolments: readonly Enrolment[];
  readonly entries: ReadonlyMap<string, EntryRecord>;
  readonly timers: ReadonlyMap<string, Timer>;
  /** Planned sends (waiting to be claimed) only. */
  readonly sends: readonly Send[];
  /** Mails that are claimed or handed over and not settled yet, by `sendKey`, and when they were due. */
  readonly inFlight: ReadonlyMap<string, Instant>;
  /** Planned sends that wait for a person, by `sendKey`. */
  readonly heldSends: ReadonlySet<string>;
  readonly consent: Consent;
  /** `PLAYBOOK/LAUNCH` for every launch by which any customer with the same address was enrolled. */
  readonly launchesTaken: ReadonlySet<string>;
  /** Launches at whose instant this customer has still to be asked, ascending; from `runs`. */
  readonly launchesDue: readonly { readonly playbook: string; readonly launch: string; readonly at: Instant }[];
}

/** What the customer's address allows. */
export interface Consent {
  readonly suppressed: boolean;
  /** Topics, or `ALL_TOPICS` (attempt.ts). */
  readonly unsubscribed: ReadonlySet<string>;
  readonly subscribed: ReadonlySet<string>;
}

/** The log of non-transactional hand-overs of one address: claimed, handed, sent and unknown. Shared by its customers. */
export interface Reader {
  readonly handedAt: readonly Instant[];
}

/** What decides, besides the customer. */
export interface Context {
  readonly release: Release;
  /** The version an enrolment started with; throws when no stored release has it. */
  playbookOf(name: string, version: string): Playbook;
  /** Since when a playbook's triggers look forward (first deployed, or its trigger last changed). */
  armedFrom(playbook: string): Instant;
  /** Paused playbooks enrol, but nothing in them goes on. */
  isPaused(playbook: string): boolean;
  /**
   * True in simulation: a mail that may go is handed over at the instant of its attempt. Otherwise an email step plans
   * a send, and the protocol of the store (claim, hand over, settle) takes it from there.
   */
  readonly handsOverAtOnce?: boolean;
  /** True where mails are planned as in production, but coupon steps take a sample: for looking ahead. */
  readonly givesSampleCodes?: boolean;
  /** Told of every attempt to send, of those too that leave no line: for simulations. It must change nothing. */
  readonly onAttempt?: (attempt: Attempt) => void;
}

/** One line of a timeline: docs/playbooks.md. */
export interface Line {
  readonly at: Instant;
  readonly customer: string;
  readonly playbook: string;
  readonly step?: string;
  readonly do:
    | 'enrol'
    | 'email'
    | 'survey'
    | 'task'
    | 'webhook'
    | 'coupon'
    | 'set'
    | 'tag'
    | 'untag'
    | 'exit'
    | 'goal'
    | 'complete'
    | 'skip'
    | 'cancel';
  readonly template?: string;
  readonly reason?: string;
}

/** What an attempt to send decides. `hand`: it may be claimed now. */
export type Decision =
  | { readonly do: 'hand' }
  | { readonly do: 'defer'; readonly dueAt: Instant; readonly because: 'window' | 'cap' }
  | { readonly do: 'skip'; readonly reason: Exclude<SkipReason, 'condition'> };

/** An attempt to send, and what was decided. */
export interface Attempt {
  /** The customer, and the enrolment to which the mail belongs, as both are at this instant. */
  readonly profile: Profile;
  readonly enrolment: Enrolment;
  readonly send: Send;
  readonly at: Instant;
  readonly decision: Decision;
}

/** What puts a mail off apart from the language: a limit of mails per second, the day's volume, a domain that is held. */
export type PaceWait = 'pace' | 'warm_up' | 'domain';

/** What an attempt found that a mail must wait for. */
export type WaitsFor = 'window' | 'cap' | PaceWait;

/**
 * A send as it stands after a run. `waitsFor`: an attempt put it off until its `dueAt`, and for this; `pacedFrom`: when it was
 * due before its pace put it off.
 */
export type SendChange =
  | { readonly send: Send; readonly status: 'planned'; readonly waitsFor?: WaitsFor; readonly pacedFrom?: Instant }
  | { readonly send: Send; readonly status: 'skipped'; readonly reason: SkipReason; readonly at: Instant }
  | { readonly send: Send; readonly status: 'cancelled'; readonly reason: string; readonly at: Instant };

/** Something that a step does outside of its customer: put on record in the transaction that reaches the step. */
export type Effect = {
  readonly playbook: string;
  readonly entryKey: string;
  /** When the step was reached. */
  readonly at: Instant;
  /** What its texts see, as things were at that instant. */
  readonly scope: Scope;
  readonly locale: string | null;
} & (
  | { readonly kind: 'task'; readonly step: Step & { readonly kind: 'task' }; readonly dueAt: Instant | null }
  | { readonly kind: 'webhook'; readonly step: Step & { readonly kind: 'webhook' } }
);

/** How an open mail ended. `at` is the hand-over for `sent` and `unknown`, the final refusal for `failed`. */
export interface Settlement {
  readonly outcome: 'sent' | 'failed' | 'unknown';
  readonly at: Instant;
}

/** Why somebody was not enrolled by hand. */
export type EntryRefusal =
  | {
      readonly entered: false;
      readonly because: 'not manual' | 'audience' | 'already active' | 'not again' | 'draining';
    }
  | { readonly entered: true };

/**
 * A trigger fired, or another playbook started this one, and the customer was not let in. `values`: what the audience
 * read, by name (`customer.orders`); empty for the other reasons. Who is refused by hand is told at once instead.
 */
export interface Refusal {
  readonly playbook: string;
  /** Of the enrolment that was not made. */
  readonly entryKey: string;
  readonly at: Instant;
  readonly because: RefusalReason;
  readonly values: Readonly<Record<string, Json>>;
}

/** What forbids an entry that a trigger asks for. */
export type RefusalReason = 'not again' | 'already active' | 'audience' | 'draining';

/** What is to be stored after a run: whole new values of what changed, nothing of what did not. */
export interface Changes {
  readonly profile: Profile | null;
  readonly stats: ReadonlyMap<string, EventStat>;
  readonly enrolments: readonly Enrolment[];
  readonly sends: readonly SendChange[];
  readonly timers: readonly Timer[];
  /** Launches at which the customer was asked, whatever the answer. */
  readonly launchesAsked: readonly { readonly playbook: string; readonly launch: string }[];
  /** The newest of each playbook and reason. Not noted in simulation. */
  readonly refusals: readonly Refusal[];
  /** To be put on record with them. */
  readonly effects: readonly Effect[];
  readonly lines: readonly Line[];
}
