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

/** Which of two playbooks' mails wait for the other's. */
function isWeaker(a: CheckedText, b: CheckedText): boolean {
  const [of, than] = [a.source.priority ?? 0, b.source.priority ?? 0];
  return of === than ? a.name > b.name : of < than;
}

function number(mails: number): string {
  return mails === MOST_COUNTED ? `${mails} or more` : String(mails);
}

function alone({ text, mails }: Load, cap: Cap): Finding {
  const message = `this playbook alone may send a customer ${number(mails)} mails within ${cap.per.text}, and the cap allows ${cap.at_most}: the others wait, and are skipped after 3 days`;
  const fix = 'put waits between its mails, or raise the cap';
  return findingAtKey(text, text.source, 'steps', { message, fix, level: 'warning' });
}

function together(load: Load, companions: readonly Load[], cap: Cap): Finding {
  const worst = [...companions].sort((a, b) => b.mails - a.mails || (a.text.name < b.text.name ? -1 : 1));
  const named = worst
    .slice(0, MOST_NAMED)
    .map(({ text, mails }) => `\`${text.name}\` (${load.mails} + ${mails} mails)`);
  const rest = worst.length - named.length;
  const list = `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  const message = `with ${list} it can come to more than ${cap.at_most} mails for a customer within ${cap.per.text}, which is the cap: the mails of this playbook then wait or are skipped`;
  const fix = 'put longer waits between its mails, raise its `priority`, or allow it if that is meant';
  return findingAtKey(load.text, load.text.source, 'steps', { message, fix });
}

function* find(context: LintContext): Generator<Finding> {
  for (const cap of context.company.source.caps ?? []) {
    const loads = loadsOf(context, cap).filter(({ mails }) => mails > 0);
    const within = loads.filter(({ mails }) => mails <= cap.at_most);
    for (const load of loads) if (load.mails > cap.at_most) yield alone(load, cap);
    for (const load of within) {
      const companions = within.filter(
        ({ text, mails }) => load.mails + mails > cap.at_most && text !== load.text && isWeaker(load.text, text),
      );
      if (companions.length > 0) yield together(load, companions, cap);
    }
  }
}

/** Playbooks, alone or in pairs, that can send more than a cap allows. */
export const overCap: Rule = {
  code: 'over-cap',
  level: 'hint',
  reason: 'Mails over a cap wait, and are skipped when they have waited for 3 days.',
  find,
};
