/**
 * The pure core: what production, `simulate` and the tests of playbooks all call (docs/architecture.md P5).
 * None of it reads a clock, a disk or a database; all of it works on drafts.
 */
import type { Instant } from '../time/types.ts';
import type { Json, Step } from '../playbook/types.ts';
import { advance, stepOf, tryNow } from './advance.ts';
import { decide, reportAttempt } from './attempt.ts';
import { sendKey, type Draft } from './draft.ts';
import { earliest, type DueItem } from './due.ts';
import { endEnrolment } from './end.ts';
import { enrol, enrolTurned } from './enrol.ts';
import { launchKey } from './launch.ts';
import { compareItems, RANK, type ItemKey } from './order.ts';
import { byReader } from './reader.ts';
import { acceptSegments } from './segments.ts';
import { afterMail, lineOfMail } from './survey.ts';
import { armTimers, fireTimer } from './timers.ts';
import type { Context, Decision, Enrolment, EntryRefusal, PaceWait, Profile, Send, Settlement } from './types.ts';
import { zoneOf } from './view.ts';

export { continueWaits, receive } from './receive.ts';
export { compareSends } from './order.ts';

/**
 * Carries out everything that is due up to and including `upTo`, each at its own due time and in the order of the
 * language. Customers that share an address are run together, so that caps see one reader.
 */
export function runDue(drafts: readonly Draft[], upTo: Instant, ctx: Context): void {
  for (const draft of drafts) armTimers(draft, upTo, ctx);
  for (const group of byReader(drafts)) runGroup(group, upTo, ctx);
}

function runGroup(group: readonly Draft[], upTo: Instant, ctx: Context): void {
  for (;;) {
    let first: { readonly draft: Draft; readonly item: DueItem } | null = null;
    for (const draft of group) {
      const item = earliest(draft, ctx);
      if (item === null || item.key.at > upTo) continue;
      if (first === null || compareItems(item.key, first.item.key) < 0) first = { draft, item };
    }
    if (first === null) return;
    carryOutItem(first.draft, first.item, ctx);
  }
}

function carryOutItem(draft: Draft, item: DueItem, ctx: Context): void {
  const { at } = item.key;
  draft.item = item.key;
  switch (item.kind) {
    case 'wait':
      endWait(draft, item.enrolment, at, ctx);
      break;
    case 'mail':
      tryAgain(draft, item.send, at, ctx);
      break;
    case 'timer':
      fireTimer(draft, item.timer, item.playbook, at, ctx);
      break;
    case 'launch':
      askAtLaunch(draft, item, at, ctx);
      break;
  }
  armTimers(draft, at, ctx);
}

function endWait(draft: Draft, enrolment: Enrolment, at: Instant, ctx: Context): void {
  const { position } = enrolment;
  if (position.on !== 'time') return;
  const step = stepOf(ctx.playbookOf(enrolment.playbook, enrolment.version), position.step, enrolment);
  const next = step.kind === 'wait_for' || step.kind === 'survey' ? step.else : step.next;
  advance(draft, enrolment, position.ready ? step.id : next, at, ctx);
}

/** Simulation: a mail whose window or cap had to be waited for. */
function tryAgain(draft: Draft, send: Send, at: Instant, ctx: Context): void {
  const found = standingOn(draft, send, ctx);
  if (found === null) throw new Error(`no enrolment stands on the planned mail "${send.step}": this is a bug`);
  const next = tryNow(draft, found.enrolment, found.step, send, at, ctx);
  if (next !== 'stays') advance(draft, found.enrolment, next.to, at, ctx);
}

function askAtLaunch(draft: Draft, item: DueItem & { readonly kind: 'launch' }, at: Instant, ctx: Context): void {
  draft.launchAsked(item.name, item.launch);
  const key = launchKey(item.name, item.launch);
  if (item.playbook === null || draft.reader.launchesTaken.has(key)) return;
  const origin = { launch: item.launch };
  const obstacle = enrol(draft, item.playbook, { entryKey: `launch:${item.launch}`, at, origin }, ctx);
  if (obstacle === null) draft.reader.launchesTaken.add(key);
}

/** The enrolment that waits for this very send, and the step on which it stands. */
function standingOn(draft: Draft, send: Send, ctx: Context): { enrolment: Enrolment; step: Step } | null {
  const enrolment = draft.enrolment(send.playbook, send.entryKey);
  if (enrolment === null || enrolment.position.on !== 'mail' || enrolment.position.step !== send.step) return null;
  const step = stepOf(ctx.playbookOf(enrolment.playbook, enrolment.version), send.step, enrolment);
  return { enrolment, step };
}

function itemOf(draft: Draft, at: Instant, playbook: string, rank: number): ItemKey {
  return { at, rank, seq: 0, priority: 0, playbook, customer: draft.profile.id };
}

/**
 * Profile or attributes changed from outside. What then lies in the past starts nothing; timers are re-dated. Segments
 * that it turns start, unless the customer arrives with it or `starts` is false (history). The caller first runs what
 * was due before.
 */
export function updateProfile(
  draft: Draft,
  patch: Partial<Profile>,
  at: Instant,
  ctx: Context,
  how: { readonly starts: boolean } = { starts: true },
): void {
  draft.item = itemOf(draft, at, '', RANK.event);
  const attributes = { ...draft.profile.attributes, ...patch.attributes };
  draft.setProfile({ ...draft.profile, ...patch, attributes });
  if (how.starts && draft.identified) enrolTurned(draft, at, ctx);
  else acceptSegments(draft, at, ctx);
  draft.identified = true;
  armTimers(draft, at, ctx);
}

