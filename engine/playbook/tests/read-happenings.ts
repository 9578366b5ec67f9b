import { SURVEY_ANSWERED } from '../declarations.ts';
import { startOfMoment } from '../schema/moment.ts';
import type { TestSource } from '../schema/playbook-test.ts';
import type { Json } from '../types.ts';
import { checkTime, checkValues, customerFor, type InTest, unknown, zoneOfCustomer } from './context.ts';
import { readChange } from './read-customer.ts';
import type { Happening } from './types.ts';

type EventSource = NonNullable<TestSource['events']>[number];
type StartSource = Exclude<NonNullable<TestSource['start']>, readonly unknown[]>;

/** Everything that happens in a test, ascending by time; at one instant events and changes as written, then starts. */
export function readHappenings(inTest: InTest, test: TestSource): readonly Happening[] {
  const starts = test.start === undefined ? [] : Array.isArray(test.start) ? test.start : [test.start];
  const events = (test.events ?? []).flatMap((source, order) => readEvent(inTest, source, order));
  const started = starts.flatMap((source, index) => readStart(inTest, source, events.length + index));
  return [...events, ...started].sort((a, b) => a.at - b.at || a.order - b.order);
}

function readEvent(inTest: InTest, source: EventSource, order: number): readonly Happening[] {
  const isChange = 'change' in source;
  const customer = customerFor(inTest, source, isChange ? 'change' : 'event');
  if (!isChange) checkEvent(inTest, source);
  const change = isChange ? readChange(inTest, source.change) : null;
  if (customer === null) return [];
  const zone = zoneOfCustomer(customer, inTest);
  checkTime(inTest, source, zone, !isChange);
  const who = { customer: customer.id, at: startOfMoment(source.at, zone), order };
  if (change !== null) return [{ ...who, kind: 'change', change }];
  const { event, data } = source as Exclude<EventSource, { readonly change: unknown }>;
  return [{ ...who, kind: 'event', event, data: (data ?? {}) as Readonly<Record<string, Json>> }];
}

function checkEvent(inTest: InTest, source: Exclude<EventSource, { readonly change: unknown }>): void {
  const { events } = inTest.release.company;
  const name = source.event;
  const types = Object.hasOwn(events, name)
    ? events[name]
    : name === SURVEY_ANSWERED.name
      ? SURVEY_ANSWERED.fields
      : null;
  if (types === null || types === undefined) {
    const message = `the event \`${name}\` is declared nowhere`;
    const known = [...Object.keys(events), SURVEY_ANSWERED.name];
    unknown(inTest, source, 'event', { code: 'unknown-event', message, name, known });
    return;
  }
  const { data } = source;
  if (data !== undefined) checkValues(inTest, data, data, { types, what: `field of \`${name}\``, alsoKnown: [] });
}

function readStart(inTest: InTest, source: StartSource, order: number): readonly Happening[] {
  const customer = customerFor(inTest, source, 'start');
  const playbook = source.playbook ?? inTest.own;
  const known = inTest.inPlay.map(({ name }) => name);
  if (playbook === null) {
    const message = 'which playbook? the file is named after none';
    inTest.report.at(source, null, { code: 'missing-key', message, fix: 'add `playbook:`' });
    return [];
  }
  if (!known.includes(playbook)) {
    const exists = inTest.release.byName.has(playbook);
    const message = exists ? `\`${playbook}\` does not run in this test` : `there is no playbook \`${playbook}\``;
    if (exists) inTest.report.at(source, 'playbook', { code: 'unknown-playbook', message, fix: ADD });
    else unknown(inTest, source, 'playbook', { code: 'unknown-playbook', message, name: playbook, known });
  }
  if (customer === null) return [];
  const zone = zoneOfCustomer(customer, inTest);
  checkTime(inTest, source, zone);
  const vars = (source.vars ?? {}) as Readonly<Record<string, Json>>;
  return [{ customer: customer.id, at: startOfMoment(source.at, zone), order, kind: 'start', playbook, vars }];
}

/** How another playbook is brought into a test. */
const ADD = 'name it under `playbooks:` of the test, or write `company: true`';
