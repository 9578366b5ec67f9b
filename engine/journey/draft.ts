/**
 * One customer while it is decided on. The rules beside this file change a draft; `changesOf` says what to store.
 *
 * Kept true throughout:
 * 1. `enrolments` holds the active ones only, each at a step of its own version.
 * 2. `sends` holds the planned ones only; an enrolment in it stands on `mail`.
 * 3. Every change is also in `changed`, so that nothing is saved that did not change.
 */
import type { Instant } from '../time/types.ts';
import { JourneyError } from './errors.ts';
import type { Age, ItemKey } from './order.ts';
import type { ReaderLog } from './reader.ts';
import type {
  Changes,
  Effect,
  CustomerState,
  Enrolment,
  EntryRecord,
  EventStat,
  Line,
  Position,
  Profile,
  Refusal,
  Send,
  SendChange,
  Timer,
  WaitsFor,
} from './types.ts';

export { ReaderLog } from './reader.ts';

/** No honest playbook takes more steps at one instant; more is a circle. docs/architecture.md section 3. */
const MAX_TRANSITIONS_PER_INSTANT = 100;

/** Entry keys that nothing makes a second time: of events, people and steps. */
const UNIQUE_KEY = /^(?:event|manual|start):/;

/** The key of an enrolment among those of its customer. */
export function enrolmentKey(of: { readonly playbook: string; readonly entryKey: string }): string {
  return `${of.playbook}\n${of.entryKey}`;
}

/** The key of a send among those of its customer. */
export function sendKey(of: Pick<Send, 'playbook' | 'entryKey' | 'step' | 'visit'>): string {
  return `${of.playbook}\n${of.entryKey}\n${of.step}\n${of.visit}`;
}

/** A line together with the item that brought it, by which simulations sort. */
export interface OrderedLine {
  readonly line: Line;
  readonly item: ItemKey;
  /** With the line's playbook: whose line it is. Several enrolments of one playbook may be active at once. */
  readonly entryKey: string;
}

/** A customer under decision: opened from its state, changed by the rules, read by `changesOf`. */
export class Draft {
  /** For the store: its own row id or whatever it needs to find the customer again. */
  tag: unknown = null;
  readonly state: CustomerState;
  readonly reader: ReaderLog;
  profile: Profile;
  readonly stats: Map<string, EventStat>;
  readonly enrolments: Map<string, Enrolment>;
  readonly entries: Map<string, EntryRecord>;
  readonly timers: Map<string, Timer>;
  readonly sends: Map<string, Send>;
  readonly inFlight: Map<string, Instant>;
  launchesDue: CustomerState['launchesDue'];
  /** Facts, zone or attributes changed since the timers were last looked at. */
  timersStale = true;
  /** The profile changed since segments were last asked about. */
  segmentsStale = false;
  /** Whether somebody has ever said who the customer is: see `CustomerState`. */
  identified: boolean;
  /** The item under way, for the order of lines. */
  item: ItemKey | null = null;
  lines: OrderedLine[] = [];

  private profileChanged = false;
  private readonly statsChanged = new Set<string>();
  private readonly enrolmentsChanged = new Map<string, Enrolment>();
  /** All enrolments of this run in the order in which they were entered; the stored ones come so. */
  private readonly places = new Map<string, number>();
  private readonly sendsChanged = new Map<string, SendChange>();
  private readonly timersChanged = new Map<string, Timer>();
  private readonly effects: Effect[] = [];
  private readonly codes = new Map<string, string>();
  private readonly awaitingCode = new Set<string>();
  private readonly launchesAsked: { readonly playbook: string; readonly launch: string }[] = [];
  private readonly refusals = new Map<string, Refusal>();
  private transitionsAt: Instant = Number.NaN;
  private transitions = 0;

  constructor(state: CustomerState, reader: ReaderLog) {
    this.state = state;
    this.reader = reader;
    this.profile = state.profile;
    this.identified = state.identified;
    this.stats = new Map(state.stats);
    this.enrolments = new Map(state.enrolments.map((enrolment) => [enrolmentKey(enrolment), enrolment]));
    for (const key of this.enrolments.keys()) this.places.set(key, this.places.size);
    this.entries = new Map(state.entries);
    this.timers = new Map(state.timers);
    this.sends = new Map(state.sends.map((send) => [sendKey(send), send]));
    this.inFlight = new Map(state.inFlight);
    this.launchesDue = state.launchesDue;
    for (const key of state.launchesTaken) reader.launchesTaken.add(key);
  }

  /** The enrolment as it stands now, ended ones of this run included. */
  enrolment(playbook: string, entryKey: string): Enrolment | null {
    const key = enrolmentKey({ playbook, entryKey });
    return this.enrolments.get(key) ?? this.enrolmentsChanged.get(key) ?? null;
  }

  setProfile(profile: Profile): void {
    this.profile = profile;
    this.profileChanged = true;
    this.timersStale = true;
    this.segmentsStale = true;
  }

  setStat(event: string, stat: EventStat): void {
    this.stats.set(event, stat);
    this.statsChanged.add(event);
    this.timersStale = true;
  }

  /** How old the enrolment is among the others. */
  ageOf(of: { readonly playbook: string; readonly entryKey: string }): Age {
    const startedAt = this.enrolment(of.playbook, of.entryKey)?.startedAt ?? 0;
    return { startedAt, place: this.places.get(enrolmentKey(of)) ?? 0 };
  }

