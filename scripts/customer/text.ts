/** A customer's record as text: sections of aligned columns. */
import { ALL_TOPICS } from '../../engine/journey/attempt.ts';
import { EVERYTHING } from '../../engine/store/suppress.ts';
import type { CustomerHistory, EnrolmentHistory, SendHistory } from '../../engine/store/history.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { harmless, paint, table, type Terminal } from '../support/terminal.ts';
import { localTime } from '../support/times.ts';

/** Of each list, the text shows so many; `--json` has all. */
const SHOWN = 15;

/** Writes a time as columns: the customer's own, and the reader's where that is another zone. */
type When = (at: Instant | null) => readonly string[];

/** The whole record. */
export function historyText(history: CustomerHistory, zone: Zone, terminal: Terminal): string {
  const same = zone.name === terminal.zone.name;
  const when: When = (at) =>
    at === null
      ? same
        ? ['']
        : ['', '']
      : same
        ? [localTime(at, zone)]
        : [localTime(at, zone), localTime(at, terminal.zone)];
  const times = same ? [`time (${zone.name})`] : [`their time (${zone.name})`, `your time (${terminal.zone.name})`];
  const sections: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ['Next', withHead([...times, 'playbook', 'what'], nextRows(history, when))],
    ['Playbooks', withHead([...times, 'playbook', 'state', 'since'], enrolmentRows(history.enrolments, when, zone))],
    ['Mails', withHead([...times, 'playbook', 'template', 'outcome'], sendRows(history.sends, when))],
    ['Events', withHead(['event', 'count', 'first', 'last'], statRows(history, zone))],
    ['Changes by steps', withHead([...times, 'playbook', 'what'], journalRows(history, when))],
    ['What people did', withHead([...times, 'who', 'what', 'why'], auditRows(history, when))],
  ];
  const blocks = sections
    .filter(([, rows]) => rows.length > 1)
    .map(([title, rows]) => `\n${paint(terminal, 'bold', title)}\n${table(shorten(rows), '  ')}`);
  return `${headText(history, zone, terminal)}${blocks.join('')}`;
}

function withHead(head: readonly string[], rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [head, ...rows];
}

function shorten(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  if (rows.length <= SHOWN + 1) return rows;
  return [...rows.slice(0, SHOWN + 1), [`and ${rows.length - SHOWN - 1} more (--json shows them)`]];
}

function headText(history: CustomerHistory, zone: Zone, terminal: Terminal): string {
  const { profile } = history;
  const name =
    profile.name ?? ([profile.first_name, profile.last_name].filter((part) => part !== null).join(' ') || null);
  const held =
    history.hold === null
      ? ''
      : `${paint(terminal, 'red', `HELD since ${localTime(history.hold.at, terminal.zone)}: ${harmless(history.hold.error)}`)}\n`;
  const erased = history.erasedAt === null ? '' : `${paint(terminal, 'red', 'ERASED')}\n`;
  const spent = Math.round(profile.spent * 100) / 100;
  const attributes = Object.entries(profile.attributes).map(([key, value]) => [key, JSON.stringify(value)]);
  const rows: readonly (readonly string[])[] = [
    ['id', profile.id],
    ['name', name ?? '-'],
    ['email', profile.email ?? '-'],
    ['mail', consentText(history)],
    [
      'time zone',
      `${zone.name}${profile.timezone === zone.name ? '' : ' (the company’s)'}, now ${localTime(history.now, zone)}`,
    ],
    ['birthday', profile.birthday ?? '-'],
    ['tags', profile.tags.join(', ') || '-'],
    [
      'orders',
      profile.orders === 0
        ? 'none'
        : `${profile.orders}, ${spent} in all, first ${day(profile.first_order_at, zone)}, last ${day(profile.last_order_at, zone)}`,
    ],
    ['last seen', day(profile.last_seen_at, zone)],
    ...attributes,
    ...(history.heldEvents === 0 ? [] : [['kept events', String(history.heldEvents)]]),
  ];
  return `${held}${erased}${table(rows)}`;
}

