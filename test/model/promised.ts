/**
 * The model: what was promised so far, and what the other side received. Made of the test's own acts and answers; it
 * knows nothing of the engine's rules but the promises themselves (docs/architecture.md section 1).
 */
import type { ClaimedSend } from '../../engine/store/claim.ts';
import type { Instant } from '../../engine/time/types.ts';
import { CAPS, circleOf, THANKS_HOURS, ZONES } from './company.ts';

/** What a worker has in its memory: lost when it crashes. */
export interface Hand {
  claimed: ClaimedSend[];
  handed: ClaimedSend[];
  /** Whose hand-over was refused: still to be reported as withheld. */
  withheld: ClaimedSend[];
  /** Its connections are being ended: whatever it does now may fail. */
  killed: boolean;
}

/** A mail whose last bytes went out. `refused`: the server said no, so the reader never had it. */
export interface HandedMail {
  readonly mail: ClaimedSend;
  readonly at: Instant;
  refused: boolean;
}

/** No mail that `forbids` may be handed over by whoever asks after `since` and is answered before `until`. */
interface Ban {
  readonly why: string;
  readonly forbids: (mail: ClaimedSend) => boolean;
  readonly since: number;
  until: number;
}

/** All that was promised, of one run. */
export interface Promised {
  /** Business now. */
  now: Instant;
  /** Counts acts and answers, so that before and after can be told apart. */
  moment: number;
  /** Acts for which there was nothing to be done. */
  idle: number;
  readonly hands: readonly Hand[];
  /** The customers of each circle, by their ids in the database. */
  readonly members: Map<string, readonly number[]>;
  /** What the SMTP side received, in order; and the same by mail and by address. */
  readonly received: HandedMail[];
  readonly receivedOf: Map<number, HandedMail[]>;
  readonly receivedAt: Map<string, HandedMail[]>;
  /** Mails whose hand-over may have been granted to a worker that did not live to hear of it. */
  readonly unheard: Set<number>;
  /** By circle, '' for what concerns all, and why. */
  readonly bans: Map<string, Map<string, Ban>>;
  /** Topics that an address has chosen again, as `ADDRESS TOPIC`: having left all topics does not forbid them. */
  readonly chosen: Set<string>;
  /** Pauses, by scope. */
  readonly paused: Set<string>;
  /** Enrolments ended by a person or a refund: they never live again. */
  readonly ended: Set<number>;
  /** Ids of events for which an answer was given. */
  readonly answered: Set<string>;
  /** Ids of events that a person discarded. */
  readonly discarded: Set<string>;
  /** How often a person had an unknown mail sent again. */
  readonly resentByHand: Map<number, number>;
}

/** Nothing was promised yet. */
export function nothingPromised(now: Instant, workers: number): Promised {
  return {
    now,
    moment: 0,
    idle: 0,
    hands: Array.from({ length: workers }, () => ({ claimed: [], handed: [], withheld: [], killed: false })),
    members: new Map(),
    received: [],
    receivedOf: new Map(),
    receivedAt: new Map(),
    unheard: new Set(),
    bans: new Map(),
    chosen: new Set(),
    paused: new Set(),
    ended: new Set(),
    answered: new Set(),
    discarded: new Set(),
    resentByHand: new Map(),
  };
}

/** The next moment: of an act that has committed, of a question that is about to be asked. */
export function nextMoment(promised: Promised): number {
  promised.moment += 1;
  return promised.moment;
}

/** From now on, until lifted, such mail of the circle ('': of all) is forbidden. The act has committed. */
export function ban(promised: Promised, circle: string, why: string, forbids: Ban['forbids']): void {
  const bans = promised.bans.get(circle) ?? new Map<string, Ban>();
  promised.bans.set(circle, bans);
  if (bans.get(why)?.until === Infinity) return;
  bans.set(why, { why, forbids, since: nextMoment(promised), until: Infinity });
}

