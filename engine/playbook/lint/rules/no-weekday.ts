import { readRecurrence } from '../../../time/recurrence.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

function* find({ playbooks }: LintContext): Generator<Finding> {
  for (const text of playbooks) {
    const { trigger } = text.source;
    const read = 'schedule' in trigger ? readRecurrence(trigger.schedule) : null;
    if (read?.ok !== true || read.rule.frequency !== 'weekly' || read.rule.byDay.length > 0) continue;
    const message = 'the schedule names no weekday, so it comes on Thursdays, as 1 January 1970 was one';
    yield findingAt(text, { owner: trigger, key: 'schedule' }, { message, fix: 'add such as BYDAY=MO' });
  }
}

/** Weekly schedules that leave their weekday to chance. */
export const noWeekday: Rule = {
  code: 'no-weekday',
  level: 'warning',
  reason: 'A week begins anywhere: a weekly schedule should say on which day it comes.',
  find,
};
