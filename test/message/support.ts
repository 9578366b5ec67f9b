/** A company's templates for the tests of this folder. */
import { expect } from '@jest/globals';
import { type MailScope, compileTemplates } from '../../engine/message/templates.ts';

/** Its perennial.yaml. */
export const COMPANY = `
company:
  name: Hearth & Home
  care: { email: friends@hearth.example, phone: "+44 20 7946 0018" }
attributes: { plan: string, renewal_date: date }
events:
  order.placed: { total: number, order_id: string, items: list }
  review.posted: { rating: number }
`;

/** A customer with an order. */
export const SCOPE: MailScope = {
  customer: {
    id: 'ada',
    name: 'Ada <Lovelace> & co',
    first_name: 'Ada',
    last_name: null,
    birthday: '1990-02-28',
    first_order_at: Date.UTC(2026, 0, 1, 23, 30),
    tags: ['a', 'b'],
    orders: 1234,
    plan: '',
  },
  company: { name: 'Hearth & Home', care: { email: 'friends@hearth.example', phone: '+44 20' } },
  event: {
    total: 42.5,
    order_id: 'A-1',
    items: [
      { title: 'Mug', price: 12, page: 'https://hearth.example/mug' },
      { title: 'Pot "L"', price: 30.5, page: 'https://hearth.example/pot' },
    ],
  },
  vars: { at: '2026-03-02T09:15:00+01:00', gift: { code: 'X1' } },
  unsubscribe_url: 'https://hearth.example/u?t=1&k=2',
  preferences_url: 'https://hearth.example/p?t=1&k=2',
  locale: 'en-GB',
  zone: { name: 'Europe/Berlin', offsetAt: () => 3_600_000 },
  now: Date.UTC(2026, 2, 2),
};

/** Sources by path. */
export interface Files {
  readonly [path: string]: string;
}

/** Compiles a company of these files. */
export function compile(files: Files) {
  const sources = Object.entries({ 'perennial.yaml': COMPANY, ...files }).map(([path, text]) => ({ path, text }));
  return compileTemplates(sources);
}

/** The same with one template `t` of that body. */
export function compileBody(body: string, more: Files = {}) {
  return compile({ 'templates/t.hbs': `---\nsubject: Hi\n---\n${body}`, ...more });
}

/** What that template gives. */
export function render(body: string, more: Files = {}, scope: MailScope = SCOPE) {
  const { templates, problems } = compileBody(body, more);
  expect(problems.filter(({ level }) => level === 'error')).toEqual([]);
  const template = templates.get('t');
  if (template === null) throw new Error('the template is missing');
  return template.render(scope);
}
