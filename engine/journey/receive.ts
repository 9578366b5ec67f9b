/** What one event does. docs/playbooks.md: facts, goals before exits, `wait_for`, triggers. */
import { isWithin } from '../time/span.ts';
import type { Instant } from '../time/types.ts';
import type { Condition, Playbook, Release } from '../playbook/types.ts';
import { advance, stepOf } from './advance.ts';
import type { Draft } from './draft.ts';
import { endEnrolment } from './end.ts';
import { enrol, enrolTurned } from './enrol.ts';
import { compareAges, compareText, priorityOf, RANK } from './order.ts';
import { acceptSegments, segmentStart, turnedSegments } from './segments.ts';
import { ANSWERED, answers, scoreOf, withScore } from './survey.ts';
import { armTimers } from './timers.ts';
import type { Context, CustomerEvent, Enrolment, Profile } from './types.ts';
import { scopeOf, zoneOf } from './view.ts';

/** How an event is taken. */
export interface Receipt {
  /** The event's own time, or the business time where that is earlier: nothing happens ahead of time. */
  readonly at: Instant;
  /** False for history: facts only, and the caller arms the timers: facts of the past date nothing from the past. */
  readonly starts: boolean;
  /** For an event that came too late to start anything: whether it still ends and continues. Default: as `starts`. */
  readonly ends?: boolean;
  /** The order in which it was received, among events of one instant; for simulations. */
  readonly seq?: number;
}

/** Takes one event. The caller first runs what was due before it: `runDue([draft], at - 1)`. */
export function receive(draft: Draft, event: CustomerEvent, receipt: Receipt, ctx: Context): void {
  const { at } = receipt;
  draft.item = {
    at,
    rank: RANK.event,
    seq: receipt.seq ?? 0,
    priority: 0,
    playbook: '',
    customer: draft.profile.id,
  };
  noteFacts(draft, event, at, ctx.release);
  if (!receipt.starts) acceptSegments(draft, at, ctx);
  const turned = new Set(turnedSegments(draft, at, ctx));
  if (receipt.ends ?? receipt.starts) {
    endByGoals(draft, event, at, ctx);
    endByExits(draft, event, at, ctx);
    continueWaits(draft, event, at, ctx);
  }
  if (!receipt.starts) return;
  startByEvent(draft, event, turned, at, ctx);
  enrolTurned(draft, at, ctx);
  armTimers(draft, at, ctx);
}

function noteFacts(draft: Draft, event: CustomerEvent, at: Instant, release: Release): void {
  const stat = draft.stats.get(event.event);
  draft.setStat(event.event, {
    first: Math.min(at, stat?.first ?? at),
    last: Math.max(at, stat?.last ?? at),
    count: (stat?.count ?? 0) + 1,
  });
  const { profile } = draft;
  const seen = {
    ...profile,
    last_seen_at: Math.max(at, profile.last_seen_at ?? at),
    satisfaction: satisfactionAfter(profile, event, at, stat?.last ?? at),
  };
  const { purchase } = release.company;
  if (purchase === null || purchase.event !== event.event) {
    draft.setProfile(seen);
    return;
  }
  const amount = purchase.amount === null ? null : event.data[purchase.amount];
  draft.setProfile({
    ...seen,
    orders: profile.orders + 1,
    spent: profile.spent + (typeof amount === 'number' ? amount : 0),
    first_order_at: Math.min(at, profile.first_order_at ?? at),
    last_order_at: Math.max(at, profile.last_order_at ?? at),
  });
}

/** The latest score; an answer that comes in after a later one changes nothing. */
function satisfactionAfter(profile: Profile, event: CustomerEvent, at: Instant, latest: Instant): number | null {
  const score = event.event === ANSWERED && at >= latest ? scoreOf(event) : null;
  return score ?? profile.satisfaction;
}

