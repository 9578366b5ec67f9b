import type { ConditionEnv } from '../cel/context.ts';
import type { Loose } from '../read/walk.ts';
import type { PlaybookSource, TriggerSource } from '../schema.ts';
import { type Checks, checkCondition, checkEvent, checkMoment, hint, playbookEnv, withEvent } from './context.ts';
import { checkSchedule } from './schedule.ts';
import { checkSteps, checkTopic } from './steps.ts';
import { varRecords } from './vars.ts';

type LoosePlaybook = Loose<PlaybookSource>;
type LooseTrigger = Loose<TriggerSource>;

/** What exits and goals have in common. */
interface EventOrCondition {
  readonly event?: string | undefined;
  readonly if?: string | undefined;
}

function checkDateTrigger(checks: Checks, trigger: LooseTrigger, env: ConditionEnv): void {
  if (!('date' in trigger) || trigger.date === undefined) return;
  checkMoment(checks, trigger, 'date', trigger.date, env);
}

function checkInactive(checks: Checks, trigger: LooseTrigger): void {
  if (!('inactive' in trigger) || trigger.inactive === undefined) return;
  const { no } = trigger.inactive;
  if (no === undefined || no === 'any') return;
  if (typeof no === 'string') checkEvent(checks, trigger.inactive, 'no', no);
  else for (const [i, event] of no.entries()) checkEvent(checks, no, i, event);
}

function checkLaunchTrigger({ report, names }: Checks, trigger: LooseTrigger): void {
  if (
    !('launch' in trigger) ||
    trigger.launch === undefined ||
    trigger.launch === 'any' ||
    names.launches.has(trigger.launch)
  )
    return;
  const fix = hint(trigger.launch, names.launches.keys(), `write playbooks/launches/${trigger.launch}.yaml`);
  report.at(trigger, 'launch', { code: 'unknown-launch', message: `there is no launch \`${trigger.launch}\``, fix });
}

function checkSegment(checks: Checks, trigger: LooseTrigger, env: ConditionEnv): void {
  checkCondition(checks, trigger, 'segment', { ...env, vars: false });
  const condition = checks.resolved.conditions.get(trigger)?.get('segment');
  if (condition?.usesTime !== true) return;
  const message = 'a segment may not depend on the time: nothing changes when it merely passes';
  const fix =
    condition.reads.has('customer.stage') && checks.names.stageUsesTime
      ? 'some of the stages in perennial.yaml depend on the time: ask for what they ask for, or use an `inactive` or `date` trigger'
      : 'use an `inactive` or `date` trigger, or ask for the time in `audience:`';
  checks.report.at(trigger, 'segment', { code: 'segment-uses-time', message, fix });
}

function checkTrigger(checks: Checks, trigger: LooseTrigger, env: ConditionEnv): void {
  if ('event' in trigger) {
    checkEvent(checks, trigger, 'event', trigger.event);
    checkCondition(checks, trigger, 'if', { ...env, vars: false });
  }
  checkDateTrigger(checks, trigger, env);
  checkInactive(checks, trigger);
  checkLaunchTrigger(checks, trigger);
  if ('segment' in trigger) {
    checkSegment(checks, trigger, env);
  }
  checkSchedule(checks, trigger);
}

function checkEnds(checks: Checks, source: LoosePlaybook, env: ConditionEnv): void {
  const ends: readonly (EventOrCondition | undefined)[] = [...(source.exit ?? []), source.goal];
  for (const end of ends) {
    if (end === undefined) continue;
    const isEvent = 'event' in end;
    const seen = isEvent ? withEvent(env, end.event, checkEvent(checks, end, 'event', end.event)) : env;
    checkCondition(checks, end, 'if', seen);
  }
}

/** Checks what a playbook names: fields, events, topics, templates, launches, playbooks and conditions. */
export function checkPlaybook(checks: Checks, source: LoosePlaybook): void {
  const env = {
    ...playbookEnv(checks, source.trigger),
    varRecords: varRecords(source.steps ?? [], checks.names.tracked),
  };
  if (source.trigger !== undefined) checkTrigger(checks, source.trigger, env);
  checkTopic(checks, source, source.topic);
  checkCondition(checks, source, 'audience', { ...env, vars: false });
  checkEnds(checks, source, env);
  checkSteps({ ...checks, env, topic: 'topic' in source ? (source.topic ?? '') : undefined }, source.steps ?? []);
}
