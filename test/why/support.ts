/** A company with a playbook of each kind of trigger, and questions about its customers. */
import { explain, type Explained } from '../../engine/why/explain.ts';
import { compileSources } from '../support/staff.ts';
import { openFleet, type Fleet } from '../store/support.ts';

const COMPANY = `company:
  name: Sample
  address: 1 Sample Street
mail:
  from: Sample <hello@sample.example>
defaults:
  timezone: Europe/London
  at: "09:00"
  send_window: { days: mon-fri, hours: "08:00-18:00" }
  late_after: 3 days
purchase: { event: order.placed, amount: total }
events:
  order.placed: { total: number }
  order.refunded: {}
  question.asked: {}
  review.posted: { rating: number }
attributes:
  plan: string
topics:
  news: { title: News, default: in }
  extra: { title: Extra, default: out }
  service: { title: Service, transactional: true }
caps:
  - { at_most: 1, per: 2 days }
`;

const playbook = (name: string, lines: string): Readonly<Record<string, string>> => ({
  [`playbooks/${name}.yaml`]: `title: ${name}\ntopic: news\n${lines}`,
});

export const FILES: Readonly<Record<string, string>> = {
  'perennial.yaml': COMPANY,
  'playbooks/thanks.yaml': `title: Thanks
topic: service
trigger: { event: question.asked }
steps:
  - wait: 1 day
`,
  'playbooks/answer.yaml': `title: Answer
topic: service
trigger: { manual: true }
steps:
  - email: thanks/first
  - wait: 2 days
  - email: thanks/second
`,
  ...playbook(
    'welcome',
    `trigger:
  event: order.placed
  first: true
  if: event.total >= 20
audience: customer.locale == null || customer.locale.startsWith("en")
exit:
  - { event: order.refunded }
  - { if: "'wholesale' in customer.tags" }
goal: { event: review.posted, if: event.rating >= 4 }
steps:
  - email: thanks/first
  - wait: 3 days
  - if: customer.orders > 1
    then:
      - email: thanks/again
    else:
      - email: thanks/second
  - tag: welcomed
    if: customer.spent > 1000
  - wait_for: { event: review.posted, up_to: 5 days }
    then:
      - email: thanks/review
`,
  ),
  ...playbook(
    'again',
    `trigger: { event: order.placed }
entry: { again: after 10 days }
steps:
  - wait: 2 days
`,
  ),
  ...playbook(
    'extra',
    `trigger: { event: order.placed }
steps:
  - email: thanks/extra
    topic: extra
`,
  ),
  ...playbook(
    'birthday',
    `trigger: { date: customer.birthday }
audience: customer.orders > 0
steps:
  - email: thanks/first
`,
  ),
  ...playbook(
    'win-back',
    `trigger: { inactive: { no: order.placed, for: 30 days } }
steps:
  - email: thanks/first
`,
  ),
  ...playbook(
    'weekly',
    `trigger: { schedule: FREQ=WEEKLY;BYDAY=MO }
audience: customer.orders > 0
steps:
  - wait: 1 day
`,
  ),
  ...playbook(
    'sorry',
    `trigger: { event: review.posted, if: event.rating < 3 }
steps:
  - start: apology
`,
  ),
  ...playbook(
    'routes',
    `trigger: { event: review.posted, if: event.rating > 3 }
entry: { if_active: restart }
steps:
  - choose:
      - when: event.rating == 5
        steps:
          - email: thanks/first
      - otherwise: true
        steps:
          - tag: four
  - coupon: { pool: gifts, as: gift }
  - wait: 1 day
  - exit: done with it
`,
  ),
  ...playbook(
    'second',
    `trigger: { event: order.placed, if: customer.orders == 2 && customer.plan != "none" }
steps:
  - wait: 1 day
`,
  ),
  ...playbook(
    'third',
    `trigger: { event: order.placed, if: customer.orders == 3 }
steps:
  - wait: 1 day
`,
  ),
  ...playbook(
    'review',
    `trigger: { event: review.posted, if: event.rating == 3 }
steps:
  - email: thanks/review
    id: asked
`,
  ),
  ...playbook(
    'checkin',
    `trigger: { event: question.asked }
steps:
  - survey: { email: thanks/nps, ask: nps, up_to: 7 days }
    then:
      - task: { title: "Thank {{customer.id}}", to: care@sample.example }
    else:
      - tag: silent
`,
  ),
  ...playbook(
    'apology',
    `trigger: { manual: true }
audience: customer.orders > 0
steps:
  - wait: 1 day
`,
  ),
  ...playbook(
    'early',
    `trigger: { launch: any, before: 2 days }
audience: customer.orders > 0
steps:
  - wait: 1 day
`,
  ),
  ...playbook(
    'vip',
    `trigger: { segment: customer.plan == "gold" }
entry: { again: never }
steps:
  - split: colour
    arms:
      red: { share: 50, steps: [{ email: thanks/red }] }
      blue: { share: 50, steps: [{ email: thanks/blue }] }
`,
  ),
  'playbooks/launches/lamp.yaml': `title: Lamp\npublic_at: 2026-03-20T09:00:00Z\n`,
  ...Object.fromEntries(
    ['nps', 'second', 'again', 'review', 'extra', 'red', 'blue', 'first'].map((name) => [
      `templates/thanks/${name}.hbs`,
      name === 'nps' ? '{{survey_url 9}}' : name,
    ]),
  ),
};

/** What is asked, besides whom and which playbook. */
export interface Ask {
  readonly step?: string;
  readonly at?: string;
}

/** The company at work. */
export interface Company extends Fleet {
  why(customerId: number, playbook: string, ask?: Ask): Promise<Explained>;
}

/** Opens a fleet with the company, at 09:00 UTC on Monday, 2 March 2026. */
export async function openCompany(): Promise<Company> {
  const fleet = await openFleet(FILES);
  return {
    ...fleet,
    why: async (customerId, name, { step, at } = {}) =>
      explain(
        fleet.db,
        { cache: fleet.cache, compile: compileSources },
        { customerId, playbook: name, step: step ?? null, at: at === undefined ? null : Date.parse(at) },
      ),
  };
}

/** The whole of an answer as lines, with events, releases and ids out of the way of comparisons. */
export function linesOf(explained: Explained): readonly string[] {
  if (explained.outcome === 'in the future') return [explained.outcome];
  if (explained.outcome !== 'answered') return [explained.outcome, ...explained.nearest];
  const facts = explained.evidence.map(({ text, quote, release }) => {
    const words = quote === undefined || quote === null ? '' : ` [${quote.file}:${quote.line} ${quote.text}]`;
    return `${text}${words}${release === undefined || release === null ? '' : ` {${release.by}}`}`;
  });
  return [`${explained.code}: ${explained.answer}`, ...facts].map((line) => line.replaceAll(/\bevent-\d+\b/g, 'ID'));
}
