/** The company of the model test: every kind of trigger, policy and window, in two releases. */

const HOUR_MS = 3_600_000;

/** The caps of `perennial.yaml` below, said once more for the model. No zone of its customers changes its clocks. */
export const CAPS = [
  { atMost: 3, perMs: 12 * HOUR_MS },
  { atMost: 8, perMs: 7 * 24 * HOUR_MS },
] as const;

/** Playbooks that say so send an unknown mail again; no other ever may. */
export const RESENDS: ReadonlySet<string> = new Set(['thanks', 'care']);

/** Playbooks that an `order.refunded` ends. */
export const ENDED_BY_REFUND: readonly string[] = ['welcome', 'thanks'];

/** The local hours in which `thanks` may be claimed: from, inclusive, until, exclusive. */
export const THANKS_HOURS = { from: 8, until: 20 } as const;

/** Zones without clock changes, with their distance from UTC in hours. */
export const ZONES: ReadonlyMap<string, number> = new Map([
  ['UTC', 0],
  ['Asia/Tokyo', 9],
  ['America/Phoenix', -7],
  ['Asia/Kolkata', 5.5],
]);

/** When a run begins: a Monday, with every window open. */
export const START = Date.parse('2026-06-01T09:00:00Z');

/** Customers of one circle. */
export const CUSTOMERS = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5'] as const;

/** Fewer than customers, who have them in turns: the first and the fifth share one, and the second and the sixth. */
export const ADDRESSES = ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com'] as const;

/**
 * A circle is six customers who share addresses among themselves and with nobody else. Its name, such as `r7.`, begins
 * their ids and addresses; the tests of one circle alone call it ''.
 */
export function circleOf(customerKey: string): string {
  return customerKey.slice(0, customerKey.lastIndexOf('.') + 1);
}

/** What the company writes about. `service` is transactional. */
export const TOPICS = ['news', 'offers', 'service'] as const;

const COMPANY = `company:
  name: Sample
  address: 1 Sample Street
mail:
  from: Sample <hello@sample.example>
defaults:
  timezone: UTC
  at: "09:00"
  send_window: any
  late_after: 3 days
events:
  order.placed: { total: number }
  order.refunded: {}
  page.viewed: {}
  review.posted: {}
purchase: { event: order.placed, amount: total }
topics:
  news: { title: News, default: in }
  offers: { title: Offers, default: in }
  service: { title: Service, transactional: true }
caps:
  - { at_most: 3, per: 12 hours }
  - { at_most: 8, per: 7 days }
`;

const THANKS = `
topic: news
trigger: { event: order.placed }
unknown: resend
send_window: { days: any, hours: "08:00-20:00" }
exit:
  - { event: order.refunded }
steps:
  - email: mail/one
  - wait_for: { event: review.posted, up_to: 2 days }
    then:
      - tag: reviewer
      - email: mail/two
    else:
      - email: mail/three
`;

const WELCOME = `
topic: news
priority: 5
trigger: { event: order.placed, first: true }
entry: { again: never }
exit:
  - { event: order.refunded }
`;

const COMMON = {
  'perennial.yaml': COMPANY,
  'playbooks/lapse.yaml': `
topic: offers
trigger: { inactive: { no: any, for: 4 days } }
steps:
  - email: mail/two
`,
  'playbooks/birthday.yaml': `
topic: news
trigger: { date: customer.birthday, every: year }
steps:
  - email: mail/one
`,
  'playbooks/early.yaml': `
topic: offers
trigger: { launch: any, before: 1 day }
steps:
  - email: mail/three
`,
  'playbooks/launches/lamp.yaml': 'title: Lamp\npublic_at: 2026-06-05T10:00\n',
  'playbooks/care.yaml': `
topic: service
trigger: { manual: true }
entry: { again: always }
steps:
  - email: mail/one
  - wait: 1 day
  - email: mail/two
`,
  'templates/mail/one.hbs': 'One',
  'templates/mail/two.hbs': 'Two',
  'templates/mail/three.hbs': 'Three',
};

/** The two releases, by path. The second one alters a playbook, takes one away and brings one. */
export const RELEASES: Readonly<Record<'first' | 'second', Readonly<Record<string, string>>>> = {
  first: {
    ...COMMON,
    'playbooks/thanks.yaml': THANKS,
    'playbooks/welcome.yaml': `${WELCOME}steps:
  - email: mail/one
  - wait: 2 hours
  - email: mail/two
  - wait: 3 days
  - email: mail/three
`,
    'playbooks/browse.yaml': `
topic: offers
trigger: { event: page.viewed }
entry: { again: after 1 day }
goal: { event: order.placed, within: 10 days }
unknown: hold
steps:
  - wait: 1 hour
  - email: mail/one
`,
  },
  second: {
    ...COMMON,
    'playbooks/thanks.yaml': `priority: 9${THANKS}`,
    'playbooks/welcome.yaml': `${WELCOME}steps:
  - email: mail/three
  - wait: 1 day
  - email: mail/two
`,
    'playbooks/extra.yaml': `
topic: offers
trigger: { event: order.placed }
steps:
  - email: mail/two
`,
  },
};

/** The first release with an edited playbook: other waits, another order, another rank. */
export function edited({ hours, isTurned, priority }: Edit): Readonly<Record<string, string>> {
  const [early, late] = isTurned ? ['mail/three', 'mail/one'] : ['mail/one', 'mail/three'];
  return {
    ...RELEASES.first,
    'playbooks/welcome.yaml': `priority: ${priority}${WELCOME.replace('priority: 5\n', '')}steps:
  - email: ${early}
  - wait: ${hours} hours
  - email: mail/two
  - wait: 1 day
  - email: ${late}
`,
  };
}

/** What is edited. */
export interface Edit {
  readonly hours: number;
  readonly isTurned: boolean;
  readonly priority: number;
}

/** Every playbook of any release. */
export const PLAYBOOKS = ['welcome', 'thanks', 'browse', 'care', 'lapse', 'birthday', 'early', 'extra'] as const;
