/** Until when a wait lasts. PLAYBOOKS section 5. */
import { addDuration } from '../time/duration.ts';
import { addDays, addMonths, atTime, localDate, startOfDay } from '../time/local.ts';
import { nextTimeOfDay } from '../time/next.ts';
import { parseInstant, parseLocalDate } from '../time/text.ts';
import type { Duration, Instant, LocalDate, TimeOfDay, Zone } from '../time/types.ts';
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
  const value = fieldValue(field, scope);
  const { zone } = scope;
  if (value === null) return null;
  if (at === null) {
    const base = field.type === 'date' ? startOfDay(dateOf(field, value, zone), zone) : instantOf(value);
    return offset === null ? base : addDuration(base, offset, zone);
  }
  const day = dateOf(field, value, zone);
  const moved = offset === null ? day : addDays(addMonths(day, offset.months), offset.days);
  return atTime(moved, at, zone) + (offset?.ms ?? 0);
}

/** What the scope has for the field; null when it is missing. */
export function fieldValue(field: FieldRef, scope: Scope): string | number | null {
  const value = scope[field.root]?.[field.name];
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** The local day of a field of type date or datetime. */
export function dateOf(field: FieldRef, value: string | number, zone: Zone): LocalDate {
  return field.type === 'date' ? parseLocalDate(String(value)) : localDate(instantOf(value), zone);
}

function instantOf(value: string | number): Instant {
  return typeof value === 'number' ? value : parseInstant(value);
}