function day(at: Instant | null, zone: Zone): string {
  return at === null ? '-' : localTime(at, zone).slice(0, 10);
}

function consentText({ consent }: CustomerHistory): string {
  if (consent.length === 0) return "subscribed as each topic's default says";
  return consent
    .map(
      ({ kind, scope, source, reason }) =>
        `${kind === 'suppressed' && scope !== '*' ? 'unsubscribed' : kind}${scopeText(scope)} ` +
        `(${reason === null || reason.startsWith(source) ? (reason ?? source) : `${source}: ${reason}`})`,
    )
    .join(', ');
}

function scopeText(scope: string): string {
  if (scope === EVERYTHING) return '';
  return scope === ALL_TOPICS ? ' from all topics' : ` ${scope}`;
}

function nextRows(history: CustomerHistory, when: When): readonly (readonly string[])[] {
  const steps = history.enrolments.flatMap(({ status, dueAt, playbook, step, paused, hold }) =>
    status === 'active' && dueAt !== null && hold === null
      ? [{ at: dueAt, playbook, what: `goes on after ${step ?? ''}${paused ? ' (paused)' : ''}` }]
      : [],
  );
  const mails = history.sends.flatMap(({ status, dueAt, playbook, template, hold }) =>
    status === 'planned' && hold === null ? [{ at: dueAt, playbook, what: `email ${template}` }] : [],
  );
  const timers = history.timers.map(({ playbook, dueAt }) => ({ at: dueAt, playbook, what: 'trigger is asked' }));
  return [...steps, ...mails, ...timers]
    .sort((a, b) => a.at - b.at || (a.playbook < b.playbook ? -1 : 1))
    .map(({ at, playbook, what }) => [...when(at), playbook, what]);
}

function enrolmentRows(
  enrolments: readonly EnrolmentHistory[],
  when: When,
  zone: Zone,
): readonly (readonly string[])[] {
  return enrolments.map((enrolment) => {
    const { status, step, reason, hold, paused, startedAt, endedAt, playbook } = enrolment;
    const state =
      hold !== null
        ? `HELD at ${step ?? ''}: ${hold.error}`
        : status === 'active'
          ? `at ${step ?? ''}${paused ? ' (paused)' : ''}`
          : `${status}${reason === null ? '' : `: ${reason}`}`;
    return [...when(endedAt ?? startedAt), playbook, state, day(startedAt, zone)];
  });
}

function sendRows(sends: readonly SendHistory[], when: When): readonly (readonly string[])[] {
  return sends.map(({ handedAt, settledAt, dueAt, playbook, template, status, reason, hold, feedback }) => [
    ...when(handedAt ?? settledAt ?? dueAt),
    playbook,
    template,
    hold === null
      ? `${status}${feedback === null ? '' : `, ${feedback}`}${reason === null ? '' : `: ${reason}`}`
      : `HELD: ${hold.error}`,
  ]);
}

function statRows({ stats }: CustomerHistory, zone: Zone): readonly (readonly string[])[] {
  return stats.map(({ event, count, first, last }) => [event, String(count), day(first, zone), day(last, zone)]);
}

function journalRows({ journal }: CustomerHistory, when: When): readonly (readonly string[])[] {
  return journal.map(({ at, playbook, do: done, step, reason }) => [
    ...when(at),
    playbook ?? '',
    `${done}${step === null ? '' : ` at ${step}`}${reason === null ? '' : `: ${reason}`}`,
  ]);
}

/** `held.drop` as "drop held"; other acts are words already. */
function actText(action: string): string {
  if (action === 'unknown.settle') return 'settle mail in doubt';
  return action.startsWith('held.') ? `${action.slice('held.'.length)} held` : action;
}

function auditRows({ audit }: CustomerHistory, when: When): readonly (readonly string[])[] {
  return audit.map(({ businessAt, by, action, playbook, reason }) => [
    ...when(businessAt),
    by,
    playbook === null ? actText(action) : `${actText(action)} ${playbook}`,
    reason ?? '',
  ]);
}
