/** What mails that came back came to, as text. */
import type { ComplaintRate } from '../../engine/store/complaints.ts';
import type { RefusingDomain } from '../../engine/store/feedback.ts';
import { totalsOf, type MailOutcome } from '../../workers/bounces/totals.ts';
import type { ReturnedMailResult, TakenOrFound } from '../../workers/returned-mail.ts';
import { count } from '../check/format.ts';
import { harmless } from '../support/terminal.ts';

/** One line for each recipient, then the totals. */
export function outcomesText(outcomes: readonly MailOutcome[], isDryRun: boolean): string {
  const lines = outcomes.flatMap(({ from, result }) => wordsOf(result).map((words) => `${harmless(from)}: ${words}`));
  const totals = totalsOf(outcomes);
  const { suppressed, knownBefore, notOurs, unsubscribed, noReport, stays } = totals;
  const parts = [
    count(totals.mails, 'mail'),
    count(totals.bounces, 'bounce'),
    count(totals.complaints, 'complaint'),
    isDryRun ? 'nothing recorded (dry run)' : `${suppressed} suppressed`,
    ...(knownBefore > 0 ? [`${knownBefore} known before`] : []),
    ...(notOurs > 0 ? [`${notOurs} not about mail of ours`] : []),
    ...(unsubscribed > 0 ? [`${unsubscribed} unsubscribed`] : []),
    ...(noReport > 0 ? [`${noReport} without a report`] : []),
    ...(stays > 0 ? [`${stays} left in the mailbox for a person`] : []),
  ];
  return `${[...lines, parts.join(', ')].join('\n')}.\n`;
}

function wordsOf(result: ReturnedMailResult): readonly string[] {
  switch (result.kind) {
    case 'none':
      return [NOTHING[result.because]];
    case 'leave':
      return [LEAVING[result.outcome](result.topic ?? '', result.sendId ?? 0)];
    case 'bounce':
    case 'complaint':
      return result.taken.map(takenText);
  }
}

const LEAVING = {
  unsubscribed: (topic: string, sendId: number) => `unsubscribes from "${topic}" (by mail ${sendId}): recorded`,
  found: (topic: string, sendId: number) => `unsubscribes from "${topic}" (by mail ${sendId}): would be recorded`,
  transactional: (topic: string, sendId: number) =>
    `wants no more of mail ${sendId}, but "${topic}" is transactional: a person should answer`,
  'not ours': () => 'unsubscribes, but its token is none of this database: a person should look',
} as const;

const NOTHING = {
  'auto-reply': 'an automatic reply, nothing to do',
  'no report': 'no report, nothing to do',
  'no complaint': 'feedback, but no complaint of a reader; nothing to do',
  unreadable: 'cannot be read as a mail, nothing to do',
} as const;

function takenText({ recipient, send, outcome }: TakenOrFound): string {
  const { verdict, status, address, detail } = recipient;
  const what = verdict === 'complaint' ? 'complaint' : KINDS[verdict];
  const whom = address ?? send?.address ?? 'somebody it does not name';
  const about = send === null ? '' : `, mail ${send.id} of ${send.playbook} to ${send.address} (by its ${send.proof})`;
  const words = `${what}${status === null ? '' : ` ${status}`} of ${whom}${about}: ${ENDS[outcome]}`;
  const said = detail === null || verdict === 'complaint' ? '' : `\n    ${harmless(detail)}`;
  return `${harmless(words)}${said}`;
}

const KINDS = {
  hard: 'hard bounce',
  soft: 'soft bounce',
  sender: 'refusal of the sender',
  unclear: 'bounce of unclear cause',
  delayed: 'delay',
  delivered: 'report of delivery',
} as const;

const ENDS: Readonly<Record<TakenOrFound['outcome'], string>> = {
  suppressed: 'suppressed',
  recorded: 'recorded',
  'known before': 'known before',
  'no matter': 'it is still being tried',
  'not ours': 'no mail of ours, nothing done',
  found: 'would be recorded',
};

/** Playbooks that readers complain about, and domains that refuse us; empty when all is well. */
export function warningsText(rates: readonly ComplaintRate[], domains: readonly RefusingDomain[]): string {
  const complaints = rates.map(({ playbook, complaints: n, mails, rate, outcome }) => {
    const figures = `${n} complaints about ${mails} mails in 24 hours (${(rate * 100).toFixed(2)} %)`;
    if (outcome === 'warned') return `${playbook}: ${figures}; over 0.3 % it is paused.`;
    const paused = outcome === 'paused' ? 'it has been paused' : 'it is paused';
    return `${playbook}: ${figures}; ${paused}. Find out why, then: perennial resume ${playbook} --by NAME --reason TEXT`;
  });
  return `${complaints.map((line) => `warning: ${line}\n`).join('')}${refusalsText(domains)}`;
}

/** One line for each domain that refuses us. */
export function refusalsText(domains: readonly RefusingDomain[]): string {
  const lines = domains.map(
    ({ domain, count: n, status, detail }) =>
      `warning: ${harmless(domain)} refuses mail of yours (${count(n, 'time')}, last ${status ?? 'without a status'}: ` +
      `${harmless(detail ?? 'no words')}). Nobody is suppressed for that: check SPF, DKIM, DMARC and the reputation of your server. "perennial pace" shows whether its mail waits.\n`,
  );
  return lines.join('');
}
