import type { ConditionEnv, Fields } from '../cel/context.ts';
import { compileCondition } from '../condition.ts';
import { anyLaunchFields, type Declarations } from '../declarations.ts';
import { nearest } from '../nearest.ts';
import type { Report } from '../read/report.ts';
import type { Loose } from '../read/walk.ts';
import type { TriggerSource } from '../schema.ts';
import type { Condition, FieldRef, FieldType } from '../types.ts';

/** What checking finds out and building needs: conditions compiled and fields typed, by where they were written. */
export interface Resolved {
  readonly conditions: WeakMap<object, ReadonlyMap<string, Condition>>;
  readonly fields: WeakMap<object, FieldRef>;
}

/** What checks of one file share. */
export interface Checks {
  readonly report: Report;
  readonly names: Declarations;
  readonly resolved: Resolved;
}

/** Starts with nothing resolved. */
export function nothingResolved(): Resolved {
  return { conditions: new WeakMap(), fields: new WeakMap() };
}

/** The hint for a misspelt name among known ones: the nearest, else how to declare it. */
export function hint(name: string, known: Iterable<string>, declare: string): string {
  const near = nearest(name, known);
  return near === null ? declare : `did you mean \`${near}\`?`;
}

/** Compiles the condition under a key, if there is one, and keeps it for building. */
export function checkCondition({ report, resolved }: Checks, owner: object, key: string, env: ConditionEnv): void {
  const source = (owner as Readonly<Record<string, unknown>>)[key];
  if (typeof source !== 'string') return;
  const compiled = compileCondition(source, env);
  if (!compiled.ok) {
    for (const { code, message, fix, start } of compiled.errors) report.at(owner, key, { code, message, fix }, start);
    return;
  }
  resolved.conditions.set(owner, new Map([...(resolved.conditions.get(owner) ?? []), [key, compiled.condition]]));
}

/** Checks the name of an event under a key; gives its fields, or null when it is none. */
export function checkEvent(
  { report, names }: Checks,
  owner: object,
  key: string | number,
  event: string | undefined,
): Fields | null {
  if (event === undefined) return null;
  const fields = names.events.get(event);
  if (fields !== undefined) return fields;
  const fix = hint(event, names.events.keys(), 'declare it under `events:` in perennial.yaml');
  report.at(owner, key, { code: 'unknown-event', message: `the event \`${event}\` is declared nowhere`, fix });
  return null;
}

/** Checks a field such as `customer.renewal_date`, which must be a date or datetime, and keeps its type for building. */
export function checkMoment(
  { report, resolved }: Checks,
  owner: object,
  key: string,
  written: string,
  env: ConditionEnv,
): void {
  const [root, name] = written.split('.') as [FieldRef['root'], string];
  const fields = root === 'customer' ? env.customer : root === 'event' ? (env.event?.fields ?? null) : env.launch;
  if (fields === null) {
    report.at(owner, key, {
      code: 'unknown-field',
      message: `there is no \`${root}\` in this playbook: its trigger is another`,
    });
    return;
  }
  const type = fields.get(name);
  const moments = [...fields]
    .filter(([, other]) => other === 'date' || other === 'datetime')
    .map(([field]) => `${root}.${field}`);
  if (type === undefined) {
    const fix = hint(written, moments, 'declare it in perennial.yaml');
    report.at(owner, key, { code: 'unknown-field', message: `\`${written}\` is declared nowhere`, fix });
  } else if (type !== 'date' && type !== 'datetime') {
    const fix = `there are ${moments.map((field) => `\`${field}\``).join(', ')}`;
    report.at(owner, key, { code: 'wrong-type', message: `\`${written}\` is no date: it is declared as ${type}`, fix });
  } else resolved.fields.set(owner, { root, name, type: type satisfies FieldType });
}

function launchEnv({ names }: Checks, launch: string | undefined): Fields {
  const one = launch === undefined || launch === 'any' ? undefined : names.launches.get(launch);
  return one ?? anyLaunchFields(names.launches.values());
}

/** The same place in a playbook, with another event in question. */
export function withEvent(env: ConditionEnv, name: string | undefined, fields: Fields | null): ConditionEnv {
  return { ...env, event: { name: name ?? '', fields } };
}

/** What conditions of a playbook see, by its trigger. With a trigger that could not be read, anything may be there. */
export function playbookEnv(checks: Checks, trigger: Loose<TriggerSource> | undefined): ConditionEnv {
  const { names } = checks;
  const env = {
    customer: names.customer,
    event: null,
    launch: null,
    trigger: false,
    vars: true,
    stage: { usesTime: names.stageUsesTime },
  };
  if (trigger === undefined)
    return withEvent({ ...env, launch: launchEnv(checks, 'any'), trigger: true }, undefined, null);
  if ('event' in trigger) return withEvent(env, trigger.event, names.events.get(trigger.event ?? '') ?? null);
  if ('launch' in trigger) return { ...env, launch: launchEnv(checks, trigger.launch) };
  return { ...env, trigger: 'date' in trigger || 'schedule' in trigger };
}