/** Active enrolments that began at or before the event, in the language's order, the older first. */
function standing(draft: Draft, at: Instant, release: Release): readonly Enrolment[] {
  return [...draft.enrolments.values()]
    .filter((enrolment) => enrolment.startedAt <= at)
    .sort(
      (a, b) =>
        priorityOf(release, b.playbook) - priorityOf(release, a.playbook) ||
        compareText(a.playbook, b.playbook) ||
        compareAges(draft.ageOf(a), draft.ageOf(b)),
    );
}

function holds(
  condition: Condition | null,
  draft: Draft,
  enrolment: Enrolment,
  event: CustomerEvent,
  at: Instant,
  ctx: Context,
): boolean {
  if (condition === null) return true;
  const { origin, vars } = enrolment;
  return condition.test(scopeOf(draft.profile, ctx.release, at, { origin, event, vars }));
}

function endByGoals(draft: Draft, event: CustomerEvent, at: Instant, ctx: Context): void {
  const zone = zoneOf(draft.profile, ctx.release.company);
  for (const enrolment of standing(draft, at, ctx.release)) {
    const { goal } = ctx.playbookOf(enrolment.playbook, enrolment.version);
    if (goal === null || goal.event !== event.event) continue;
    if (goal.within !== null && !isWithin(at, enrolment.startedAt, goal.within, zone)) continue;
    if (!holds(goal.if, draft, enrolment, event, at, ctx)) continue;
    endEnrolment(draft, enrolment, { how: 'goal', at, reason: null });
  }
}

function endByExits(draft: Draft, event: CustomerEvent, at: Instant, ctx: Context): void {
  for (const enrolment of standing(draft, at, ctx.release)) {
    const { exits } = ctx.playbookOf(enrolment.playbook, enrolment.version);
    const leaves = exits.some(
      (exit) => exit.kind === 'event' && exit.event === event.event && holds(exit.if, draft, enrolment, event, at, ctx),
    );
    if (leaves) endEnrolment(draft, enrolment, { how: 'exit', at, reason: `event ${event.event}` });
  }
}

/** Ends the waits of enrolments that wait for this event: `wait_for`, and surveys for their answer. */
export function continueWaits(draft: Draft, event: CustomerEvent, at: Instant, ctx: Context): void {
  // Taken before any of them runs on: one event ends one wait of an enrolment, not the next one as well.
  for (const enrolment of standing(draft, at, ctx.release)) {
    const now = draft.enrolment(enrolment.playbook, enrolment.entryKey);
    if (now !== enrolment || now.position.on !== 'time' || now.position.ready) continue;
    // While a playbook is paused, a wait that has ended stands there still; what comes after its end is too late.
    if (now.position.dueAt < at) continue;
    const playbook = ctx.playbookOf(now.playbook, now.version);
    const step = stepOf(playbook, now.position.step, now);
    if (step.kind === 'survey' && answers(step, event)) {
      advance(draft, withScore(now, step, scoreOf(event)), step.then, at, ctx);
    }
    if (step.kind !== 'wait_for' || step.event !== event.event) continue;
    if (holds(step.if, draft, now, event, at, ctx)) advance(draft, now, step.then, at, ctx);
  }
}

/** One playbook after the other, whether the event itself starts it or its facts have `turned` the segment. */
function startByEvent(
  draft: Draft,
  event: CustomerEvent,
  turned: ReadonlySet<Playbook>,
  at: Instant,
  ctx: Context,
): void {
  const isFirst = draft.stats.get(event.event)?.count === 1;
  for (const playbook of ctx.release.playbooks) {
    const { trigger } = playbook;
    if (turned.has(playbook)) enrol(draft, playbook, segmentStart(draft, playbook, at), ctx);
    if (trigger.kind !== 'event' || trigger.event !== event.event) continue;
    if (trigger.first && !isFirst) continue;
    const origin = { event };
    if (trigger.if !== null && !trigger.if.test(scopeOf(draft.profile, ctx.release, at, { origin }))) continue;
    enrol(draft, playbook, { entryKey: `event:${event.id}`, at, origin }, ctx);
  }
}
