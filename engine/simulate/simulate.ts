/** The virtual clock: the same rules as in production, over customers and events in memory. docs/playbooks.md. */
import { launchInstant } from '../journey/launch.ts';
import { openDraft, ReaderLog, type Draft, type OrderedLine } from '../journey/draft.ts';
import { receive, runDue } from '../journey/run.ts';
import type { Attempt, Consent, Context, CustomerState, Line, Profile } from '../journey/types.ts';
import type { Release } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { readerAddress, type SimulatedCustomer, type SimulatedEvent } from './input.ts';
import { sortLines, type ReaderRun } from './reader-run.ts';

/**
 * What is done to a customer besides events: somebody starts a playbook, changes the profile, or the reader says no.
 * Done after what is due at its instant.
 */
export interface SimulatedAct {
  readonly customer: string;
  readonly at: Instant;
  perform(draft: Draft, ctx: Context): void;
  /** What the reader allows from then on, made from what was allowed before. */
  readonly consent?: (before: Consent) => Consent;
}

/** What a simulation runs over. `from` is inclusive, `until` exclusive. */
export interface Simulation {
  readonly release: Release;
  readonly customers: readonly SimulatedCustomer[];
  /** In the order in which they are received: by `at`, then by line. */
  readonly events: readonly SimulatedEvent[];
  readonly from: Instant;
  readonly until: Instant;
  /** Ascending by `at`, none before `from`. */
  readonly acts?: readonly SimulatedAct[];
  /** See `Context`. Attempts of one reader come in order of time; one reader comes after the other. */
  readonly onAttempt?: Context['onAttempt'];
}

/**
 * The timeline of all customers, in the order of the language. Events before `from` only set facts; triggers of time
 * that were due before it start nothing; events from `until` on are left out.
 */
export function simulate(simulation: Simulation): readonly Line[] {
  const lines: OrderedLine[] = [];
  for (const [run] of simulateReaders(simulation, [simulation.release])) {
    for (const draft of run?.drafts ?? []) for (const line of draft.lines) lines.push(line);
  }
  return sortLines(lines).map((ordered) => ordered.line);
}

/**
 * The same, one reader after the other, and for each one run under each of these releases. Nothing of a reader is
 * kept once it was taken, so that whoever wants totals only needs memory for the input and one reader.
 */
export function* simulateReaders(
  simulation: Omit<Simulation, 'release'>,
  releases: readonly Release[],
): Generator<readonly ReaderRun[]> {
  const eventsOf = new Map<string, SimulatedEvent[]>();
  for (const event of simulation.events) {
    const own = eventsOf.get(event.customer);
    if (own === undefined) eventsOf.set(event.customer, [event]);
    else own.push(event);
  }
  const worlds = releases.map((release) => openWorld({ ...simulation, release }));
  for (const group of byAddress(simulation.customers)) {
    yield worlds.map((world) => simulateGroup(group, eventsOf, world));
  }
}

/** A simulation with what all its readers share. */
interface World extends Simulation {
  readonly ctx: Context;
  readonly launchesDue: CustomerState['launchesDue'];
  /** Where the attempts of the reader under way go. */
  attempts: Attempt[];
}

function openWorld(simulation: Simulation): World {
  const ctx = contextOf(simulation, (attempt) => {
    world.attempts.push(attempt);
    simulation.onAttempt?.(attempt);
  });
  const world: World = { ...simulation, ctx, launchesDue: launchesFrom(simulation), attempts: [] };
  return world;
}

function contextOf(simulation: Simulation, onAttempt: (attempt: Attempt) => void): Context {
  const { release, from } = simulation;
  return {
    release,
    playbookOf: (name) => {
      const playbook = release.byName.get(name);
      if (playbook === undefined) throw new Error(`the release has no playbook "${name}"`);
      return playbook;
    },
    armedFrom: () => from,
    isPaused: () => false,
    handsOverAtOnce: true,
    onAttempt,
  };
}

