/** One question under way, and how conditions are shown. */
import type { Draft } from '../journey/draft.ts';
import type { Context, CustomerEvent, Origin } from '../journey/types.ts';
import { scopeOf } from '../journey/view.ts';
import { operandsOf } from '../playbook/operands.ts';
import type { Quote } from '../playbook/quote.ts';
import type { Condition, Json, Release } from '../playbook/types.ts';
import type { Queryable } from '../store/database.ts';
import type { Instant } from '../time/types.ts';
import type { Deployment, Evidence, NextStep } from './answer.ts';
import type { Facts, WhyRecord } from './on-record.ts';
import { playbookFile, type Sources } from './sources.ts';
import type { Words } from './words.ts';

/** What every part of an answer works with. */
export interface Inquiry {
  readonly db: Queryable;
  readonly record: WhyRecord;
  /** The release that runs. */
  readonly release: Release;
  readonly ctx: Context;
  /** The customer as the rules would take them now, opened anew for each look ahead; nothing of it is stored. */
  openDraft(): Draft;
  readonly sources: Sources;
  readonly words: Words;
  /** What is asked about lies at or before this: business now, or what was given with `--at`. */
  readonly until: Instant;
}

/** `"ada"`. */
export function who({ record }: Inquiry): string {
  return `"${record.customer.key}"`;
}

/** `"welcome-series"`. */
export function what({ record }: Inquiry): string {
  return `"${record.playbook.name}"`;
}

/** The file of the playbook. */
export function fileOf({ record }: Inquiry): string {
  return playbookFile(record.playbook.name);
}

/** A condition's verdict on a scope. */
export interface Verdict {
  readonly holds: boolean;
  readonly values: Readonly<Record<string, Json>>;
  /** Everything that it reads stays as it was: the event, occurrence or launch, and nothing of the time. */
  readonly lasting: boolean;
  /** Facts were reckoned from the events on record. */
  readonly reckoned: boolean;
}

/** Asks a condition of what is known now, about the event or enrolment in question, as of the instant `at`. */
export function ask(
  { record, release }: Inquiry,
  condition: Condition,
  of: {
    readonly origin?: Origin;
    readonly event?: CustomerEvent;
    readonly vars?: Readonly<Record<string, unknown>>;
    readonly at: Instant;
    /** The release of that time; default: the one that runs. */
    readonly release?: Release;
    /** What the customer's facts were then, where the events on record tell. */
    readonly facts?: Facts | null;
  },
): Verdict {
  const facts = of.facts ?? {};
  const scope = scopeOf({ ...record.customer.profile, ...facts }, of.release ?? release, of.at, of);
  const changing = [...condition.reads].filter((name) => /^(customer|vars)\./.test(name));
  const lasting = !condition.usesTime && changing.every((name) => Object.hasOwn(facts, name.replace('customer.', '')));
  return { holds: condition.test(scope), values: operandsOf(condition, scope), lasting, reckoned: changing.length > 0 };
}

/** A verdict as evidence: exact where it rests on what lasts, else said to be of today; `ahead`: it is still to come. */
export function verdictEvidence(
  { words }: Inquiry,
  { holds, values, lasting, reckoned }: Verdict,
  shown: {
    readonly label: string;
    readonly quote: Quote | null;
    readonly release?: Deployment | null;
    readonly ahead?: boolean;
  },
): Evidence {
  const is = holds ? 'true' : 'false';
  const because = Object.keys(values).length === 0 ? '' : `: ${words.values(values)}`;
  const isKnown = lasting || shown.ahead === true;
  const text = isKnown
    ? `${shown.label} is ${is}${lasting ? '' : ' at present'}${because}${lasting && reckoned ? ', reckoned from the events on record' : ''}`
    : `${shown.label} would be ${is} by what is known now${because}; what it read then is not on record`;
  return { text, values, quote: shown.quote, ...(shown.release === undefined ? {} : { release: shown.release }) };
}

/** Starting by hand, where the playbook allows it. */
export function startByHand(inquiry: Inquiry): readonly NextStep[] {
  const { record, release } = inquiry;
  if (release.byName.get(record.playbook.name)?.manual !== true) return [];
  const command = `perennial trigger ${record.playbook.name} --customer ${shellKey(inquiry)} --by NAME --reason TEXT --dry-run`;
  return [{ command, why: 'shows what would happen if a person started it' }];
}

/** The customer's id as one word of a shell. */
export function shellKey({ record }: Inquiry): string {
  const { key } = record.customer;
  return /^[\w./~@+-]+$/.test(key) ? key : `'${key.replaceAll("'", String.raw`'\''`)}'`;
}

/** All that is on record of the customer. */
export function seeCustomer(inquiry: Inquiry): NextStep {
  return { command: `perennial customer ${shellKey(inquiry)}`, why: 'shows all that is on record of the customer' };
}
