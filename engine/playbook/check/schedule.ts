/** Checks a schedule's recurrence rule. docs/playbooks.md. */
import { readRecurrence } from '../../time/recurrence.ts';
import { everOccurs } from '../../time/schedule.ts';
import type { Loose } from '../read/walk.ts';
import type { TriggerSource } from '../schema.ts';
import type { Checks } from './context.ts';

/** Reports a rule that cannot be read, never comes, or leaves its weekday to chance. */
export function checkSchedule({ report }: Checks, trigger: Loose<TriggerSource>): void {
  if (!('schedule' in trigger) || trigger.schedule === undefined) return;
  const read = readRecurrence(trigger.schedule);
  if (!read.ok) {
    const { message, fix, start } = read.mistake;
    report.at(trigger, 'schedule', { code: 'bad-recurrence', message, fix }, start);
    return;
  }
  const { rule } = read;
  if (!everOccurs(rule)) {
    const message = 'the schedule names days that never come';
    report.at(trigger, 'schedule', { code: 'never-fires', message, fix: 'look at its months, days and UNTIL' });
  }
  if (rule.frequency !== 'weekly' || rule.byDay.length > 0) return;
  const message = 'the schedule names no weekday, so it comes on Thursdays, as 1 January 1970 was one';
  report.at(trigger, 'schedule', { code: 'no-weekday', level: 'warning', message, fix: 'add such as BYDAY=MO' });
}
