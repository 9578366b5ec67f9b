/** Until when a wait lasts. docs/playbooks.md. */
import { addDuration } from '../time/duration.ts';
import { addDays, addMonths, atTime, localDate, startOfDay } from '../time/local.ts';
import { nextTimeOfDay } from '../time/next.ts';
import { parseInstant, parseLocalDate, TimeSyntaxError } from '../time/text.ts';
import type { Duration, Instant, LocalDate, TimeOfDay } from '../time/types.ts';
import type { FieldRef, Scope, WaitRule } from '../playbook/types.ts';

/** When a wait that begins at `at` ends, or that the date it names is past (or missing). */
export type WaitEnd = { readonly until: Instant } | { readonly past: true };

const PAST: WaitEnd = { past: true };

/** Reads the rule once, at the instant at which the wait begins. */
export function endOfWait(rule: WaitRule, at: Instant, scope: Scope): WaitEnd {
  const { zone } = scope;
  switch (rule.kind) {
    case 'for':
      return { until: addDuration(at, rule.duration, zone) };
    case 'time':
      return { until: nextTimeOfDay(at, rule.at, zone, rule.weekday) };
    case 'day':
      return notPast(atTime(rule.date, rule.at, zone), at);
    case 'field': {
      const moment = fieldMoment(rule.field, scope, rule.offset, rule.at);
      return moment === null ? PAST : notPast(moment, at);
    }
  }
}

function notPast(until: Instant, at: Instant): WaitEnd {
  return until < at ? PAST : { until };
}

/** The field's moment, moved by `offset`, and set to `at` on its local day where that is given. */
function fieldMoment(field: FieldRef, scope: Scope, offset: Duration | null, at: TimeOfDay | null): Instant | null {
  const { zone } = scope;
  if (at === null && field.type !== 'date') {
    const moment = fieldInstant(field, scope);
    return moment === null || offset === null ? moment : addDuration(moment, offset, zone);
  }
  const day = fieldDate(field, scope);
  if (day === null) return null;
  const moved = offset === null ? day : addDays(addMonths(day, offset.months), offset.days);
  return (at === null ? startOfDay(moved, zone) : atTime(moved, at, zone)) + (offset?.ms ?? 0);
}

/**
 * The local day of a field of type date or datetime. Null when it is missing, or no such value: conditions take what
 * is not of the declared type as missing, too.
 */
export function fieldDate(field: FieldRef, scope: Scope): LocalDate | null {
  if (field.type !== 'date') {
    const moment = fieldInstant(field, scope);
    return moment === null ? null : localDate(moment, scope.zone);
  }
  const value = scope[field.root]?.[field.name];
  return typeof value === 'string' ? orNull(() => parseLocalDate(value)) : null;
}

function fieldInstant(field: FieldRef, scope: Scope): Instant | null {
  const value = scope[field.root]?.[field.name];
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? orNull(() => parseInstant(value)) : null;
}

function orNull<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TimeSyntaxError) return null;
    throw error;
  }
}
