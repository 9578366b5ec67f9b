/**
 * Timers of `date`, `inactive` and `schedule` triggers: one for each customer and playbook, looking forward only.
 *
 * A timer is a cache of rule, anchor and zone, and `basis` says of which. Inactivity is lazy: an event does not move
 * the timer; when it fires, it looks whether the lapse still holds, and is dated anew if not (docs/architecture.md section 2).
 */
import { addDuration } from '../time/duration.ts';
import { nextTimeOfDay } from '../time/next.ts';
import { nextOccurrence } from '../time/occurrence.ts';
import { nextScheduled } from '../time/schedule.ts';
import { formatInstant, formatLocalDate } from '../time/text.ts';
import type { Instant, LocalDate, Zone } from '../time/types.ts';
import type { Playbook, Trigger } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import { enrol } from './enrol.ts';
import { armSegments } from './segments.ts';
import { triggerKey } from './trigger-key.ts';
import type { Context, Timer } from './types.ts';
import { customerView, zoneOf } from './view.ts';
import { fieldDate } from './waits.ts';

type DateTrigger = Trigger & { readonly kind: 'date' };
type ScheduleTrigger = Trigger & { readonly kind: 'schedule' };
type InactiveTrigger = Trigger & { readonly kind: 'inactive' };

/** Makes or re-dates the timers that no longer fit what is known at `at`. Does nothing when nothing changed. */
export function armTimers(draft: Draft, at: Instant, ctx: Context): void {
  if (!draft.timersStale) return;
  draft.timersStale = false;
  armSegments(draft, at, ctx);
  const zone = zoneOf(draft.profile, ctx.release.company);
  for (const playbook of ctx.release.playbooks) {
    const { trigger } = playbook;
    if (trigger.kind === 'date') armDate(draft, playbook.name, trigger, at, zone, ctx);
    if (trigger.kind === 'inactive') armInactive(draft, playbook.name, trigger, at, zone, ctx);
    if (trigger.kind === 'schedule') armSchedule(draft, playbook.name, trigger, at, zone, ctx);
  }
}

/** From when a timer that is new, or whose rule is, looks forward. */
function lookingFrom(draft: Draft, playbook: string, ctx: Context): Instant {
  return Math.max(draft.state.arrivedAt, ctx.armedFrom(playbook));
}

function armDate(draft: Draft, playbook: string, trigger: DateTrigger, at: Instant, zone: Zone, ctx: Context): void {
  const anchor = dateAnchor(draft, trigger, at, zone, ctx);
  const rule = `${triggerKey(trigger)} ${zone.name}`;
  const basis = `${rule} ${anchor === null ? '-' : formatLocalDate(anchor)}`;
  const timer = draft.timers.get(playbook);
  if (timer?.basis === basis) return;
  const isNew = timer === undefined || timer.basis.slice(0, 8) !== basis.slice(0, 8);
  const earliest = lookingFrom(draft, playbook, ctx);
  const from = isNew ? earliest : Math.max(at, earliest);
  const next = anchor === null ? null : nextOccurrence(trigger.rule, anchor, from, zone);
  draft.setTimer({ playbook, dueAt: next?.at ?? null, basis });
}

function armSchedule(
  draft: Draft,
  playbook: string,
  trigger: ScheduleTrigger,
  at: Instant,
  zone: Zone,
  ctx: Context,
): void {
  const basis = `${triggerKey(trigger)} ${zone.name}`;
  const timer = draft.timers.get(playbook);
  if (timer?.basis === basis) return;
  const isNew = timer === undefined || timer.basis.slice(0, 8) !== basis.slice(0, 8);
  const earliest = lookingFrom(draft, playbook, ctx);
  const next = nextScheduled(trigger.rule, isNew ? earliest : Math.max(at, earliest), zone);
  draft.setTimer({ playbook, dueAt: next?.at ?? null, basis });
}

function dateAnchor(draft: Draft, trigger: DateTrigger, at: Instant, zone: Zone, ctx: Context): LocalDate | null {
  const customer = customerView(draft.profile, ctx.release.company, at);
  return fieldDate(trigger.field, { customer, vars: {}, now: at, zone });
}

function armInactive(
  draft: Draft,
  playbook: string,
  trigger: InactiveTrigger,
  at: Instant,
  zone: Zone,
  ctx: Context,
): void {
  const rule = `${triggerKey(trigger)} ${zone.name}`;
  const timer = draft.timers.get(playbook);
  const sameRule = timer !== undefined && timer.basis.startsWith(`${rule} `);
  // Only another `created_at` can make a lapse earlier; what makes it later is seen when the timer fires.
  if (sameRule && timer.dueAt !== null && !countsFromCreation(draft, trigger)) return;
  const anchor = lastActivity(draft, trigger);
  const basis = `${rule} ${anchor ?? '-'}`;
  if (timer?.basis === basis) return;
  const isNew = timer === undefined || timer.basis.slice(0, 8) !== basis.slice(0, 8);
  const earliest = lookingFrom(draft, playbook, ctx);
  const from = isNew ? earliest : Math.max(at, earliest);
  const lapse = anchor === null ? null : lapseOf(trigger, anchor, zone);
  draft.setTimer({ playbook, dueAt: lapse !== null && lapse >= from ? lapse : null, basis });
}

