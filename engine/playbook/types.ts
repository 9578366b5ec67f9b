/**
 * A company's playbooks as the engine runs them: checked, conditions compiled, steps linked.
 * Made from YAML by `compile`; never stored (a release stores sources).
 */
import type {
  Blackout,
  DateRule,
  Duration,
  Instant,
  LocalDate,
  ScheduleRule,
  SendWindow,
  TimeOfDay,
  Weekday,
  Zone,
} from '../time/types.ts';

/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The types of fields that `perennial.yaml` declares. */
export type FieldType = 'string' | 'number' | 'boolean' | 'date' | 'datetime' | 'list';

/**
 * What a condition or template can see. Values are as stored: a `date` is 'YYYY-MM-DD', a `datetime` an Instant
 * or an ISO 8601 string with offset; the declared types say which is which. A field that is missing is null.
 */
export interface Scope {
  readonly customer: Readonly<Record<string, unknown>>;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly launch?: Readonly<Record<string, unknown>>;
  readonly trigger?: Readonly<Record<string, unknown>>;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly now: Instant;
  /** The customer's zone: `days_since` and dates count in it. */
  readonly zone: Zone;
}

/** A CEL condition, type-checked, with the language's null rule (docs/playbooks.md). */
export interface Condition {
  readonly source: string;
  /** True only when the condition is true; null and false are false. Throws never for missing data. */
  test(scope: Scope): boolean;
  /** Depends on `now`, `days_since`, `days_until` or a stage defined by them. */
  readonly usesTime: boolean;
  /** Fields it reads, e.g. `customer.orders`, `event.total`. */
  readonly reads: ReadonlySet<string>;
}

/** A reference to one field, such as `customer.renewal_date`. */
export interface FieldRef {
  readonly root: 'customer' | 'event' | 'launch';
  readonly name: string;
  readonly type: FieldType;
}

export interface Topic {
  readonly name: string;
  readonly title: string;
  readonly transactional: boolean;
  /** Whether a customer who never said anything is subscribed. */
  readonly default: 'in' | 'out';
}

/** At most so many non-transactional mails in (t - per, t], for one reader. */
export interface Cap {
  readonly atMost: number;
  readonly per: Duration;
}

/** With which keys mail is signed (RFC 6376). */
export interface Dkim {
  /** The domain that signs, in punycode; null: that of the sender. */
  readonly domain: string | null;
  /** Names of keys: one signature for each. */
  readonly selectors: readonly string[];
}

/** How fast mail leaves, in mails per second from the whole fleet. */
export interface Sending {
  /** To each mail server; null: no limit. */
  readonly perSecond: number | null;
  /** To readers at one domain; `*` is each that is not named. */
  readonly domains: Readonly<Record<string, number>>;
  /** Mails on each day from `from` on, in the company's zone; afterwards there is no such limit. */
  readonly warmUp: { readonly from: LocalDate; readonly perDay: readonly number[] } | null;
}

/** `perennial.yaml`, checked. */
export interface Company {
  /** Every field of `company:`, as templates see it (`{{company.…}}`). */
  readonly fields: Readonly<Record<string, Json>>;
  readonly mail: {
    readonly from: string;
    readonly replyTo: string | null;
    readonly onlyTo: readonly string[] | null;
    /** The mailbox of signed return paths; undefined as null: none. */
    readonly bounces?: string | null;
    /** How mail is signed; undefined as null: not at all. */
    readonly dkim?: Dkim | null;
    /** What readers do that is recorded; undefined as nothing. */
    readonly tracking?: { readonly clicks: boolean; readonly opens: boolean };
  };
  /** `defaults.timezone`: for customers without a valid one, and for launches. */
  readonly zone: Zone;
  readonly locale: string;
  readonly at: TimeOfDay;
  readonly sendWindow: SendWindow;
  readonly lateAfter: Duration;
  readonly purchase: { readonly event: string; readonly amount: string | null } | null;
  readonly attributes: Readonly<Record<string, FieldType>>;
  readonly events: Readonly<Record<string, Readonly<Record<string, FieldType>>>>;
  readonly topics: Readonly<Record<string, Topic>>;
  readonly caps: readonly Cap[];
  readonly blackouts: readonly Blackout[];
  /** undefined as null: nothing is limited. */
  readonly sending?: Sending | null;
  /** The first that matches is `customer.stage`. */
  readonly stages: readonly { readonly name: string; readonly when: Condition }[];
}

/** `playbooks/launches/NAME.yaml`. */
export interface Launch {
  readonly name: string;
  readonly title: string;
  readonly publicAt: Instant;
  /** All fields as `launch.…` sees them, `title` and `public_at` (an Instant) included. */
  readonly fields: Readonly<Record<string, Json>>;
}

export type Trigger =
  | { readonly kind: 'event'; readonly event: string; readonly first: boolean; readonly if: Condition | null }
  | { readonly kind: 'date'; readonly field: FieldRef; readonly rule: DateRule }
  | {
      readonly kind: 'inactive';
      readonly no: 'any' | readonly string[];
      readonly for: Duration;
      readonly at: TimeOfDay | null;
      readonly orNever: boolean;
    }
  /** `launch` is a launch's name, or `any`. */
  | { readonly kind: 'launch'; readonly launch: string; readonly before: Duration | null }
  | {
      readonly kind: 'segment';
      /** Never depends on the time. */
      readonly when: Condition;
      /** The stages of the company as text where the condition asks for one: other stages are another rule. */
      readonly stages: string | null;
    }
  | { readonly kind: 'schedule'; readonly rule: ScheduleRule }
  | { readonly kind: 'manual' };

