/** Tests of playbooks, checked: what `engine/simulate` runs. Made from `NAME.test.yaml`; never part of a release. */
import type { Instant } from '../../time/types.ts';
import type { Moment } from '../schema/moment.ts';
import type { Json } from '../types.ts';

/** What of a customer may change while a test runs; what is undefined stays as it is. */
export interface TestChange {
  readonly profile: Readonly<Record<string, Json>>;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly suppressed?: boolean | undefined;
  readonly unsubscribed?: readonly string[] | undefined;
  readonly subscribed?: readonly string[] | undefined;
}

/** A customer of a test. `fields` are those of docs/playbooks.md, with times as instants and dates as texts. */
export interface TestCustomer {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly timezone: string | null;
  readonly locale: string | null;
  /** 'YYYY-MM-DD'. */
  readonly birthday: string | null;
  readonly created_at: Instant | null;
  readonly tags: readonly string[];
  readonly attributes: Readonly<Record<string, Json>>;
  readonly orders: number;
  readonly spent: number;
  readonly first_order_at: Instant | null;
  readonly last_order_at: Instant | null;
  readonly last_seen_at: Instant | null;
  readonly satisfaction: number | null;
  readonly suppressed: boolean;
  readonly unsubscribed: readonly string[];
  readonly subscribed: readonly string[];
}

/** Something that happens to a customer in a test. `order` is its place among those of one instant. */
export type Happening = { readonly customer: string; readonly at: Instant; readonly order: number } & (
  | { readonly kind: 'event'; readonly event: string; readonly data: Readonly<Record<string, Json>> }
  | { readonly kind: 'change'; readonly change: TestChange }
  | { readonly kind: 'start'; readonly playbook: string; readonly vars: Readonly<Record<string, Json>> }
);

/** What must be said: all of `contains` and none of `lacks`, or exactly a text. */
export type Said =
  { readonly exactly: string } | { readonly contains: readonly string[]; readonly lacks: readonly string[] };

/** The kinds of lines that a test can expect. */
export const LINE_KINDS = [
  'email',
  'skip',
  'exit',
  'goal',
  'enrol',
  'complete',
  'set',
  'tag',
  'untag',
  'task',
  'webhook',
  'survey',
  'coupon',
  'refused',
] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/** A line that a test expects, or that must not come. What is null may be anything. */
export interface Expectation {
  readonly kind: LineKind;
  /** What it is about: a template, a step, a tag, a reason. */
  readonly what: string | null;
  /** The attributes of a `set`. */
  readonly values: Readonly<Record<string, Json>> | null;
  readonly at: Moment | null;
  readonly customer: string | null;
  readonly playbook: string | null;
  readonly step: string | null;
  readonly reason: string | null;
  readonly subject: Said | null;
  readonly text: Said | null;
}

/** One test. */
export interface PlaybookTest {
  readonly file: string;
  /** Where it begins in the file, from 1. */
  readonly line: number;
  readonly name: string;
  /** The playbook that the file is named after; null when there is none, as for tests of the whole company. */
  readonly playbook: string | null;
  /** Those that run, by name. */
  readonly playbooks: ReadonlySet<string>;
  readonly customers: readonly TestCustomer[];
  readonly from: Instant;
  readonly until: Instant;
  /** Ascending by time, then as written. */
  readonly happenings: readonly Happening[];
  /** Null: what comes does not matter, but for `not`. */
  readonly expect: readonly Expectation[] | null;
  readonly expectAll: boolean;
  readonly not: readonly Expectation[];
}
