import { fileOf, mailSteps } from '../mail-steps.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

/** Words alone, so that a line break or a tag between two of them makes no difference. */
function wordsOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>|&nbsp;/g, ' ')
    .replaceAll(/[\s,]+/g, ' ')
    .toLowerCase();
}

function* find(context: LintContext): Generator<Finding> {
  const { topics = {}, company } = context.company.source;
  const address = company.address === undefined ? null : wordsOf(company.address).trim();
  const shows = new Map<object, boolean>();
  for (const text of context.playbooks) {
    for (const { owner, key, topic, variants } of mailSteps(context, text)) {
      if (topic === undefined || topics[topic]?.transactional === true) continue;
      const without = variants.filter((facts) => {
        const known =
          shows.get(facts) ??
          (facts.reads.has('company.address') || (address !== null && wordsOf(facts.fixed).includes(address)));
        shows.set(facts, known);
        return !known;
      });
      if (without.length === 0) continue;
      const message = `this mail of the topic \`${topic}\` does not say where the company is: ${without.map(fileOf).join(', ')}`;
      const fix = 'print {{company.address}} in it or its layout, or send it under a transactional topic';
      yield findingAt(text, { owner, key }, { message, fix });
    }
  }
}

/** Marketing mail without the sender's postal address. */
export const noAddress: Rule = {
  code: 'no-address',
  level: 'warning',
  reason: 'The law of many countries asks for the postal address of the sender in mail that advertises.',
  find,
};