  addEnrolment(enrolment: Enrolment): void {
    this.putEnrolment(enrolment);
    this.places.set(enrolmentKey(enrolment), this.places.size);
    const earlier = this.entries.get(enrolment.playbook);
    // Those that are unique by themselves would pile up.
    const lasting = !UNIQUE_KEY.test(enrolment.entryKey);
    const keys = lasting ? new Set(earlier?.keys).add(enrolment.entryKey) : (earlier?.keys ?? new Set<string>());
    const lastStartedAt = Math.max(enrolment.startedAt, earlier?.lastStartedAt ?? Number.NEGATIVE_INFINITY);
    this.entries.set(enrolment.playbook, { lastStartedAt, keys });
  }

  moveEnrolment(enrolment: Enrolment, position: Position): void {
    this.putEnrolment({ ...enrolment, position });
  }

  private putEnrolment(enrolment: Enrolment): void {
    const key = enrolmentKey(enrolment);
    if (enrolment.position.on === 'ended') this.enrolments.delete(key);
    else this.enrolments.set(key, enrolment);
    this.enrolmentsChanged.set(key, enrolment);
  }

  /** Plans a send, or re-dates a planned one; with what an attempt found that it must wait for. */
  planSend(send: Send, waitsFor?: WaitsFor, pacedFrom?: Instant): void {
    this.sends.set(sendKey(send), send);
    const change = { send, status: 'planned' } as const;
    const why = { ...(waitsFor === undefined ? {} : { waitsFor }), ...(pacedFrom === undefined ? {} : { pacedFrom }) };
    this.sendsChanged.set(sendKey(send), { ...change, ...why });
  }

  /** Takes a send out of the planned ones: it is on its way, and the protocol has it. */
  releaseSend(send: Send): void {
    this.sends.delete(sendKey(send));
    this.sendsChanged.delete(sendKey(send));
  }

  /** A send is over: what waits for it goes on. */
  settleSend(send: Send): void {
    this.sends.delete(sendKey(send));
    this.inFlight.delete(sendKey(send));
  }

  /** Ends a planned send without a mail. */
  closeSend(change: Exclude<SendChange, { readonly status: 'planned' }>): void {
    this.sends.delete(sendKey(change.send));
    this.sendsChanged.set(sendKey(change.send), change);
  }

  /** Coupon codes are given from outside, for an enrolment at a step. */
  giveCode(of: Pick<Enrolment, 'playbook' | 'entryKey'>, step: string, code: string): void {
    this.codes.set(`${enrolmentKey(of)}\n${step}`, code);
  }

  /** The code that was given; null: none was. */
  codeFor(of: Pick<Enrolment, 'playbook' | 'entryKey'>, step: string): string | null {
    return this.codes.get(`${enrolmentKey(of)}\n${step}`) ?? null;
  }

  /** It stands at its step until a code is given, which cannot be in this run. */
  awaitCode(of: Pick<Enrolment, 'playbook' | 'entryKey'>): void {
    this.awaitingCode.add(enrolmentKey(of));
  }

  /** Whether it does. */
  awaitsCode(of: Pick<Enrolment, 'playbook' | 'entryKey'>): boolean {
    return this.awaitingCode.has(enrolmentKey(of));
  }

  /** Something to be put on record together with this draft. */
  addEffect(effect: Effect): void {
    this.effects.push(effect);
  }

  setTimer(timer: Timer): void {
    this.timers.set(timer.playbook, timer);
    this.timersChanged.set(timer.playbook, timer);
  }

  /** The customer has been asked about the launch that is first in `launchesDue`. */
  launchAsked(playbook: string, launch: string): void {
    this.launchesDue = this.launchesDue.filter((due) => due.playbook !== playbook || due.launch !== launch);
    this.launchesAsked.push({ playbook, launch });
  }

  /** A trigger fired in vain; of one playbook and reason the last stays. */
  noteRefusal(refusal: Refusal): void {
    this.refusals.set(`${refusal.playbook}\n${refusal.because}`, refusal);
  }

  /** `entryKey` is that of the enrolment, of the line's playbook. */
  addLine(line: Omit<Line, 'customer'>, entryKey: string): void {
    if (this.item === null) throw new Error('a line is written while nothing happens: this is a bug in engine/journey');
    this.lines.push({ line: { ...line, customer: this.profile.id }, item: this.item, entryKey });
  }

  /** Counts a step. @throws JourneyError when one instant sees more than 100. */
  countTransition(at: Instant, enrolment: { readonly playbook: string; readonly entryKey: string }): void {
    if (at !== this.transitionsAt) {
      this.transitionsAt = at;
      this.transitions = 0;
    }
    this.transitions += 1;
    if (this.transitions > MAX_TRANSITIONS_PER_INSTANT) {
      throw new JourneyError(
        'too-many-transitions',
        `more than ${MAX_TRANSITIONS_PER_INSTANT} steps at one instant, last in playbook "${enrolment.playbook}"`,
        { playbook: enrolment.playbook, entryKey: enrolment.entryKey },
      );
    }
  }

  changes(): Changes {
    return {
      profile: this.profileChanged ? this.profile : null,
      stats: new Map([...this.statsChanged].map((event) => [event, this.stats.get(event) as EventStat])),
      enrolments: [...this.enrolmentsChanged.values()],
      sends: [...this.sendsChanged.values()],
      timers: [...this.timersChanged.values()],
      launchesAsked: this.launchesAsked,
      refusals: [...this.refusals.values()],
      effects: this.effects,
      lines: this.lines.map((ordered) => ordered.line),
    };
  }
}

/** Opens a customer for decisions. Customers with one address share one `reader`. */
export function openDraft(state: CustomerState, reader: ReaderLog): Draft {
  return new Draft(state, reader);
}

/** What to store after the rules have run. */
export function changesOf(draft: Draft): Changes {
  return draft.changes();
}
