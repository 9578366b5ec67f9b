/** A plan as people read it. */
import type { Difference, PlaybookPlan, ReleasePlan, UnderWay } from '../../engine/store/plan.ts';
import type { LeftBehind } from '../../engine/store/assess.ts';
import type { Zone } from '../../engine/time/types.ts';
import { columns, many, type Cell } from '../simulate/columns.ts';
import { harmless, paint, type Terminal } from '../support/terminal.ts';
import { localTime } from '../support/times.ts';
import type { Entries } from './entries.ts';

/** Something that a person has to decide before the files are deployed, or that a deployment refuses. */
export interface NeedsDecision {
  readonly kind: 'left behind' | 'template needed' | 'removed playbook';
  readonly playbook: string;
  readonly enrolments: number;
  /** Whether `deploy` refuses while it is so. */
  readonly refused: boolean;
  readonly message: string;
}

/** Nothing changes by itself: what of the plan a person should have seen. */
export function decisionsOf(plan: Pick<ReleasePlan, 'leftBehind' | 'needed' | 'playbooks'>): readonly NeedsDecision[] {
  const left = plan.leftBehind.map((one): NeedsDecision => {
    const { playbook, enrolments } = one;
    return { kind: 'left behind', playbook, enrolments, refused: true, message: leftBehindMessage(one) };
  });
  const needed = plan.needed.map(({ template, playbook, enrolments, customers }): NeedsDecision => {
    const names = customersText(customers, enrolments);
    const message = `the template "${template}" is gone, and ${enrolments} under way in "${playbook}" still need it (${names})`;
    return { kind: 'template needed', playbook, enrolments, refused: true, message };
  });
  const removed = plan.playbooks.flatMap(({ name, change, underWay }): NeedsDecision[] => {
    const enrolments = underWay.reduce((sum, one) => sum + one.enrolments, 0);
    if (change !== 'removed' || enrolments === 0) return [];
    const message =
      `"${name}" is gone, and ${enrolments} under way in it will finish it; ` +
      `to end them, "perennial cancel ${name}" each, or keep it with \`in_flight: drain\` until they are through`;
    return [{ kind: 'removed playbook', playbook: name, enrolments, refused: false, message }];
  });
  return [...left, ...needed, ...removed];
}

/** Who is left behind where, and why. */
export function leftBehindMessage({ playbook, step, because, enrolments, customers }: LeftBehind): string {
  const what = because === 'gone' ? 'which is gone' : 'which is another kind of step now';
  const names = customersText(customers, enrolments);
  return `"${playbook}" moves ${enrolments} who stand on the step "${step}", ${what} (${names})`;
}

/** `anna, ben, …` */
export function customersText(customers: readonly string[], enrolments: number): string {
  return `${customers.map(harmless).join(', ')}${enrolments > customers.length ? ', …' : ''}`;
}

/** What changes, without who would enter. */
export function planText(plan: ReleasePlan, terminal: Terminal, zone: Zone): string {
  const { running } = plan;
  const against =
    running === null
      ? 'nothing is deployed yet'
      : `now runs ${running.id.slice(0, 12)} (${running.author}, ${localTime(running.at, zone)} ${zone.name})`;
  const head = paint(terminal, 'bold', `Release ${plan.releaseId.slice(0, 12)}`);
  const parts = [
    playbooksText(plan.playbooks, terminal),
    differenceText('Templates', plan.templates, terminal),
    differenceText('Launches', plan.launches, terminal),
    plan.company.length === 0 ? '' : `\nperennial.yaml\n  ~ ${plan.company.join(', ')}\n`,
  ].join('');
  if (running?.id === plan.releaseId) return `${head} runs already: nothing changes.\n`;
  return `${head}; ${against}\n${parts === '' ? '\nNo playbook, template, launch or setting changes.\n' : parts}`;
}

const SIGNS = { added: '+', altered: '~', removed: '-' } as const;
const COLOURS = { added: 'green', altered: 'yellow', removed: 'red' } as const;

function playbooksText(plans: readonly PlaybookPlan[], terminal: Terminal): string {
  if (plans.length === 0) return '';
  const width = Math.max(...plans.map(({ name }) => name.length));
  const lines = plans.map((plan) => {
    const head = `${SIGNS[plan.change]} ${plan.name.padEnd(width)}`;
    const notes = [wordOf(plan), ...(plan.newTrigger && plan.change === 'altered' ? [NEW_TRIGGER] : [])];
    const people = plan.underWay.map((one) => `      ${underWayText(one)}\n`).join('');
    return `  ${paint(terminal, COLOURS[plan.change], head)}  ${notes.join('; ')}\n${people}`;
  });
  return `\nPlaybooks\n${lines.join('')}`;
}

const NEW_TRIGGER = 'another trigger, which looks forward from the deployment';

function wordOf({ change, inFlight, underWay }: PlaybookPlan): string {
  switch (change) {
    case 'added':
      return 'new';
    case 'removed':
      return underWay.length === 0 ? 'gone; nobody is under way' : 'gone; starts nobody any more';
    case 'altered': {
      const drain = inFlight === 'drain' ? '; nobody enters any more' : '';
      return underWay.length === 0 ? `changed; nobody is under way${drain}` : `changed; in_flight: ${inFlight}${drain}`;
    }
  }
}

function underWayText({ step, enrolments, how, to }: UnderWay): string {
  const who = `${many(enrolments, 'customer')} at "${harmless(step)}"`;
  switch (how) {
    case 'finish':
      return `${who}: finish as they began`;
    case 'move':
      return to === step ? `${who}: go on in the new version` : `${who}: go on at "${harmless(to ?? '')}"`;
    case 'lost':
      return `${who}: LEFT BEHIND`;
  }
}

function differenceText(title: string, difference: Difference, terminal: Terminal): string {
  const lines = (['added', 'altered', 'removed'] as const).map((change) => {
    const names = difference[change];
    return names.length === 0 ? '' : `  ${paint(terminal, COLOURS[change], SIGNS[change])} ${names.join(', ')}\n`;
  });
  const text = lines.join('');
  return text === '' ? '' : `\n${title}\n${text}`;
}

/** Who would enter, by playbook and day; the days as columns where they fit. */
export function entriesText({ customers, days, playbooks, from }: Entries, zone: Zone): string {
  const head = `\nWho would enter in the next ${many(days, 'day')}, from ${localTime(from, zone)} ${zone.name}\n`;
  const scope = `  ${many(customers, 'customer')}, all of them, if nothing happens but what is due: no orders, no visits.\n`;
  if (playbooks.length === 0) return `${head}${scope}  Nobody.\n`;
  const names = [...new Set(playbooks.flatMap(({ byDay }) => Object.keys(byDay)))].sort();
  const shown = names.length <= MAX_COLUMNS ? names : [];
  const rows = playbooks.map(({ playbook, total, byDay }): readonly Cell[] => [
    playbook,
    total,
    ...shown.map((day) => byDay[day] ?? 0),
  ]);
  return `${head}${scope}${columns(['playbook', 'total', ...shown.map((day) => day.slice(5))], rows, '  ')}`;
}

const MAX_COLUMNS = 8;

/** What needs a decision; empty when nothing does. */
export function decisionsText(decisions: readonly NeedsDecision[], terminal: Terminal): string {
  if (decisions.length === 0) return '';
  const lines = decisions.map(({ message, refused }) => {
    const sign = paint(terminal, refused ? 'red' : 'yellow', '!');
    return `  ${sign} ${message}${refused ? ': deploy refuses' : ''}\n`;
  });
  return `\nNeeds a decision\n${lines.join('')}`;
}
