import { fileOf, mailSteps } from '../mail-steps.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

/** Both lead to where a reader can leave. */
const WAYS_OUT = ['unsubscribe_url', 'preferences_url'] as const;

function* find(context: LintContext): Generator<Finding> {
  const { topics = {} } = context.company.source;
  for (const text of context.playbooks) {
    for (const { owner, key, topic, variants } of mailSteps(context, text)) {
      if (topic === undefined || topics[topic]?.transactional === true) continue;
      const without = variants.filter(({ reads }) => !WAYS_OUT.some((name) => reads.has(name)));
      if (without.length === 0) continue;
      const message = `this mail of the topic \`${topic}\` shows no way to unsubscribe: ${without.map(fileOf).join(', ')}`;
      const fix = 'put a link to {{unsubscribe_url}} into it or its layout, or send it under a transactional topic';
      yield findingAt(text, { owner, key }, { message, fix });
    }
  }
}

/** Marketing mail that nobody can unsubscribe from. */
export const noWayOut: Rule = {
  code: 'no-way-out',
  level: 'warning',
  reason: 'Readers must be able to leave every topic that is not transactional, and the law asks for it.',
  find,
};
