/** Carries one enrolment on, step by step, until it must wait or ends. docs/playbooks.md. */
import { addDuration } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Playbook, Scope, Step } from '../playbook/types.ts';
import { decide, reportAttempt } from './attempt.ts';
import type { Draft } from './draft.ts';
import { takeCoupon } from './coupon.ts';
import { addEffect } from './effects.ts';
import { endEnrolment } from './end.ts';
import { isActive } from './entry.ts';
import { JourneyError } from './errors.ts';
import type { Next } from './next.ts';
import { splitArm } from './split.ts';
import { startByStep, startBySegments } from './start.ts';
import { afterMail, lineOfMail } from './survey.ts';
import type { Context, Enrolment, Send } from './types.ts';
import { scopeOf, zoneOf } from './view.ts';
import { endOfWait } from './waits.ts';

/** Steps that print nothing when their own `if` skips them. */
const SILENT: ReadonlySet<Step['kind']> = new Set(['wait', 'wait_for', 'if', 'choose', 'split', 'start']);

/** Runs the enrolment from the step `from` on, at the instant `at`; right after it, what it has started. */
export function advance(draft: Draft, enrolment: Enrolment, from: string | null, at: Instant, ctx: Context): void {
  const started: Enrolment[] = [];
  walk(draft, enrolment, from, at, ctx, started);
  for (const entered of started) {
    // One of them may have been restarted by the next.
    if (isActive(draft, entered)) advance(draft, entered, firstStep(entered), at, ctx);
  }
}

function firstStep({ position }: Enrolment): string | null {
  return position.on === 'ended' ? null : position.step;
}

/** Carries one enrolment to its next wait or its end; whom it starts goes into `started`. */
function walk(
  draft: Draft,
  entered: Enrolment,
  from: string | null,
  at: Instant,
  ctx: Context,
  started: Enrolment[],
): void {
  let enrolment = entered;
  const playbook = ctx.playbookOf(enrolment.playbook, enrolment.version);
  let stepId = from;
  for (;;) {
    started.push(...startBySegments(draft, at, ctx));
    // What it has started may have been itself anew.
    if (!isActive(draft, enrolment)) return;
    if (stepId === null) {
      draft.moveEnrolment(enrolment, { on: 'ended', how: 'complete', at, reason: null });
      draft.addLine({ at, playbook: playbook.name, do: 'complete' }, enrolment.entryKey);
      return;
    }
    const step = stepOf(playbook, stepId, enrolment);
    if (ctx.isPaused(playbook.name)) {
      draft.moveEnrolment(enrolment, { on: 'time', step: step.id, dueAt: at, ready: true });
      return;
    }
    draft.countTransition(at, enrolment);
    const next = take(draft, enrolment, playbook, step, at, ctx, started);
    if (next === 'stays') return;
    enrolment = next.enrolment ?? enrolment;
    stepId = next.to;
  }
}

/** The step of that id. @throws JourneyError when the version has none: a release was tampered with. */
export function stepOf(playbook: Playbook, stepId: string, enrolment: Enrolment): Step {
  const step = playbook.steps.get(stepId);
  if (step !== undefined) return step;
  throw new JourneyError('unknown-step', `playbook "${playbook.name}" has no step "${stepId}" in this version`, {
    playbook: enrolment.playbook,
    entryKey: enrolment.entryKey,
  });
}

function take(
  draft: Draft,
  enrolment: Enrolment,
  playbook: Playbook,
  step: Step,
  at: Instant,
  ctx: Context,
  started: Enrolment[],
): Next {
  const scope = scopeOf(draft.profile, ctx.release, at, enrolment);
  const leaves = playbook.exits.some((exit) => exit.kind === 'condition' && exit.if.test(scope));
  if (leaves) {
    endEnrolment(draft, enrolment, { how: 'exit', at, reason: 'condition' });
    return 'stays';
  }
  if (step.guard !== null && !step.guard.test(scope)) {
    if (!SILENT.has(step.kind)) {
      const line = { at, playbook: playbook.name, step: step.id, do: 'skip', reason: 'condition' } as const;
      draft.addLine(line, enrolment.entryKey);
    }
    return { to: step.next };
  }
  // An edit may have put a step that is done after where the customer stands: nobody gets the same mail twice.
  if (enrolment.done?.has(step.id) === true) return { to: step.next };
  if (step.kind === 'start') {
    started.push(...startByStep(draft, enrolment, step, at, ctx));
    return { to: step.next };
  }
  return carryOut(draft, enrolment, step, at, scope, ctx);
}

