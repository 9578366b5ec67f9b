/**
 * Drives the pure core as production does, with its rows in memory: events are received, due work is run, due mails are
 * attempted (claimed) one after the other and settled, and what changed is stored in between.
 */
import { changesOf, openDraft, ReaderLog, sendKey, enrolmentKey, type Draft } from '../../engine/journey/draft.ts';
import { attempt, compareSends, receive, runDue, settle } from '../../engine/journey/run.ts';
import { launchInstant, launchKey } from '../../engine/journey/launch.ts';
import type {
  Changes,
  Consent,
  Context,
  CustomerState,
  Enrolment,
  EntryRecord,
  Line,
  Profile,
  Send,
} from '../../engine/journey/types.ts';
import type { Release } from '../../engine/playbook/types.ts';
import type { SimulatedCustomer, SimulatedEvent } from '../../engine/simulate/input.ts';
import type { Instant } from '../../engine/time/types.ts';

const NO_CONSENT: Consent = { suppressed: false, unsubscribed: new Set(), subscribed: new Set() };

/** The context of production for one release; its triggers look forward from `armedFrom`. */
export function contextOf(release: Release, armedFrom: Instant, paused: ReadonlySet<string> = new Set()): Context {
  return {
    release,
    playbookOf: (name) => {
      const playbook = release.byName.get(name);
      if (playbook === undefined) throw new Error(`no playbook ${name}`);
      return playbook;
    },
    armedFrom: () => armedFrom,
    isPaused: (playbook) => paused.has(playbook),
  };
}

/** A customer of whom nothing is stored but the profile. */
export function newState(profile: Profile, release: Release, arrivedAt: Instant, consent = NO_CONSENT): CustomerState {
  const launchesDue = release.playbooks.flatMap((playbook) =>
    [...release.launches.values()].flatMap((launch) => {
      const at = launchInstant(playbook, launch, release.company);
      return at === null || at < arrivedAt ? [] : [{ playbook: playbook.name, launch: launch.name, at }];
    }),
  );
  return {
    profile,
    arrivedAt,
    identified: true,
    stats: new Map(),
    enrolments: [],
    entries: new Map(),
    timers: new Map(),
    sends: [],
    inFlight: new Map(),
    heldSends: new Set(),
    consent,
    launchesTaken: new Set(),
    launchesDue,
  };
}

/** The rows of one customer: its state, and what of it only the database keeps. */
export class Rows {
  state: CustomerState;
  /** All enrolments ever, the latest standing of each. */
  private readonly enrolments = new Map<string, Enrolment>();

  constructor(state: CustomerState) {
    this.state = state;
  }

  /** Stores changes as the tables do, and reads the customer anew: nothing of the draft lives on but its values. */
  store(changes: Changes, claimed: readonly Send[]): void {
    const { state } = this;
    for (const enrolment of changes.enrolments) this.enrolments.set(enrolmentKey(enrolment), enrolment);
    const sends = new Map(state.sends.map((send) => [sendKey(send), send]));
    for (const { send, status } of changes.sends) {
      if (status === 'planned') sends.set(sendKey(send), send);
      else sends.delete(sendKey(send));
    }
    for (const send of claimed) sends.delete(sendKey(send));
    const asked = new Set(changes.launchesAsked.map(({ playbook, launch }) => launchKey(playbook, launch)));
    this.state = structuredClone({
      ...state,
      profile: changes.profile ?? state.profile,
      stats: new Map([...state.stats, ...changes.stats]),
      enrolments: [...this.enrolments.values()].filter(({ position }) => position.on !== 'ended'),
      entries: this.entries(),
      timers: new Map([...state.timers, ...changes.timers.map((timer) => [timer.playbook, timer] as const)]),
      sends: [...sends.values()],
      launchesDue: state.launchesDue.filter(({ playbook, launch }) => !asked.has(launchKey(playbook, launch))),
    });
  }

  private entries(): ReadonlyMap<string, EntryRecord> {
    const entries = new Map<string, EntryRecord>();
    for (const { playbook, startedAt, entryKey } of this.enrolments.values()) {
      const earlier = entries.get(playbook);
      const isUnique = /^(?:event|manual|start):/.test(entryKey);
      entries.set(playbook, {
        lastStartedAt: Math.max(startedAt, earlier?.lastStartedAt ?? startedAt),
        keys: new Set([...(earlier?.keys ?? []), ...(isUnique ? [] : [entryKey])]),
      });
    }
    return entries;
  }

  /** `PLAYBOOK/LAUNCH` of every launch by which the customer was enrolled. */
  launchesTaken(): readonly string[] {
    return [...this.enrolments.values()].flatMap(({ playbook, entryKey, origin }) =>
      origin.launch === undefined || !entryKey.startsWith('launch:') ? [] : [launchKey(playbook, origin.launch)],
    );
  }
}

/** What production is driven with. */
export interface Run {
  readonly release: Release;
  /** All of one reader. */
  readonly customers: readonly SimulatedCustomer[];
  readonly events: readonly SimulatedEvent[];
  readonly from: Instant;
  readonly until: Instant;
  /** Whether to store and read anew, asked after every piece of work. */
  readonly reopens: () => boolean;
}

