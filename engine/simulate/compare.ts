/** Two simulations of the same customers under two releases: which mails differ. docs/simulating.md. */
import type { Line } from '../journey/types.ts';
import { carryStep } from '../playbook/identity.ts';
import type { Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { ReaderRun } from './reader-run.ts';
import { isMail } from './tally.ts';

/** What becomes of a mail: `more` is only after the change, `fewer` only before it. */
export type ChangeKind = 'more' | 'fewer' | 'earlier' | 'later';

/** One mail to one customer that differs. */
export interface MailChange {
  readonly change: ChangeKind;
  readonly customer: string;
  readonly playbook: string;
  readonly step: string;
  readonly template: string;
  /** null for `more`. */
  readonly before: Instant | null;
  /** null for `fewer`. */
  readonly after: Instant | null;
}

/** Counts of one step's mails, or of all. */
export interface ChangeCounts {
  before: number;
  after: number;
  same: number;
  /** Mails and, of as many customers, by what becomes of them. */
  readonly mails: Record<ChangeKind, number>;
  readonly customers: Record<ChangeKind, number>;
  /** By how much mails that are on both sides moved, in ms: together, later ones counted positive. */
  movedMs: number;
}

/** Everything that differs, counted. */
export interface Comparison {
  readonly customers: number;
  /** Customers for whom any mail differs. */
  readonly concerned: number;
  readonly all: ChangeCounts;
  /** By playbook and step, as `PLAYBOOK STEP`; steps without mails on both sides are left out. */
  readonly steps: ReadonlyMap<string, ChangeCounts>;
}

/** Takes one reader after the other. */
export interface Comparing {
  /** Gives what differs for this reader, by customer and time. */
  add(before: ReaderRun, after: ReaderRun): readonly MailChange[];
  totals(): Comparison;
}

/** What a step of before is called after: steps keep their identity under another id. */
export type NameAfter = (playbook: string, step: string) => string;

/** What the steps of one release are called in another, for a comparison. */
export function namesBetween(before: Release, after: Release): NameAfter {
  return (name, step) => {
    const playbook = after.byName.get(name);
    return playbook === undefined ? step : carryStep(before.byName.get(name) ?? null, playbook, step);
  };
}

/** Begins to compare. */
export function openComparison(nameAfter: NameAfter = (_, step) => step): Comparing {
  const all = nothing();
  const steps = new Map<string, ChangeCounts>();
  let customers = 0;
  let concerned = 0;
  return {
    add: (before, after) => {
      const changes: MailChange[] = [];
      for (const [index, draft] of after.drafts.entries()) {
        const was = mailsByStep(before.drafts[index]?.lines ?? [], nameAfter);
        const own = compareCustomer(
          was,
          mailsByStep(draft.lines, (_, step) => step),
          steps,
          all,
        );
        customers += 1;
        if (own.length > 0) concerned += 1;
        for (const kind of new Set(own.map(({ change }) => change))) all.customers[kind] += 1;
        changes.push(...own);
      }
      return changes;
    },
    totals: () => ({ customers, concerned, all, steps }),
  };
}

function nothing(): ChangeCounts {
  const none = (): Record<ChangeKind, number> => ({ more: 0, fewer: 0, earlier: 0, later: 0 });
  return { before: 0, after: 0, same: 0, mails: none(), customers: none(), movedMs: 0 };
}

type Mails = ReadonlyMap<string, readonly Line[]>;

/** A step's mails are the same mail before and after, whatever its template is called. */
function mailsByStep(lines: readonly { readonly line: Line }[], name: NameAfter): Mails {
  const mails = new Map<string, Line[]>();
  for (const { line: sent } of lines) {
    if (!isMail(sent)) continue;
    const line = { ...sent, step: name(sent.playbook, sent.step ?? '') };
    const key = `${line.playbook} ${line.step}`;
    const of = mails.get(key);
    if (of === undefined) mails.set(key, [line]);
    else of.push(line);
  }
  return mails;
}

function compareCustomer(
  before: Mails,
  after: Mails,
  steps: Map<string, ChangeCounts>,
  all: ChangeCounts,
): readonly MailChange[] {
  const changes: MailChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key) ?? [], after.get(key) ?? []];
    const counts = steps.get(key) ?? nothing();
    steps.set(key, counts);
    const own = changesOf(was, is);
    const same = was.length - own.filter((change) => change.before !== null).length;
    for (const total of [counts, all]) note(total, { was, is, same, own });
    for (const kind of new Set(own.map(({ change }) => change))) counts.customers[kind] += 1;
    changes.push(...own);
  }
  return changes.sort((a, b) => (a.after ?? a.before ?? 0) - (b.after ?? b.before ?? 0));
}

function note(
  counts: ChangeCounts,
  {
    was,
    is,
    same,
    own,
  }: {
    readonly was: readonly Line[];
    readonly is: readonly Line[];
    readonly same: number;
    readonly own: readonly MailChange[];
  },
): void {
  counts.before += was.length;
  counts.after += is.length;
  counts.same += same;
  for (const { change, before, after } of own) {
    counts.mails[change] += 1;
    if (before !== null && after !== null) counts.movedMs += after - before;
  }
}

/** Mails of one time are the same ones; the others go together in their order, and what is left over is more or fewer. */
function changesOf(was: readonly Line[], is: readonly Line[]): readonly MailChange[] {
  const [old, fresh] = withoutCommon(was, is);
  return Array.from({ length: Math.max(old.length, fresh.length) }, (_, index) => change(old[index], fresh[index]));
}

function withoutCommon(was: readonly Line[], is: readonly Line[]): readonly [readonly Line[], readonly Line[]] {
  const times = new Map<Instant, number>();
  for (const { at } of is) times.set(at, (times.get(at) ?? 0) + 1);
  const common = new Map<Instant, number>();
  const old = was.filter(({ at }) => !takeOne(times, common, at));
  const fresh = is.filter(({ at }) => !takeOne(common, null, at));
  return [old, fresh];
}

/** Takes one of that time away, if there is one, and notes it as taken. */
function takeOne(from: Map<Instant, number>, taken: Map<Instant, number> | null, at: Instant): boolean {
  const left = from.get(at) ?? 0;
  if (left === 0) return false;
  from.set(at, left - 1);
  taken?.set(at, (taken.get(at) ?? 0) + 1);
  return true;
}

function change(before: Line | undefined, after: Line | undefined): MailChange {
  const line = after ?? before;
  if (line === undefined) throw new Error('a change needs a mail before or after it');
  const kind =
    before === undefined ? 'more' : after === undefined ? 'fewer' : after.at < before.at ? 'earlier' : 'later';
  return {
    change: kind,
    customer: line.customer,
    playbook: line.playbook,
    step: line.step ?? '',
    template: line.template ?? '',
    before: before?.at ?? null,
    after: after?.at ?? null,
  };
}