/** Customers with one address are one reader. Those without a valid one are alone. */
function byAddress(customers: readonly SimulatedCustomer[]): Iterable<readonly SimulatedCustomer[]> {
  const groups = new Map<string, SimulatedCustomer[]>();
  for (const customer of customers) {
    const address = readerAddress(customer);
    const key = address === null ? `id ${customer.profile.id}` : `to ${address}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [customer]);
    else group.push(customer);
  }
  return groups.values();
}

function simulateGroup(
  group: readonly SimulatedCustomer[],
  eventsOf: ReadonlyMap<string, readonly SimulatedEvent[]>,
  world: World,
): ReaderRun {
  const { ctx, from, until } = world;
  world.attempts = [];
  const reader = new ReaderLog();
  const drafts = new Map<string, Draft>();
  const allowed: Allowed = { consent: consentOf(group) };
  for (const { profile } of group) drafts.set(profile.id, openDraft(stateOf(profile, allowed, world), reader));
  const all = [...drafts.values()];
  const acts = (world.acts ?? []).filter(({ customer, at }) => drafts.has(customer) && at < until);
  let acted = 0;
  const actUntil = (end: Instant): void => {
    for (let act = acts[acted]; act !== undefined && act.at < end; act = acts[acted]) {
      runDue(all, act.at, ctx);
      allowed.consent = act.consent?.(allowed.consent) ?? allowed.consent;
      const draft = drafts.get(act.customer);
      if (draft !== undefined) act.perform(draft, ctx);
      acted += 1;
    }
  };
  const events = group.flatMap((customer) => eventsOf.get(customer.profile.id) ?? []);
  if (group.length > 1) events.sort((a, b) => a.event.at - b.event.at || a.line - b.line);
  for (const { event, customer, line } of events) {
    if (event.at >= until) break;
    const draft = drafts.get(customer);
    if (draft === undefined) continue;
    const starts = event.at >= from;
    actUntil(event.at);
    if (starts) runDue(all, event.at - 1, ctx);
    receive(draft, event, { at: event.at, starts, seq: line }, ctx);
  }
  actUntil(until);
  runDue(all, until - 1, ctx);
  return { drafts: all, attempts: world.attempts };
}

/** What the reader of a group allows at present. */
interface Allowed {
  consent: Consent;
}

/** What one of them said holds for the reader, and no means no. */
function consentOf(group: readonly SimulatedCustomer[]): Consent {
  return {
    suppressed: group.some(({ consent }) => consent.suppressed),
    unsubscribed: new Set(group.flatMap(({ consent }) => [...consent.unsubscribed])),
    subscribed: new Set(group.flatMap(({ consent }) => [...consent.subscribed])),
  };
}

function stateOf(profile: Profile, allowed: Allowed, world: World): CustomerState {
  return {
    profile,
    arrivedAt: world.from,
    identified: true,
    stats: statsOf(profile, world),
    enrolments: [],
    entries: new Map(),
    timers: new Map(),
    sends: [],
    inFlight: new Map(),
    heldSends: new Set(),
    get consent() {
      return allowed.consent;
    },
    launchesTaken: new Set(),
    launchesDue: world.launchesDue,
  };
}

/** Orders that a customer is said to have had are events of the past; of unknown date, they count from the start. */
function statsOf(profile: Profile, { release, from }: Simulation): CustomerState['stats'] {
  const { purchase } = release.company;
  if (purchase === null || profile.orders === 0) return new Map();
  const last = profile.last_order_at ?? profile.first_order_at ?? from;
  return new Map([[purchase.event, { first: profile.first_order_at ?? last, last, count: profile.orders }]]);
}

function launchesFrom({ release, from }: Simulation): CustomerState['launchesDue'] {
  const due: { readonly playbook: string; readonly launch: string; readonly at: Instant }[] = [];
  for (const playbook of release.playbooks) {
    for (const launch of release.launches.values()) {
      const at = launchInstant(playbook, launch, release.company);
      if (at !== null && at >= from) due.push({ playbook: playbook.name, launch: launch.name, at });
    }
  }
  return due.sort((a, b) => a.at - b.at);
}
