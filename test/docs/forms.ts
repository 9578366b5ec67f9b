/** Every form of the language, in the smallest playbook that uses it. */
import { compileProject } from '../../engine/playbook/compile.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';

/** A part of the language. */
export interface Probe {
  /** `trigger`, `step` or `key`. */
  readonly part: 'trigger' | 'step' | 'key';
  /** The key that names the form, such as `segment` or `entry.holdout`. */
  readonly name: string;
  readonly playbook: Readonly<Record<string, unknown>>;
}

const COMPANY: SourceFile = {
  path: 'perennial.yaml',
  text: JSON.stringify({
    company: { name: 'Probe', address: '1 Sample Street' },
    mail: { from: 'hello@company.example' },
    attributes: { renewal_date: 'date' },
    events: { 'order.placed': { total: 'number' } },
    topics: { news: { title: 'News' } },
  }),
};
const OTHER: SourceFile = {
  path: 'playbooks/other.yaml',
  text: JSON.stringify({ trigger: { manual: true }, steps: [{ tag: 'x' }] }),
};
const TEMPLATE: SourceFile = { path: 'templates/hello.hbs', text: '---\nsubject: Hello\n---\nHello' };
const START = { event: 'order.placed' };
const TAG = { tag: 'x' };

const trigger = (name: string, how: Readonly<Record<string, unknown>>): Probe => {
  return { part: 'trigger', name, playbook: { trigger: how, steps: [TAG] } };
};
const step = (name: string, how: Readonly<Record<string, unknown>>): Probe => {
  return { part: 'step', name, playbook: { topic: 'news', trigger: START, steps: [how] } };
};
const key = (name: string, how: Readonly<Record<string, unknown>>): Probe => {
  return { part: 'key', name, playbook: { trigger: START, steps: [TAG], ...how } };
};

/** Every form of trigger and step, and the keys and values that change most. */
export const PROBES: readonly Probe[] = [
  trigger('event', START),
  trigger('date', { date: 'customer.birthday' }),
  trigger('inactive', { inactive: { no: 'any', for: '90 days' } }),
  trigger('launch', { launch: 'any' }),
  trigger('segment', { segment: 'customer.orders > 1' }),
  trigger('schedule', { schedule: 'FREQ=WEEKLY;BYDAY=MO' }),
  trigger('manual', { manual: true }),
  step('email', { email: 'hello' }),
  step('wait', { wait: '1 day' }),
  step('wait_for', { wait_for: { event: 'order.placed', up_to: '1 day' } }),
  step('choose', { choose: [{ otherwise: true, steps: [TAG] }] }),
  step('split', { split: 'test', arms: { one: { share: 1, steps: [TAG] } } }),
  step('set', { set: { renewal_date: '2026-12-24' } }),
  step('tag', TAG),
  step('untag', { untag: 'x' }),
  step('task', { task: { title: 'Write a card' } }),
  step('coupon', { coupon: { pool: 'gifts', as: 'gift' } }),
  step('survey', { survey: { email: 'hello', ask: 'nps', up_to: '7 days' } }),
  step('webhook', { webhook: { url: 'https://crm.example/hook' } }),
  step('start', { start: 'other' }),
  step('exit', { exit: 'done' }),
  step('if', { if: 'true', then: [TAG] }),
  key('entry.if_active: restart', { entry: { if_active: 'restart' } }),
  key('entry.if_active: parallel', { entry: { if_active: 'parallel' } }),
  key('entry.holdout', { entry: { holdout: 10 } }),
  key('in_flight: move', { in_flight: 'move' }),
  key('in_flight: drain', { in_flight: 'drain' }),
  key('renamed', { renamed: { old: 'tag-1' } }),
];

/** What is wrong with it, in words: nothing, for what is carried out. */
export function mistakesIn({ playbook }: Probe): readonly string[] {
  const source = { path: 'playbooks/probe.yaml', text: JSON.stringify(playbook) };
  return compileProject([COMPANY, OTHER, TEMPLATE, source]).problems.map(({ message }) => message);
}