/**
 * Decides whether a due send may be claimed at `at`. `hand` counts at once against the reader's caps; `defer` re-dates
 * the send; after a `skip` the enrolment goes on.
 */
export function attempt(draft: Draft, send: Send, at: Instant, ctx: Context): Decision {
  const decision = decide(draft, send, at, ctx);
  reportAttempt(draft, send, at, decision, ctx);
  draft.item = itemOf(draft, at, send.playbook, RANK.wait);
  switch (decision.do) {
    case 'hand':
      draft.releaseSend(send);
      draft.inFlight.set(sendKey(send), send.dueAt);
      if (!send.transactional) draft.reader.add(at);
      break;
    case 'defer':
      draft.planSend({ ...send, dueAt: decision.dueAt }, decision.because);
      break;
    case 'skip':
      draft.closeSend({ send, status: 'skipped', reason: decision.reason, at });
      draft.addLine(
        { at, playbook: send.playbook, step: send.step, do: 'skip', reason: decision.reason },
        send.entryKey,
      );
      goOn(draft, send, { handed: false, at }, ctx);
      break;
  }
  if (decision.do !== 'hand') fireWaiting(draft, send.playbook, at, ctx);
  return decision;
}

/**
 * Puts a mail that may go off until `until`, after `at`, since its pace does not let it go yet. `pacedFrom` is when it was
 * due before that, so that what waits for too long is late (`decide` asked with that time).
 */
export function putOff(
  draft: Draft,
  send: Send,
  { until, waitsFor, pacedFrom }: { readonly until: Instant; readonly waitsFor: PaceWait; readonly pacedFrom: Instant },
  at: Instant,
  ctx: Context,
): void {
  draft.item = itemOf(draft, at, send.playbook, RANK.wait);
  draft.planSend({ ...send, dueAt: until }, waitsFor, pacedFrom);
  fireWaiting(draft, send.playbook, at, ctx);
}

/** A trigger of time may have waited for a mail of its playbook (due.ts). */
function fireWaiting(draft: Draft, playbook: string, at: Instant, ctx: Context): void {
  const dueAt = draft.timers.get(playbook)?.dueAt ?? null;
  if (dueAt !== null && dueAt <= at) runDue([draft], at, ctx);
}

/** How an open mail ended; its enrolment goes on from then, unless it ended in the meantime. */
export function settle(draft: Draft, send: Send, settlement: Settlement, ctx: Context): void {
  const { at } = settlement;
  const handed = settlement.outcome !== 'failed';
  draft.item = itemOf(draft, at, send.playbook, RANK.wait);
  draft.settleSend(send);
  if (handed) {
    const line = { at, playbook: send.playbook, step: send.step, do: lineOfMail(send), template: send.template };
    draft.addLine(line, send.entryKey);
  }
  goOn(draft, send, { handed, at }, ctx);
  fireWaiting(draft, send.playbook, at, ctx);
}

function goOn(
  draft: Draft,
  send: Send,
  { handed, at }: { readonly handed: boolean; readonly at: Instant },
  ctx: Context,
): void {
  const found = standingOn(draft, send, ctx);
  if (found === null) return;
  armTimers(draft, at, ctx);
  const { enrolment, step } = found;
  const zone = zoneOf(draft.profile, ctx.release.company);
  const next = handed ? afterMail(draft, enrolment, step, at, zone) : { to: step.next };
  if (next !== 'stays') advance(draft, enrolment, next.to, at, ctx);
  armTimers(draft, at, ctx);
}

/** Enrols by hand, subject to the playbook's own entry rules. `entryKey` is `manual:ID` with a unique ID. */
export function enterByHand(
  draft: Draft,
  playbookName: string,
  how: { readonly entryKey: string; readonly at: Instant; readonly vars: Readonly<Record<string, Json>> },
  ctx: Context,
): EntryRefusal {
  const playbook = ctx.release.byName.get(playbookName);
  if (playbook === undefined) throw new Error(`the release has no playbook "${playbookName}"`);
  if (!playbook.manual) return { entered: false, because: 'not manual' };
  draft.item = itemOf(draft, how.at, playbookName, RANK.event);
  armTimers(draft, how.at, ctx);
  const obstacle = enrol(draft, playbook, { ...how, origin: {} }, ctx);
  armTimers(draft, how.at, ctx);
  if (obstacle === null) return { entered: true };
  return { entered: false, because: obstacle === 'taken' ? 'not again' : obstacle };
}

/** Ends active enrolments at a person's word; their planned mails are cancelled. Returns how many ended. */
export function cancelEnrolments(
  draft: Draft,
  which: { readonly playbook: string | null; readonly at: Instant; readonly reason: string },
): number {
  const chosen = [...draft.enrolments.values()].filter(
    (enrolment) => which.playbook === null || enrolment.playbook === which.playbook,
  );
  for (const enrolment of chosen) {
    draft.item = itemOf(draft, which.at, enrolment.playbook, RANK.event);
    endEnrolment(draft, enrolment, { how: 'cancel', at: which.at, reason: which.reason });
  }
  return chosen.length;
}
