/** What of a customer is due first. */
import type { Playbook } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import { compareItems, priorityOf, RANK, type ItemKey } from './order.ts';
import type { Context, Enrolment, Send, Timer } from './types.ts';

/** One thing that is due, and its place in the order of the language. */
export type DueItem = {
  readonly key: ItemKey;
  /** Of its enrolment; 0 where there is none yet. */
  readonly startedAt: number;
} & (
  | { readonly kind: 'wait'; readonly enrolment: Enrolment }
  | { readonly kind: 'mail'; readonly send: Send }
  | { readonly kind: 'timer'; readonly timer: Timer; readonly playbook: Playbook }
  | { readonly kind: 'launch'; readonly playbook: Playbook | null; readonly launch: string; readonly name: string }
);

/** The customer's earliest item, whenever it is due; null when nothing waits. Paused playbooks wait on. */
export function earliest(draft: Draft, ctx: Context): DueItem | null {
  let best: DueItem | null = null;
  const offer = (item: DueItem): void => {
    if (best === null || compareDue(item, best) < 0) best = item;
  };
  for (const enrolment of draft.enrolments.values()) {
    const { position } = enrolment;
    if (position.on !== 'time' || ctx.isPaused(enrolment.playbook)) continue;
    const { startedAt } = enrolment;
    const key = keyOf(draft, ctx, enrolment.playbook, position.dueAt, RANK.wait);
    offer({ kind: 'wait', enrolment, startedAt, key });
  }
  if (ctx.handsOverAtOnce === true) {
    for (const send of draft.sends.values()) {
      if (ctx.isPaused(send.playbook)) continue;
      const startedAt = draft.enrolment(send.playbook, send.entryKey)?.startedAt ?? 0;
      offer({ kind: 'mail', send, startedAt, key: keyOf(draft, ctx, send.playbook, send.dueAt, RANK.wait) });
    }
  }
  for (const timer of draft.timers.values()) {
    const playbook = ctx.release.byName.get(timer.playbook);
    if (timer.dueAt === null || playbook === undefined) continue;
    const key = keyOf(draft, ctx, timer.playbook, timer.dueAt, RANK.trigger);
    offer({ kind: 'timer', timer, playbook, startedAt: 0, key });
  }
  for (const { playbook: name, launch, at } of draft.launchesDue) {
    const playbook = ctx.release.byName.get(name) ?? null;
    const key = keyOf(draft, ctx, name, at, RANK.trigger);
    offer({ kind: 'launch', playbook, name, launch, startedAt: 0, key });
  }
  return best;
}

function keyOf(draft: Draft, ctx: Context, playbook: string, at: number, rank: number): ItemKey {
  const priority = priorityOf(ctx.release, playbook);
  return { at, rank, seq: 0, priority, playbook, customer: draft.profile.id };
}

/** Of parallel enrolments the older goes first. */
function compareDue(a: DueItem, b: DueItem): number {
  return compareItems(a.key, b.key) || a.startedAt - b.startedAt;
}
