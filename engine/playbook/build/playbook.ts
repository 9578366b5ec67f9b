/** Makes a playbook from a source in which no mistake was found. */
import { readRecurrence } from '../../time/recurrence.ts';
import type { DateRule, LeapDay, ScheduleRule } from '../../time/types.ts';
import type { Resolved } from '../check/context.ts';
import type { StepPlace } from '../check/ids.ts';
import type { PlaybookSource, TriggerSource } from '../schema.ts';
import type { Company, Condition, Entry, Exit, FieldRef, Goal, Playbook, Step, Topic, Trigger } from '../types.ts';
import { linkSteps } from './step.ts';
import { buildWindow } from './window.ts';

/** A playbook's source, checked, with what checking found out. */
export interface CheckedPlaybook {
  readonly name: string;
  readonly version: string;
  readonly source: PlaybookSource;
  readonly resolved: Resolved;
  readonly places: ReadonlyMap<object, StepPlace>;
}

/** The company, and what of its defaults only builds playbooks. */
export interface Defaults {
  readonly company: Company;
  readonly leapDay: LeapDay;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} was let through unchecked`);
  return value;
}

function conditionOf(resolved: Resolved, owner: object, key: string): Condition {
  return found(resolved.conditions.get(owner)?.get(key), `a condition under ${key}`);
}

function optionalCondition(
  resolved: Resolved,
  owner: { readonly [key: string]: unknown } | object,
  key: string,
): Condition | null {
  return resolved.conditions.get(owner)?.get(key) ?? null;
}

function fieldOf(resolved: Resolved, owner: object): FieldRef {
  return found(resolved.fields.get(owner), 'a field');
}

function dateRule(source: Extract<TriggerSource, { readonly date: string }>, { company, leapDay }: Defaults): DateRule {
  const isBirthday = source.date === 'customer.birthday';
  const every = source.every ?? (isBirthday ? { months: 12 } : 'once');
  // docs/playbooks.md: a birthday fires every year and counts years; by the month it is a date like any other.
  const birthday = isBirthday && every !== 'once' && every.months % 12 === 0;
  return { every, birthday, offset: source.offset ?? null, at: source.at ?? company.at, leapDay };
}

function segmentTrigger(when: Condition, { stages }: Company): Trigger {
  const asksForStage = when.reads.has('customer.stage');
  const written = asksForStage ? JSON.stringify(stages.map((stage) => [stage.name, stage.when.source])) : null;
  return { kind: 'segment', when, stages: written };
}

function scheduleRule(
  source: Extract<TriggerSource, { readonly schedule: string }>,
  { company }: Defaults,
): ScheduleRule {
  const read = readRecurrence(source.schedule);
  if (!read.ok) throw new Error(`a recurrence rule was let through unchecked: ${read.mistake.message}`);
  return { recurrence: read.rule, at: source.at ?? company.at };
}

function buildTrigger({ source, resolved }: CheckedPlaybook, defaults: Defaults): Trigger {
  const { trigger } = source;
  if ('event' in trigger) {
    return {
      kind: 'event',
      event: trigger.event,
      first: trigger.first ?? false,
      if: optionalCondition(resolved, trigger, 'if'),
    };
  }
  if ('date' in trigger) return { kind: 'date', field: fieldOf(resolved, trigger), rule: dateRule(trigger, defaults) };
  if ('inactive' in trigger) {
    const { no, for: duration, or_never: inside } = trigger.inactive;
    const events = no === 'any' ? no : typeof no === 'string' ? [no] : no;
    return {
      kind: 'inactive',
      no: events,
      for: duration,
      at: trigger.at ?? null,
      orNever: inside ?? trigger.or_never ?? false,
    };
  }
  if ('launch' in trigger) return { kind: 'launch', launch: trigger.launch, before: trigger.before ?? null };
  if ('segment' in trigger) return segmentTrigger(conditionOf(resolved, trigger, 'segment'), defaults.company);
  if ('schedule' in trigger) return { kind: 'schedule', rule: scheduleRule(trigger, defaults) };
  return { kind: 'manual' };
}

/** docs/playbooks.md: never for first events and dates that come once, else always. */
function defaultAgain(trigger: Trigger): Entry['again'] {
  const isOnce =
    (trigger.kind === 'event' && trigger.first) || (trigger.kind === 'date' && trigger.rule.every === 'once');
  return isOnce ? 'never' : 'always';
}

function buildExit(resolved: Resolved, exit: NonNullable<PlaybookSource['exit']>[number]): Exit {
  if ('event' in exit) return { kind: 'event', event: exit.event, if: optionalCondition(resolved, exit, 'if') };
  return { kind: 'condition', if: conditionOf(resolved, exit, 'if') };
}

function buildGoal(resolved: Resolved, goal: PlaybookSource['goal']): Goal | null {
  if (goal === undefined) return null;
  return { event: goal.event, if: optionalCondition(resolved, goal, 'if'), within: goal.within ?? null };
}

function topicNamed(company: Company, name: string): Topic {
  return found(Object.hasOwn(company.topics, name) ? company.topics[name] : undefined, `the topic ${name}`);
}

function buildSteps(
  { source, resolved, places }: CheckedPlaybook,
  company: Company,
): Pick<Playbook, 'first' | 'steps'> {
  const steps = new Map<string, Step>();
  const linking = {
    steps,
    placeOf: (step: object) => found(places.get(step), 'a step'),
    conditionOf: (owner: object, key: string) => conditionOf(resolved, owner, key),
    fieldOf: (owner: object) => fieldOf(resolved, owner),
    topicOf: (name: string | undefined) => topicNamed(company, found(name ?? source.topic, 'a mail without a topic')),
  };
  const first = linkSteps(linking, source.steps, null);
  return { first, steps: new Map([...steps].sort(([, a], [, b]) => a.index - b.index)) };
}

/** Whether a person may start it: always, unless `manual: false` stands in the playbook or its trigger. */
function mayBeManual({ manual, trigger }: PlaybookSource): boolean {
  return trigger.manual ?? manual ?? true;
}

/** Builds the playbook that the engine runs. Throws only where checking has let a mistake through. */
export function buildPlaybook(checked: CheckedPlaybook, defaults: Defaults): Playbook {
  const { name, version, source, resolved } = checked;
  const { company } = defaults;
  const trigger = buildTrigger(checked, defaults);
  return {
    name,
    version,
    title: source.title ?? name,
    description: source.description ?? null,
    stage: source.stage ?? null,
    topic: source.topic === undefined ? null : topicNamed(company, source.topic),
    priority: source.priority ?? 0,
    trigger,
    manual: mayBeManual(source),
    audience: optionalCondition(resolved, source, 'audience'),
    entry: {
      again: source.entry?.again ?? defaultAgain(trigger),
      ifActive: source.entry?.if_active ?? 'ignore',
      holdout: source.entry?.holdout ?? 0,
    },
    exits: (source.exit ?? []).map((exit) => buildExit(resolved, exit)),
    goal: buildGoal(resolved, source.goal),
    sendWindow: source.send_window === undefined ? company.sendWindow : buildWindow(source.send_window),
    lateAfter: source.late_after ?? company.lateAfter,
    unknownPolicy: source.unknown ?? null,
    inFlight: source.in_flight ?? 'pin',
    renamed: source.renamed ?? {},
    ...buildSteps(checked, company),
  };
}
