/** Checks a schedule's recurrence rule. docs/playbooks.md. */
import { readRecurrence } from '../../time/recurrence.ts';
import { everOccurs } from '../../time/schedule.ts';
import type { Loose } from '../read/walk.ts';
import type { TriggerSource } from '../schema.ts';
import type { Checks } from './context.ts';

/** Reports a rule that cannot be read, or never comes. */
export function checkSchedule({ report }: Checks, trigger: Loose<TriggerSource>): void {
  if (!('schedule' in trigger) || trigger.schedule === undefined) return;
  const read = readRecurrence(trigger.schedule);
  if (!read.ok) {
    const { message, fix, start } = read.mistake;
    report.at(trigger, 'schedule', { code: 'bad-recurrence', message, fix }, start);
    return;
  }
  if (everOccurs(read.rule)) return;
  const message = 'the schedule names days that never come';
  report.at(trigger, 'schedule', { code: 'never-occurs', message, fix: 'look at its months, days and UNTIL' });
}
