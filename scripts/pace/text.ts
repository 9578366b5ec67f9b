/** What `perennial pace` prints. */
import type { PaceWait } from '../../engine/journey/types.ts';
import type { DomainHold, HoldReason } from '../../engine/store/pace/holds.ts';
import type { PaceSurvey } from '../../engine/store/pace/survey.ts';
import { formatLocalDate } from '../../engine/time/text.ts';
import { count } from '../check/format.ts';
import { harmless, table, type Terminal } from '../support/terminal.ts';
import { localTime } from '../support/times.ts';

const WAITS: Readonly<Record<PaceWait, string>> = {
  pace: 'a place under a limit per second',
  warm_up: "another day's volume",
  domain: 'a domain that is held',
};
const HELD: Readonly<Record<HoldReason, string>> = {
  throttled: 'asks for less mail',
  refused: 'refuses the sender',
};

/** Limits, what waits, holds; each part says so when there is nothing. */
export function paceText(survey: PaceSurvey, terminal: Terminal): string {
  return `${limitsText(survey, terminal)}\n${waitingText(survey, terminal)}\n${holdsText(survey.holds, terminal)}`;
}

function limitsText({ sending, warmUp }: PaceSurvey, terminal: Terminal): string {
  if (sending === null) return 'No limits: perennial.yaml has no `sending`.\n';
  const rows = [
    ...(sending.perSecond === null ? [] : [['each mail server', `${sending.perSecond} a second`]]),
    ...Object.entries(sending.domains).map(([domain, perSecond]) => [
      domain === '*' ? 'each other domain' : domain,
      `${perSecond} a second`,
    ]),
    ...warmUpRows(sending.warmUp, warmUp, terminal),
  ];
  return rows.length === 0 ? 'No limits: `sending` in perennial.yaml is empty.\n' : `Limits\n${table(rows, '  ')}`;
}

function warmUpRows(
  plan: NonNullable<PaceSurvey['sending']>['warmUp'],
  today: PaceSurvey['warmUp'],
  terminal: Terminal,
): readonly string[][] {
  if (plan === null) return [];
  if (today === null) {
    const days = count(plan.perDay.length, 'day');
    return [['warm-up', `none today: ${days} from ${formatLocalDate(plan.from)}`]];
  }
  const until = localTime(today.endsAt, terminal.zone);
  return [['warm-up', `${today.used} of ${today.volume} mails until ${until} (${terminal.zone.name})`]];
}

function waitingText({ waiting, domains }: PaceSurvey, terminal: Terminal): string {
  if (waiting.length === 0) return 'No mail waits for any of it.\n';
  const head = ['mails', 'lane', 'wait for', `come again (${terminal.zone.name})`, 'the longest since'];
  const rows = waiting.map(({ lane, waitsFor, mails, firstAt, lastAt, longestAt }) => [
    String(mails),
    lane,
    WAITS[waitsFor],
    `${localTime(firstAt, terminal.zone)} to ${localTime(lastAt, terminal.zone)}`,
    localTime(longestAt, terminal.zone),
  ]);
  const most = domains.map(({ domain, waitsFor, mails }) => [String(mails), harmless(domain), WAITS[waitsFor]]);
  return `Waiting\n${table([head, ...rows], '  ')}\nDomains with most\n${table(most, '  ')}`;
}

function holdsText(holds: readonly DomainHold[], terminal: Terminal): string {
  if (holds.length === 0) return 'No domain is held.\n';
  const head = ['domain', `until (${terminal.zone.name})`, 'since', 'it', 'its words'];
  const rows = holds.map(({ domain, untilAt, sinceAt, because, detail }) => [
    harmless(domain),
    localTime(untilAt, terminal.zone),
    localTime(sinceAt, terminal.zone),
    HELD[because],
    harmless(detail ?? ''),
  ]);
  return `Held domains\n${table([head, ...rows], '  ')}To end a hold: perennial pace lift DOMAIN --by NAME --reason TEXT\n`;
}