/** Runs one reader's customers from `from` to `until` under a stepped clock; gives the lines of their timelines. */
export function produce(run: Run): readonly Line[] {
  const reader = new OneReader(run);
  const events = [...run.events];
  const takeUpTo = (at: Instant): void => {
    while (events[0] !== undefined && events[0].event.at <= at)
      reader.take(...(events.splice(0, 1) as [SimulatedEvent]));
  };
  takeUpTo(run.from - 1);
  reader.work(run.from - 1);
  for (;;) {
    const now = Math.min(events[0]?.event.at ?? Number.POSITIVE_INFINITY, reader.nextDue());
    if (now >= run.until) return reader.close();
    takeUpTo(now);
    reader.work(now);
  }
}

class OneReader {
  private readonly run: Run;
  private readonly ctx: Context;
  private readonly rows: ReadonlyMap<string, Rows>;
  private handedAt: readonly Instant[] = [];
  private drafts: readonly Draft[] = [];
  /** Claimed and not yet settled. */
  private claimed: { readonly draft: Draft; readonly send: Send }[] = [];
  /** Claimed since the last storing: their rows are planned no longer. */
  private taken: { readonly draft: Draft; readonly send: Send }[] = [];
  private readonly lines: Line[] = [];

  constructor(run: Run) {
    this.run = run;
    this.ctx = contextOf(run.release, run.from);
    this.rows = new Map(
      run.customers.map(({ profile, consent }) => [
        profile.id,
        new Rows(newState(profile, run.release, run.from, consent)),
      ]),
    );
    this.open();
  }

  private open(): void {
    const taken = new Set([...this.rows.values()].flatMap((rows) => rows.launchesTaken()));
    const reader = new ReaderLog(this.handedAt);
    this.drafts = [...this.rows.values()].map(({ state }) => {
      const own = this.claimed.filter(({ draft }) => draft.profile.id === state.profile.id);
      const inFlight = new Map(own.map(({ send }) => [sendKey(send), send.dueAt] as const));
      return openDraft({ ...state, launchesTaken: taken, inFlight }, reader);
    });
  }

  private store(): void {
    for (const draft of this.drafts) {
      const changes = changesOf(draft);
      this.lines.push(...changes.lines);
      const taken = this.taken.filter((claim) => claim.draft === draft).map(({ send }) => send);
      this.rows.get(draft.profile.id)?.store(changes, taken);
      this.handedAt = draft.reader.handedAt;
    }
    const { claimed } = this;
    this.taken = [];
    this.open();
    this.claimed = claimed.map(({ draft, send }) => ({ draft: this.draftOf(draft.profile.id), send }));
  }

  private draftOf(customer: string): Draft {
    const draft = this.drafts.find(({ profile }) => profile.id === customer);
    if (draft === undefined) throw new Error(`no customer ${customer}`);
    return draft;
  }

  private afterWork(): void {
    if (this.run.reopens()) this.store();
  }

  take({ customer, event }: SimulatedEvent): void {
    const draft = this.draftOf(customer);
    const starts = event.at >= this.run.from;
    if (starts) runDue([draft], event.at - 1, this.ctx);
    receive(draft, event, { at: event.at, starts }, this.ctx);
    this.afterWork();
  }

  /** Everything that is due at `now`, until nothing is. */
  work(now: Instant): void {
    do {
      runDue(this.drafts, now, this.ctx);
      this.afterWork();
      for (let due = this.firstMail(now); due !== null; due = this.firstMail(now)) {
        if (attempt(due.draft, due.send, now, this.ctx).do === 'hand') {
          this.claimed.push(due);
          this.taken.push(due);
        }
        this.afterWork();
      }
      while (this.claimed.length > 0) {
        const [{ draft, send }] = this.claimed.splice(0, 1) as [(typeof this.claimed)[number]];
        settle(draft, send, { outcome: 'sent', at: now }, this.ctx);
        this.afterWork();
      }
    } while (this.nextDue() <= now);
  }

  /** The order of the language: by due time, priority and playbook, then customer. */
  private firstMail(now: Instant): { readonly draft: Draft; readonly send: Send } | null {
    const due = this.drafts.flatMap((draft) =>
      [...draft.sends.values()]
        .filter((send) => send.dueAt <= now)
        .map((send) => ({
          draft,
          send,
          customer: draft.profile.id,
          age: draft.ageOf(send),
        })),
    );
    due.sort(compareSends(this.run.release));
    return due[0] ?? null;
  }

  nextDue(): Instant {
    const due = this.drafts.flatMap((draft) => [
      ...[...draft.enrolments.values()].map(({ position }) => (position.on === 'time' ? position.dueAt : null)),
      ...[...draft.sends.values()].map(({ dueAt }) => dueAt),
      ...[...draft.timers.values()].map(({ dueAt }) => dueAt),
      ...draft.launchesDue.map(({ at }) => at),
    ]);
    return Math.min(...due.map((at) => at ?? Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  }

  close(): readonly Line[] {
    this.store();
    return this.lines;
  }
}
