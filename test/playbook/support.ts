import { compileProject, type Compiled } from '../../engine/playbook/compile.ts';
import type { Playbook, Release } from '../../engine/playbook/types.ts';

/** A company that declares a bit of everything. */
export const COMPANY = `company: { name: Hearth & Home, address: 12 Mill Lane }
mail: { from: Hearth & Home <hello@hearth.example> }
defaults: { timezone: Europe/London, at: "08:30", late_after: 2 days, leap_day: mar-1 }
purchase: { event: order.placed, amount: total }
attributes: { plan: string, renewal_date: date, seen_at: datetime, score: number, nudged: boolean, sizes: list }
events:
  order.placed: { total: number, order_id: string, due: date }
  order.refunded: { order_id: string }
  review.posted: { rating: number }
topics:
  news: { title: News and offers }
  service: { title: Service messages, transactional: true }
stages:
  - { name: lapsed, when: days_since(customer.last_order_at) > 365 }
  - { name: customer, when: "true" }
`;

/** Template sources by name. */
export function templates(...names: readonly string[]) {
  return names.map((name) => ({ path: `templates/${name}.hbs`, text: '---\nsubject: Hello\n---\nHello' }));
}

/** Compiles a company with one playbook `playbooks/one.yaml`, the templates a/b and a/c, and further files. */
export function compileOne(
  playbook: string,
  further: Readonly<Record<string, string>> = {},
  company = COMPANY,
): Compiled {
  const files = { 'perennial.yaml': company, 'playbooks/one.yaml': playbook, ...further };
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  return compileProject([...sources, ...templates('a/b', 'a/c')]);
}

/** The release, or a failure that says which mistakes there are. */
export function released({ release, problems }: Compiled): Release {
  if (release === null)
    throw new Error(
      problems.map((problem) => `${problem.file}:${problem.line}:${problem.column} ${problem.message}`).join('\n'),
    );
  return release;
}

/** The playbook `one` of a source without mistakes. */
export function playbookOf(source: string, further: Readonly<Record<string, string>> = {}): Playbook {
  const playbook = released(compileOne(source, further)).byName.get('one');
  if (playbook === undefined) throw new Error('no playbook "one"');
  return playbook;
}