export interface Entry {
  readonly again: 'never' | 'always' | { readonly after: Duration };
  readonly ifActive: 'ignore' | 'restart' | 'parallel';
  /** So many per cent of customers, 0 to 100, get no mail of the playbook. */
  readonly holdout: number;
}

/** Ends an enrolment: at an event, or when its condition holds before a step. */
export type Exit =
  | { readonly kind: 'event'; readonly event: string; readonly if: Condition | null }
  | { readonly kind: 'condition'; readonly if: Condition };

export interface Goal {
  readonly event: string;
  readonly if: Condition | null;
  /** Counted from the enrolment's start, end exclusive; null is without end. */
  readonly within: Duration | null;
}

export type WaitRule =
  | { readonly kind: 'for'; readonly duration: Duration }
  /** The next such local time, today's included; with a weekday, on that day. */
  | { readonly kind: 'time'; readonly at: TimeOfDay; readonly weekday: Weekday | null }
  /** A fixed local day and time in the customer's zone. */
  | { readonly kind: 'day'; readonly date: LocalDate; readonly at: TimeOfDay }
  /** A field read once, when the wait begins. Without `at`, a datetime is taken as it is and a date at local midnight. */
  | {
      readonly kind: 'field';
      readonly field: FieldRef;
      readonly offset: Duration | null;
      readonly at: TimeOfDay | null;
      readonly ifPast: 'continue' | 'exit';
    };

interface StepBase {
  /** Unique in the playbook; an enrolment's position is this id. */
  readonly id: string;
  /** Place in written order, from 0. */
  readonly index: number;
  /** Skips the step when false. */
  readonly guard: Condition | null;
  /** What comes after it, wherever it stands; null: the steps have run out. An empty branch points here too. */
  readonly next: string | null;
}

export type Step = StepBase &
  (
    | { readonly kind: 'email'; readonly template: string; readonly topic: Topic }
    | { readonly kind: 'wait'; readonly wait: WaitRule }
    | {
        readonly kind: 'wait_for';
        readonly event: string;
        readonly if: Condition | null;
        readonly upTo: Duration;
        readonly then: string | null;
        readonly else: string | null;
      }
    | { readonly kind: 'if'; readonly when: Condition; readonly then: string | null; readonly else: string | null }
    | {
        readonly kind: 'choose';
        /** In order; `when: null` is `otherwise`. None matching goes to `next`. */
        readonly arms: readonly { readonly when: Condition | null; readonly first: string | null }[];
      }
    | {
        readonly kind: 'split';
        /** In written order; at least one. */
        readonly arms: readonly { readonly name: string; readonly share: number; readonly first: string | null }[];
      }
    | { readonly kind: 'start'; readonly playbook: string }
    | { readonly kind: 'set'; readonly values: Readonly<Record<string, Json>> }
    | { readonly kind: 'tag'; readonly tag: string }
    | { readonly kind: 'untag'; readonly tag: string }
    /** Sends the mail that asks, and waits so long from its hand-over for the answer; a skipped mail runs neither branch. */
    | {
        readonly kind: 'survey';
        readonly template: string;
        readonly topic: Topic;
        readonly ask: string;
        readonly upTo: Duration;
        readonly then: string | null;
        readonly else: string | null;
      }
    /** Takes a code; it is `vars.AS.code` afterwards. */
    | { readonly kind: 'coupon'; readonly pool: string; readonly as: string }
    /** `title` is a template. */
    | { readonly kind: 'task'; readonly title: string; readonly to: string | null; readonly within: Duration | null }
    /** The texts of `body` are templates; null for the usual body. */
    | { readonly kind: 'webhook'; readonly url: string; readonly body: Json }
    | { readonly kind: 'exit'; readonly reason: string }
  );

/** What happens to a mail of which a crash left open whether the server took it (docs/architecture.md P2). */
export type UnknownPolicy = 'assume_sent' | 'resend' | 'hold';

export interface Playbook {
  /** The file's name without `.yaml`. */
  readonly name: string;
  /** SHA-256 (hex) of the source text: an enrolment keeps the version it started with. */
  readonly version: string;
  readonly title: string;
  readonly description: string | null;
  readonly stage: string | null;
  readonly topic: Topic | null;
  readonly priority: number;
  readonly trigger: Trigger;
  /** False only where the playbook says `manual: false`. */
  readonly manual: boolean;
  readonly audience: Condition | null;
  readonly entry: Entry;
  readonly exits: readonly Exit[];
  readonly goal: Goal | null;
  readonly sendWindow: SendWindow;
  readonly lateAfter: Duration;
  /** The playbook's own `unknown:`; null leaves it to the topic: `resend` for transactional mail, else `assume_sent`. */
  readonly unknownPolicy: UnknownPolicy | null;
  /** What becomes of customers under way in earlier versions; while it drains, nobody enters. */
  readonly inFlight: 'pin' | 'move' | 'drain';
  /** Old step ids and their new ones. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly first: string | null;
  readonly steps: ReadonlyMap<string, Step>;
}

/** Everything that decides, at one time: what production reads once per transaction and `simulate` reads from files. */
export interface Release {
  /** Content address (SHA-256 of all sources, hex). */
  readonly id: string;
  readonly company: Company;
  /** By priority (higher first), then name: the order of the language. */
  readonly playbooks: readonly Playbook[];
  readonly byName: ReadonlyMap<string, Playbook>;
  readonly launches: ReadonlyMap<string, Launch>;
}