/** The latest of the awaited events; for one who never had any, `created_at` where `or_never` says so. */
export function lastActivity(draft: Draft, trigger: InactiveTrigger): Instant | null {
  if (countsFromCreation(draft, trigger)) return draft.profile.created_at ?? draft.state.arrivedAt;
  return lastEvent(draft, trigger);
}

function countsFromCreation(draft: Draft, trigger: InactiveTrigger): boolean {
  return trigger.orNever && lastEvent(draft, trigger) === null;
}

function lastEvent(draft: Draft, trigger: InactiveTrigger): Instant | null {
  return trigger.no === 'any' ? draft.profile.last_seen_at : latestOf(draft, trigger.no);
}

function latestOf(draft: Draft, events: readonly string[]): Instant | null {
  let latest: Instant | null = null;
  for (const event of events) {
    const last = draft.stats.get(event)?.last;
    if (last !== undefined && (latest === null || last > latest)) latest = last;
  }
  return latest;
}

/** When a lapse that began at `anchor` starts the playbook. */
export function lapseOf(trigger: InactiveTrigger, anchor: Instant, zone: Zone): Instant {
  const end = addDuration(anchor, trigger.for, zone);
  return trigger.at === null ? end : nextTimeOfDay(end, trigger.at, zone);
}

/** Fires a due timer: enrols where the trigger still holds, and dates the next time. */
export function fireTimer(draft: Draft, timer: Timer, playbook: Playbook, at: Instant, ctx: Context): void {
  const { trigger } = playbook;
  if (trigger.kind === 'date') fireDate(draft, timer, playbook, trigger, at, ctx);
  else if (trigger.kind === 'inactive') fireInactive(draft, timer, playbook, trigger, at, ctx);
  else if (trigger.kind === 'schedule') fireSchedule(draft, timer, playbook, trigger, at, ctx);
  else draft.setTimer({ ...timer, dueAt: null });
}

function fireSchedule(
  draft: Draft,
  timer: Timer,
  playbook: Playbook,
  trigger: ScheduleTrigger,
  at: Instant,
  ctx: Context,
): void {
  const zone = zoneOf(draft.profile, ctx.release.company);
  const due = nextScheduled(trigger.rule, at, zone);
  draft.setTimer({ ...timer, dueAt: nextScheduled(trigger.rule, at, zone, true)?.at ?? null });
  if (due === null || due.at !== at) return;
  const date = formatLocalDate(due.date);
  const origin = { trigger: { count: due.count, date } };
  enrol(draft, playbook, { entryKey: `schedule:${date}`, at, origin }, ctx);
}

function fireDate(
  draft: Draft,
  timer: Timer,
  playbook: Playbook,
  trigger: DateTrigger,
  at: Instant,
  ctx: Context,
): void {
  const zone = zoneOf(draft.profile, ctx.release.company);
  const anchor = dateAnchor(draft, trigger, at, zone, ctx);
  const due = anchor === null ? null : nextOccurrence(trigger.rule, anchor, at, zone);
  const following = anchor === null ? null : nextOccurrence(trigger.rule, anchor, at, zone, true);
  draft.setTimer({ ...timer, dueAt: following?.at ?? null });
  if (due === null || due.at !== at) return;
  const date = formatLocalDate(due.date);
  const origin = { trigger: { count: due.count, date } };
  enrol(draft, playbook, { entryKey: `date:${date}`, at, origin }, ctx);
}

function fireInactive(
  draft: Draft,
  timer: Timer,
  playbook: Playbook,
  trigger: InactiveTrigger,
  at: Instant,
  ctx: Context,
): void {
  const zone = zoneOf(draft.profile, ctx.release.company);
  const anchor = lastActivity(draft, trigger);
  const lapse = anchor === null ? null : lapseOf(trigger, anchor, zone);
  const basis = `${triggerKey(trigger)} ${zone.name} ${anchor ?? '-'}`;
  const moved = lapse !== null && lapse > at;
  draft.setTimer({ playbook: timer.playbook, dueAt: moved ? lapse : null, basis });
  if (moved || anchor === null) return;
  enrol(draft, playbook, { entryKey: `lapse:${formatInstant(anchor)}`, at, origin: {} }, ctx);
}
