/**
 * Segment triggers: the last known answer to each condition is kept for each customer, and a change that turns it from
 * false to true starts the playbook. docs/playbooks.md.
 *
 * 1. The answer stands in the row of a timer that is never due, written in the transaction of the change: nothing is lost
 *    or doubled.
 * 2. An answer to a rule that was never asked before (a new playbook, a new customer, another condition) is taken for
 *    granted: triggers look forward. Whoever changes a profile has called `armSegments` before.
 */
import type { Playbook, Release, Trigger } from '../playbook/types.ts';
import { formatInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import type { Draft } from './draft.ts';
import type { Start } from './entry.ts';
import { triggerKey } from './trigger-key.ts';
import type { Context } from './types.ts';
import { scopeOf } from './view.ts';

type SegmentPlaybook = Playbook & { readonly trigger: Extract<Trigger, { readonly kind: 'segment' }> };

const ofRelease = new WeakMap<Release, readonly SegmentPlaybook[]>();

/** In the order of the language. */
function segmentsOf(release: Release): readonly SegmentPlaybook[] {
  let segments = ofRelease.get(release);
  if (segments === undefined) {
    segments = release.playbooks.filter((playbook): playbook is SegmentPlaybook => playbook.trigger.kind === 'segment');
    ofRelease.set(release, segments);
  }
  return segments;
}

/** Another condition is another rule, and so is one that was away for a while: nobody kept its answers meanwhile. */
function ruleOf(playbook: SegmentPlaybook, ctx: Context): string {
  return `${triggerKey(playbook.trigger)} ${ctx.armedFrom(playbook.name)}`;
}

/** Asks about rules that this customer was never asked about. Starts nothing. */
export function armSegments(draft: Draft, at: Instant, ctx: Context): void {
  const unknown = segmentsOf(ctx.release).filter(
    (playbook) => draft.timers.get(playbook.name)?.basis.startsWith(`${ruleOf(playbook, ctx)} `) !== true,
  );
  ask(draft, unknown, at, ctx);
}

/** Takes what is true now for granted: history and arriving customers start nothing. */
export function acceptSegments(draft: Draft, at: Instant, ctx: Context): void {
  draft.segmentsStale = false;
  ask(draft, segmentsOf(ctx.release), at, ctx);
}

/** The playbooks whose conditions the changes since the last call have turned true, in the order of the language. */
export function turnedSegments(draft: Draft, at: Instant, ctx: Context): readonly Playbook[] {
  if (!draft.segmentsStale) return [];
  draft.segmentsStale = false;
  return ask(draft, segmentsOf(ctx.release), at, ctx);
}

/** Notes the present answers; gives those that were false before and are true now. */
function ask(draft: Draft, segments: readonly SegmentPlaybook[], at: Instant, ctx: Context): readonly Playbook[] {
  if (segments.length === 0) return [];
  const scope = scopeOf(draft.profile, ctx.release, at);
  return segments.filter((playbook) => {
    const rule = ruleOf(playbook, ctx);
    const before = draft.timers.get(playbook.name)?.basis;
    const isTrue = playbook.trigger.when.test(scope);
    const basis = `${rule} ${isTrue ? 'true' : 'false'}`;
    if (basis !== before) draft.setTimer({ playbook: playbook.name, dueAt: null, basis });
    return isTrue && before === `${rule} false`;
  });
}

/** The start of a playbook whose segment has just turned. One instant can see several turns. */
export function segmentStart(draft: Draft, playbook: Playbook, at: Instant): Start {
  const taken = draft.entries.get(playbook.name)?.keys;
  const plain = `segment:${formatInstant(at)}`;
  let entryKey = plain;
  for (let turn = 2; taken?.has(entryKey) === true; turn += 1) entryKey = `${plain}/${turn}`;
  return { entryKey, at, origin: {} };
}
