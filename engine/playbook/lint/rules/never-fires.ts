import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

function* find({ playbooks }: LintContext): Generator<Finding> {
  for (const text of playbooks) {
    const { trigger } = text.source;
    if (!('date' in trigger) || trigger.date !== 'customer.birthday' || trigger.every !== 'once') continue;
    const message = 'a birthday that comes once is the day of birth, which is past';
    yield findingAt(text, { owner: trigger, key: 'every' }, { message, fix: 'write `every: year`' });
  }
}

/** Triggers whose moment is always past. */
export const neverFires: Rule = {
  code: 'never-fires',
  level: 'warning',
  reason: 'Triggers look forward: one whose moment is always past starts nobody.',
  find,
};