function carryOut(
  draft: Draft,
  enrolment: Enrolment,
  step: Exclude<Step, { readonly kind: 'start' }>,
  at: Instant,
  scope: Scope,
  ctx: Context,
): Next {
  const line = (done: 'set' | 'tag' | 'untag'): Next => {
    draft.addLine({ at, playbook: enrolment.playbook, step: step.id, do: done }, enrolment.entryKey);
    return { to: step.next };
  };
  switch (step.kind) {
    case 'email':
    case 'survey':
      return mail(draft, enrolment, step, at, ctx);
    case 'wait': {
      const end = endOfWait(step.wait, at, scope);
      return 'past' in end ? pastWait(draft, enrolment, step, at) : waitUntil(draft, enrolment, step, end.until, at);
    }
    case 'wait_for':
      return waitUntil(draft, enrolment, step, addDuration(at, step.upTo, scope.zone), at);
    case 'if':
      return { to: step.when.test(scope) ? step.then : step.else };
    case 'choose': {
      const arm = step.arms.find((candidate) => candidate.when === null || candidate.when.test(scope));
      return { to: arm === undefined ? step.next : arm.first };
    }
    case 'split':
      return { to: splitArm(enrolment.playbook, step.id, draft.profile.id, step.arms).first };
    case 'set':
      draft.setProfile({ ...draft.profile, attributes: { ...draft.profile.attributes, ...step.values } });
      return line('set');
    case 'tag':
      if (!draft.profile.tags.includes(step.tag)) setTags(draft, [...draft.profile.tags, step.tag]);
      return line('tag');
    case 'untag':
      setTags(
        draft,
        draft.profile.tags.filter((tag) => tag !== step.tag),
      );
      return line('untag');
    case 'coupon':
      return takeCoupon(draft, enrolment, step, at, ctx);
    case 'task':
    case 'webhook':
      addEffect(draft, enrolment, step, at, scope);
      return { to: step.next };
    case 'exit':
      endEnrolment(draft, enrolment, { how: 'exit', at, reason: step.reason });
      return 'stays';
  }
}

function setTags(draft: Draft, tags: readonly string[]): void {
  draft.setProfile({ ...draft.profile, tags });
}

function waitUntil(draft: Draft, enrolment: Enrolment, step: Step, until: Instant, at: Instant): Next {
  // "Goes on at once when now is exactly that time"; a wait_for never ends where it begins.
  if (until <= at && step.kind === 'wait') return { to: step.next };
  draft.moveEnrolment(enrolment, { on: 'time', step: step.id, dueAt: until, ready: false });
  return 'stays';
}

function pastWait(draft: Draft, enrolment: Enrolment, step: Step & { readonly kind: 'wait' }, at: Instant): Next {
  if (step.wait.kind !== 'field' || step.wait.ifPast === 'continue') return { to: step.next };
  endEnrolment(draft, enrolment, { how: 'exit', at, reason: 'past' });
  return 'stays';
}

function mail(
  draft: Draft,
  enrolment: Enrolment,
  step: Step & { readonly kind: 'email' | 'survey' },
  at: Instant,
  ctx: Context,
): Next {
  const send: Send = {
    id: null,
    playbook: enrolment.playbook,
    entryKey: enrolment.entryKey,
    step: step.id,
    visit: 0,
    template: step.template,
    topic: step.topic.name,
    transactional: step.topic.transactional,
    ask: step.kind === 'survey' ? step.ask : null,
    firstDueAt: at,
    dueAt: at,
  };
  const standing: Enrolment = { ...enrolment, position: { on: 'mail', step: step.id } };
  draft.moveEnrolment(enrolment, standing.position);
  draft.planSend(send);
  return ctx.handsOverAtOnce === true ? tryNow(draft, standing, step, send, at, ctx) : 'stays';
}

/** Simulation: the attempt is the hand-over. */
export function tryNow(draft: Draft, enrolment: Enrolment, step: Step, send: Send, at: Instant, ctx: Context): Next {
  const decision = decide(draft, send, at, ctx);
  reportAttempt(draft, send, at, decision, ctx);
  const { playbook } = send;
  switch (decision.do) {
    case 'hand':
      draft.releaseSend(send);
      if (!send.transactional) draft.reader.add(at);
      draft.addLine({ at, playbook, step: send.step, do: lineOfMail(send), template: send.template }, send.entryKey);
      return afterMail(draft, enrolment, step, at, zoneOf(draft.profile, ctx.release.company));
    case 'skip':
      draft.closeSend({ send, status: 'skipped', reason: decision.reason, at });
      draft.addLine({ at, playbook, step: send.step, do: 'skip', reason: decision.reason }, send.entryKey);
      return { to: step.next };
    case 'defer':
      draft.planSend({ ...send, dueAt: decision.dueAt });
      return 'stays';
  }
}