/** The act that allows it again is about to begin. */
export function liftBan(promised: Promised, circle: string, why: string): void {
  const found = promised.bans.get(circle)?.get(why);
  if (found !== undefined) found.until = nextMoment(promised);
}

/** @throws Error when mail was got, by asking at the moment `askedAt`, that was forbidden then and still is. */
function expectAllowed({ bans, moment }: Promised, mail: ClaimedSend, askedAt: number, what: string): void {
  for (const circle of new Set(['', circleOf(mail.profile.id)])) {
    for (const { why, forbids, since, until } of bans.get(circle)?.values() ?? []) {
      if (since < askedAt && moment < until && forbids(mail)) {
        throw new Error(`mail ${mail.sendId} (${mail.send.playbook}, ${mail.address}) was ${what} in spite of ${why}`);
      }
    }
  }
}

/** The end of these enrolments has committed. */
export function endedForGood(promised: Promised, circle: string, enrolmentIds: readonly number[]): void {
  for (const id of enrolmentIds) {
    promised.ended.add(id);
    ban(promised, circle, `the end of enrolment ${id}`, (mail) => mail.enrolment.id === id);
  }
}

/** A mail was claimed by asking at the moment `askedAt`: never early, inside its window, not forbidden. @throws Error when not. */
export function expectClaim(promised: Promised, mail: ClaimedSend, askedAt: number): void {
  const { send, profile } = mail;
  expectAllowed(promised, mail, askedAt, 'claimed');
  if (send.dueAt > promised.now) throw new Error(`mail ${mail.sendId} was claimed before it was due`);
  if (send.playbook !== 'thanks') return;
  const offset = ZONES.get(profile.timezone ?? 'UTC');
  if (offset === undefined) throw new Error(`the model knows no zone "${profile.timezone}"`);
  const hour = (((promised.now / 3_600_000 + offset) % 24) + 24) % 24;
  if (hour < THANKS_HOURS.from || hour >= THANKS_HOURS.until) {
    throw new Error(`mail ${mail.sendId} was claimed at hour ${hour} of ${profile.timezone}, outside its window`);
  }
}

/**
 * The SMTP side received a mail: the hand-over was asked for at the moment `askedAt`, and granted.
 * @throws Error when a promise is broken by it.
 */
export function receive(promised: Promised, mail: ClaimedSend, askedAt: number): void {
  const { received, receivedOf, receivedAt, now } = promised;
  expectAllowed(promised, mail, askedAt, 'handed over');
  const earlier = receivedOf.get(mail.sendId)?.[0];
  if (earlier !== undefined && earlier.mail.messageId !== mail.messageId) {
    throw new Error(`mail ${mail.sendId} went out under two Message-IDs`);
  }
  const handed = { mail, at: now, refused: false };
  received.push(handed);
  receivedOf.set(mail.sendId, [...(receivedOf.get(mail.sendId) ?? []), handed]);
  receivedAt.set(mail.address, [...(receivedAt.get(mail.address) ?? []), handed]);
  if (mail.lane === 'bulk') expectUnderCaps(promised, mail.address);
}

/** Copies of one mail count once, at the latest: they carry one Message-ID, and the row says how many there may be. */
function expectUnderCaps({ receivedAt, now }: Promised, address: string): void {
  for (const { atMost, perMs } of CAPS) {
    const within = (receivedAt.get(address) ?? []).filter(
      ({ mail, at, refused }) => mail.lane === 'bulk' && !refused && at > now - perMs,
    );
    const mails = new Set(within.map(({ mail }) => mail.sendId));
    if (mails.size > atMost) {
      throw new Error(
        `${address} received ${mails.size} mails in ${perMs / 3_600_000} hours: ${[...mails].join(', ')}`,
      );
    }
  }
}

/** The server refused this hand-over after all: nothing was received. */
export function refused(promised: Promised, mail: ClaimedSend): void {
  const found = promised.receivedOf.get(mail.sendId)?.find((one) => one.mail.fence === mail.fence);
  if (found !== undefined) found.refused = true;
}
