import type { CheckedText } from '../../checked.ts';
import type { CompanySource } from '../../schema.ts';
import { MOST_COUNTED, mostMails } from '../mails.ts';
import { type Finding, findingAtKey, type LintContext, type Rule } from '../rule.ts';

type Cap = NonNullable<CompanySource['caps']>[number];

/** A playbook with the most of its mails within a cap's span. */
interface Load {
  readonly text: CheckedText;
  readonly mails: number;
}

/** So many companions are named. */
const MOST_NAMED = 5;

function loadsOf({ company, playbooks }: LintContext, cap: Cap): readonly Load[] {
  const { topics = {} } = company.source;
  return playbooks.map((text) => {
    const isCounted = (topic: string | undefined): boolean =>
      topic !== undefined && topics[topic]?.transactional !== true;
    const mails = mostMails(text, cap.per, (step) =>
      isCounted(('email' in step ? step.topic : undefined) ?? text.source.topic),
    );
    return { text, mails };
  });
}

/** Whose mails go first comes first: by priority, higher first, then by name. */
function inOrder(loads: readonly Load[]): readonly Load[] {
  return [...loads].sort(
    ({ text: a }, { text: b }) =>
      (b.source.priority ?? 0) - (a.source.priority ?? 0) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

function number(mails: number): string {
  return mails === MOST_COUNTED ? `${mails} or more` : String(mails);
}

function alone({ text, mails }: Load, cap: Cap): Finding {
  const message = `this playbook alone may send a customer ${number(mails)} mails within ${cap.per.text}, and the cap allows ${cap.at_most}: the others wait, and are skipped after 3 days`;
  const fix = 'put waits between its mails, or raise the cap';
  return findingAtKey(text, text.source, 'steps', { message, fix, level: 'warning' });
}

/** @param companions lists of those whose mails go first, the most mails first. */
function together(load: Load, companions: readonly (readonly Load[])[], cap: Cap): Finding {
  const worst = companions.flatMap((list) => list.slice(0, MOST_NAMED)).slice(0, MOST_NAMED);
  const named = worst.map(({ text, mails }) => `\`${text.name}\` (${load.mails} + ${mails} mails)`);
  const rest = companions.reduce((sum, list) => sum + list.length, 0) - named.length;
  const list = `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const message = `with ${list} it can come to more than ${cap.at_most} mails for a customer within ${cap.per.text}, which is the cap: the mails of this playbook then wait or are skipped`;
  const fix = 'put longer waits between its mails, raise its `priority`, or allow it if that is meant';
  return findingAtKey(load.text, load.text.source, 'steps', { message, fix });
}

function* inPairs(loads: readonly Load[], cap: Cap): Generator<Finding> {
  const before = new Map<number, Load[]>();
  for (const load of inOrder(loads)) {
    const companions = [...before].filter(([mails]) => load.mails + mails > cap.at_most).sort(([a], [b]) => b - a);
    if (companions.length > 0) {
      const lists = companions.map(([, list]) => list);
      yield together(load, lists, cap);
    }
    const known = before.get(load.mails);
    if (known === undefined) before.set(load.mails, [load]);
    else known.push(load);
  }
}

function* find(context: LintContext): Generator<Finding> {
  for (const cap of context.company.source.caps ?? []) {
    const loads = loadsOf(context, cap).filter(({ mails }) => mails > 0);
    for (const load of loads) if (load.mails > cap.at_most) yield alone(load, cap);
    yield* inPairs(
      loads.filter(({ mails }) => mails <= cap.at_most),
      cap,
    );
  }
}

/** Playbooks, alone or in pairs, that can send more than a cap allows. */
export const overCap: Rule = {
  code: 'over-cap',
  level: 'hint',
  reason: 'Mails over a cap wait, and are skipped when they have waited for 3 days.',
  find,
};
