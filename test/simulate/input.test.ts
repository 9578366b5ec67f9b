/** The files of a simulation. docs/playbooks.md. */
import { describe, expect, it } from '@jest/globals';
import { InputError, parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import { parseInstant } from '../../engine/time/text.ts';

const customersOf = (...rows: readonly string[]) => parseCustomers(rows.join('\n'), 'c.jsonl');
const eventsOf = (...rows: readonly string[]) => parseEvents(rows.join('\n'), 'e.jsonl', new Set(['ada', 'bob']));

const event = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ id: 'e1', customer: 'ada', event: 'app.opened', at: '2026-03-02T10:00Z', ...fields });

describe('customers', () => {
  it('have built-in fields, attributes and consent; what is not said is missing', () => {
    const [ada, bob] = customersOf(
      JSON.stringify({
        id: 'ada',
        email: 'ada@example.com',
        name: 'Ada L',
        first_name: 'Ada',
        last_name: 'L',
        timezone: 'Europe/Berlin',
        locale: 'de',
        birthday: '1990-02-28',
        created_at: '2026-01-01T00:00+01:00',
        tags: ['new'],
        plan: 'gold',
        renewal_date: '2026-03-05',
        suppressed: true,
        unsubscribed: ['news'],
        subscribed: ['offers'],
      }),
      '',
      '{"id": "bob", "email": null}\r',
    );
    expect(ada).toEqual({
      profile: {
        id: 'ada',
        email: 'ada@example.com',
        name: 'Ada L',
        first_name: 'Ada',
        last_name: 'L',
        timezone: 'Europe/Berlin',
        locale: 'de',
        birthday: '1990-02-28',
        created_at: parseInstant('2025-12-31T23:00Z'),
        tags: ['new'],
        attributes: { plan: 'gold', renewal_date: '2026-03-05' },
        orders: 0,
        spent: 0,
        first_order_at: null,
        last_order_at: null,
        last_seen_at: null,
        satisfaction: null,
      },
      consent: { suppressed: true, unsubscribed: new Set(['news']), subscribed: new Set(['offers']) },
    });
    expect(bob).toMatchObject({
      profile: { id: 'bob', email: null, timezone: null, tags: [], attributes: {} },
      consent: { suppressed: false, unsubscribed: new Set(), subscribed: new Set() },
    });
  });

  it.each([
    ['{"email": "a@example.com"}', 'c.jsonl:2: a customer needs an "id"'],
    ['{"id": ""}', 'c.jsonl:2: a customer needs an "id"'],
    ['{"id": "ada"}', 'c.jsonl:2: the customer "ada" is on an earlier line already'],
    ['{"id": "bob", "tags": "new"}', 'c.jsonl:2: "tags" must be a list of texts'],
    ['{"id": "bob", "email": 1}', 'c.jsonl:2: "email" must be a text'],
    ['{"id": "bob", "orders": "1"}', 'c.jsonl:2: "orders" must be a number'],
    ['{"id": "bob", "suppressed": "yes"}', 'c.jsonl:2: "suppressed" must be true or false'],
    ['{"id": "bob", "birthday": "1990-02-30"}', 'c.jsonl:2: "birthday": "1990-02-30" names a day that does not exist'],
    ['{"id": "bob", "created_at": "2026-01-01"}', 'c.jsonl:2: "created_at": "2026-01-01" is not an instant'],
    ['{"id": "bob"', 'c.jsonl:2: not JSON'],
    ['["bob"]', 'c.jsonl:2: expected one JSON object a line'],
    ['null', 'c.jsonl:2: expected one JSON object a line'],
  ])('%s is refused with its line', (row, message) => {
    const read = (): unknown => customersOf('{"id": "ada"}', row);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });
});

describe('events', () => {
  it('are sorted by time, by line where equal', () => {
    const events = eventsOf(
      event({ id: 'late', at: '2026-03-02T10:00Z' }),
      event({ id: 'same', at: '2026-03-02T09:00Z' }),
      event({ id: 'early', at: '2026-03-02T09:30+01:00', data: { screen: 'home' } }),
      event({ id: 'same too', at: '2026-03-02T11:00+02:00' }),
    );
    expect(events.map((of) => [of.event.id, of.line])).toEqual([
      ['early', 3],
      ['same', 2],
      ['same too', 4],
      ['late', 1],
    ]);
    expect(events[0]).toEqual({
      customer: 'ada',
      line: 3,
      event: { id: 'early', event: 'app.opened', at: parseInstant('2026-03-02T08:30Z'), data: { screen: 'home' } },
    });
    expect(events[1]?.event.data).toEqual({});
  });

  it('are dropped when their id was seen before, in the order in which they happen', () => {
    const events = eventsOf(
      event({ id: 'twice', at: '2026-03-02T10:00Z', data: { screen: 'second' } }),
      event({ id: 'once', at: '2026-03-02T11:00Z' }),
      event({ id: 'twice', at: '2026-03-02T09:00Z', data: { screen: 'first' } }),
    );
    expect(events.map((of) => [of.event.id, of.event.data['screen']])).toEqual([
      ['twice', 'first'],
      ['once', undefined],
    ]);
  });

  it.each([
    [event({ id: 7 }), 'e.jsonl:2: an event needs an "id"'],
    [event({ event: undefined }), 'e.jsonl:2: an event needs the name of the "event"'],
    [event({ customer: undefined }), 'e.jsonl:2: an event needs a "customer"'],
    [event({ customer: 'adda' }), 'e.jsonl:2: the customer "adda" is not among the customers; did you mean "ada"?'],
    [event({ customer: 'somebody' }), 'is not among the customers; add the customer to the customers file'],
    [event({ at: undefined }), 'e.jsonl:2: an event needs "at"'],
    [event({ at: '2026-03-02T10:00' }), 'e.jsonl:2: "at": "2026-03-02T10:00" is not an instant'],
    [event({ data: [1] }), 'e.jsonl:2: "data" must be an object'],
    ['{', 'e.jsonl:2: not JSON'],
  ])('%s is refused with its line', (row, message) => {
    const read = (): unknown => eventsOf(event({ id: 'e0' }), row);
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
  });
});
