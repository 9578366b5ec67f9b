import { renamedTo } from '../../identity.ts';
import { nearest } from '../../nearest.ts';
import { type Finding, findingAtKey, type LintContext, playbookNamed, type Rule, type Standing } from '../rule.ts';
import { idOf, stepsOf } from '../steps.ts';
import type { CheckedText } from '../../checked.ts';

function people(count: number): string {
  return count === 1 ? '1 customer is' : `${count} customers are`;
}

function gone({ playbook, step, customers }: Standing): Finding {
  const message = `${people(customers)} under way in \`${playbook}\`, at \`${step}\`, and this file is gone`;
  const fix = 'they finish it as it was; to end it for them too, use "perennial cancel"';
  return { file: `playbooks/${playbook}.yaml`, line: 1, column: 1, message, fix };
}

function left(text: CheckedText, { step, customers }: Standing): Finding | null {
  const ids = stepsOf(text).map((each) => idOf(text, each));
  const { renamed = {}, in_flight: inFlight = 'pin' } = text.source;
  if (ids.includes(step) || ids.includes(renamedTo(renamed, step) ?? step)) return null;
  const near = nearest(step, ids);
  const rename = near === null ? `write \`renamed: { ${step}: NEW-ID }\`` : `write \`renamed: { ${step}: ${near} }\``;
  if (inFlight === 'move') {
    const message = `${people(customers)} at the step \`${step}\`, which is gone: they cannot be moved, and deploy refuses`;
    return findingAtKey(text, text.source, 'steps', {
      message,
      fix: `${rename}, or put the step back`,
      level: 'error',
    });
  }
  const message = `${people(customers)} at the step \`${step}\`, which is gone: they finish the playbook as it was`;
  const fix = `if it only has a new name, ${rename}`;
  return findingAtKey(text, text.source, 'steps', { message, fix });
}

function* find(context: LintContext): Generator<Finding> {
  for (const standing of context.standing) {
    const text = playbookNamed(context, standing.playbook);
    if (text === undefined) {
      // A file with a mistake is there all the same; what is wrong with it is said.
      if (!context.company.names.playbooks.has(standing.playbook)) yield gone(standing);
      continue;
    }
    const finding = left(text, standing);
    if (finding !== null) yield finding;
  }
}

/** Steps that are gone while customers stand on them. Asks a database. */
export const removedStep: Rule = {
  code: 'removed-step',
  level: 'hint',
  reason: 'Customers under way stand on steps by their ids.',
  find,
};
