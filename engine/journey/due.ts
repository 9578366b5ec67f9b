/** What of a customer is due first. */
import type { Playbook } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import { sendKey, type Draft } from './draft.ts';
import { compareAges, compareItems, priorityOf, RANK, type Age, type ItemKey } from './order.ts';
import type { Context, Enrolment, Send, Timer } from './types.ts';

/** One thing that is due, and its place in the order of the language. */
export type DueItem = { readonly key: ItemKey } & (
  | { readonly kind: 'wait'; readonly enrolment: Enrolment }
  | { readonly kind: 'mail'; readonly send: Send }
  | { readonly kind: 'timer'; readonly timer: Timer; readonly playbook: Playbook }
  | { readonly kind: 'launch'; readonly playbook: Playbook | null; readonly launch: string; readonly name: string }
);

/** The customer's earliest item, whenever it is due; null when nothing waits. Paused playbooks wait on. */
export function earliest(draft: Draft, ctx: Context): DueItem | null {
  let best: DueItem | null = null;
  const offer = (item: DueItem): void => {
    if (best === null || compareDue(draft, item, best) < 0) best = item;
  };
  for (const enrolment of draft.enrolments.values()) {
    const { position } = enrolment;
    if (position.on !== 'time' || ctx.isPaused(enrolment.playbook) || draft.awaitsCode(enrolment)) continue;
    offer({ kind: 'wait', enrolment, key: keyOf(draft, ctx, enrolment.playbook, position.dueAt, RANK.wait) });
  }
  if (ctx.handsOverAtOnce === true) {
    for (const send of draft.sends.values()) {
      if (ctx.isPaused(send.playbook)) continue;
      offer({ kind: 'mail', send, key: keyOf(draft, ctx, send.playbook, send.dueAt, RANK.wait) });
    }
  }
  for (const timer of draft.timers.values()) {
    const playbook = ctx.release.byName.get(timer.playbook);
    if (timer.dueAt === null || playbook === undefined) continue;
    if (awaitsMail(draft, playbook.name, timer.dueAt, ctx)) continue;
    offer({ kind: 'timer', timer, playbook, key: keyOf(draft, ctx, timer.playbook, timer.dueAt, RANK.trigger) });
  }
  for (const { playbook: name, launch, at } of draft.launchesDue) {
    const playbook = ctx.release.byName.get(name) ?? null;
    offer({ kind: 'launch', playbook, name, launch, key: keyOf(draft, ctx, name, at, RANK.trigger) });
  }
  return best;
}

/**
 * Whether a mail of the playbook that was due by then is about to be tried, or on its way. What is due comes before
 * triggers of time, and a mail may be the last step of an enrolment in whose way the trigger would be. Only while it
 * moves: not for a mail that is held, paused, or waits for its window, a cap or another attempt.
 */
function awaitsMail(draft: Draft, playbook: string, at: Instant, ctx: Context): boolean {
  if (ctx.handsOverAtOnce === true || ctx.isPaused(playbook)) return false;
  for (const { playbook: of, entryKey, position } of draft.enrolments.values()) {
    if (of !== playbook || position.on !== 'mail') continue;
    const key = sendKey({ playbook, entryKey, step: position.step, visit: 0 });
    const planned = draft.sends.get(key);
    const dueAt = planned === undefined ? draft.inFlight.get(key) : planned.dueAt;
    if (dueAt !== undefined && dueAt <= at && !draft.state.heldSends.has(key)) return true;
  }
  return false;
}

function keyOf(draft: Draft, ctx: Context, playbook: string, at: number, rank: number): ItemKey {
  const priority = priorityOf(ctx.release, playbook);
  return { at, rank, seq: 0, priority, playbook, customer: draft.profile.id };
}

/** Of parallel enrolments the older goes first. */
function compareDue(draft: Draft, a: DueItem, b: DueItem): number {
  return compareItems(a.key, b.key) || compareAges(ageOf(draft, a), ageOf(draft, b));
}

/** Triggers have no enrolment yet, and none of them is due twice at one instant. */
function ageOf(draft: Draft, item: DueItem): Age {
  if (item.kind === 'wait') return draft.ageOf(item.enrolment);
  return item.kind === 'mail' ? draft.ageOf(item.send) : { startedAt: 0, place: 0 };
}
