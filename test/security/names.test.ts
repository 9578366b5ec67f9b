/** `constructor`, `__proto__` and their like in the files of a company and of customers are names like any other, or refused. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { fieldsOf, rowAsFields } from '../../engine/ingest/file/fields.ts';
import { fitMapping } from '../../engine/ingest/file/mapping.ts';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { intakeCompany } from '../ingest/support.ts';
import { sourcesOf } from '../support/staff.ts';

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

/** A company in which everything that may be named has this name. */
function company(name: string) {
  return compileProject(
    sourcesOf({
      'perennial.yaml': `company: { name: S, address: 1 S }
mail: { from: S <a@s.example> }
defaults: { timezone: Europe/London, send_window: any }
events: { ${name}: { ${name}: number } }
attributes: { ${name}: boolean }
topics: { ${name}: { title: News } }
stages: [ { name: ${name}, when: customer.orders > 0 } ]
`,
      [`playbooks/${name}.yaml`]: `topic: ${name}
trigger: { event: ${name}, if: event.${name} > 2 }
audience: customer.${name} == null || customer.${name}
entry: { again: always }
steps:
  - survey: { email: mail, ask: nps, up_to: 2 days }
    id: ${name}
    then: [ { email: mail, id: again, if: vars.${name}.score > 2 } ]
  - set: { ${name}: true }
  - coupon: { pool: ${name}, as: gift }
  - webhook: { url: "https://crm.example/x", body: { ${name}: "{{customer.id}}" } }
`,
      'templates/mail.hbs': `{{event.${name}}} {{#if customer.${name}}}y{{/if}}`,
    }),
  );
}

function timelineOf(name: string): readonly string[] {
  const { release, problems } = company(name);
  if (release === null) throw new Error(JSON.stringify(problems));
  const lines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  const customers = parseCustomers(
    lines([
      { id: 'ada', email: 'a@x.example' },
      { id: 'bob', [name]: true },
    ]),
    'c',
  );
  const start = { event: name, at: '2026-03-01T10:00:00Z', data: { [name]: 3 } };
  const answer = { event: 'survey.answered', at: '2026-03-01T11:00:00Z', data: { survey: name, score: 3 } };
  const rows = [
    { id: '1', customer: 'ada', ...start },
    { id: '2', customer: 'bob', ...start },
    { id: '3', customer: 'ada', ...answer },
  ];
  const events = parseEvents(lines(rows), 'e', new Set(['ada', 'bob']));
  const [from, until] = [Date.parse('2026-03-01'), Date.parse('2026-03-20')];
  const timeline = simulate({ release, customers, events, from, until });
  return timeline.map((line) => JSON.stringify(line).replaceAll(name, 'NAME'));
}

describe('a company whose things are called', () => {
  it.each(['constructor', 'prototype'])('%s runs as one with other names', (name) => {
    expect(timelineOf(name)).toEqual(timelineOf('ordinary'));
    expect(timelineOf(name)).toHaveLength(13);
  });

  it.each(['__proto__', 'toString', '__defineGetter__'])('%s is told which names there are', (name) => {
    const { release, problems } = company(name);
    expect(release).toBeNull();
    expect(problems).toContainEqual(expect.objectContaining({ file: 'perennial.yaml', code: 'bad-value' }));
  });
});

it('customers and events of a simulation keep such names as their own data', () => {
  const [customer] = parseCustomers('{"id":"ada","__proto__":{"polluted":1},"constructor":"x"}', 'c');
  expect(Object.getPrototypeOf(customer?.profile.attributes)).toBe(Object.prototype);
  expect(Object.keys(customer?.profile.attributes ?? {})).toEqual(['__proto__', 'constructor']);
});

it('headers of a CSV file are columns, whatever they are called', () => {
  const header = ['id', '__proto__', 'constructor', 'toString', 'plan'];
  const options = { map: [], set: [], where: [], delimiter: ',' };
  const mapping = fitMapping(header, options, fieldsOf('customers', intakeCompany()));
  const fields = rowAsFields('customers', ['ada', '{"polluted":1}', 'x', 'y', 'gold'], mapping, intakeCompany());
  expect(fields).toEqual({ id: 'ada', plan: 'gold' });
  expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
});
