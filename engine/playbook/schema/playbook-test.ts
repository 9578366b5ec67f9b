import { z } from 'zod';
import { moment } from './moment.ts';
import { cleanName, eventName, identifier, localDate, stepId, templateName, words } from './text.ts';

const flag = z.boolean({ error: 'expected true or false' });
const amount = z.number({ error: 'expected a number' });
const customerId = words('the id of a customer', 200);

const topic = cleanName.meta({ examples: ['news'] });

/** What may change while a test runs: what comes from outside, not what the engine keeps. */
const changeable = {
  name: words('a name').optional().describe('The whole name.'),
  first_name: words('a name').optional().describe('The first name.'),
  last_name: words('a name').optional().describe('The last name.'),
  timezone: words('an IANA zone', 100)
    .optional()
    .meta({
      description: "Where the clock of the customer is. Default: the company's zone.",
      examples: ['Europe/Berlin'],
    }),
  locale: words('a locale', 100)
    .optional()
    .meta({ description: "How dates and amounts are written. Default: the company's locale.", examples: ['de-DE'] }),
  birthday: localDate.optional().describe('A date.'),
  tags: z.array(words('a tag', 100)).optional().describe('All tags. Default: none.'),
  suppressed: flag.optional().describe('Whether nothing may be sent. Default: false.'),
  unsubscribed: z.array(topic).optional().describe('Topics that the customer has left. Default: none.'),
  subscribed: z.array(topic).optional().describe('Topics that the customer has asked for. Default: none.'),
};

const customer = z
  .object({
    id: customerId.meta({ description: 'It also decides the arms of a split.', examples: ['ada'] }),
    email: words('an address', 320)
      .optional()
      .meta({ description: 'Without one, mails are skipped.', examples: ['ada@example.com'] }),
    ...changeable,
    created_at: moment.optional().describe('When the company came to know the customer.'),
    orders: z.int({ error: 'expected a whole number' }).min(0).optional().describe('Purchases so far. Default: 0.'),
    spent: amount.optional().describe('What they came to. Default: 0.'),
    first_order_at: moment.optional().describe('The first purchase.'),
    last_order_at: moment.optional().describe('The last purchase.'),
    last_seen_at: moment.optional().describe('The last event of any kind.'),
    satisfaction: amount.optional().describe('The latest score of a survey.'),
  })
  .catchall(z.unknown())
  .meta({ title: 'customer' })
  .describe('A customer; any further keys are attributes that perennial.yaml declares.');

const whose = customerId
  .optional()
  .meta({ description: 'Whose; needed when the test has several customers.', examples: ['ada'] });

const event = z.strictObject({
  at: moment.describe("When. Without an offset on the customer's clock; before `from` it only sets facts."),
  event: eventName.describe('An event that perennial.yaml declares, or `survey.answered`.'),
  data: z.record(z.string(), z.unknown()).optional().describe('What the event carries.'),
  customer: whose,
});

const change = z.strictObject({
  at: moment.describe("When. Without an offset on the customer's clock."),
  change: z
    .object(changeable)
    .catchall(z.unknown())
    .describe('What is known of the customer from then on: built-in fields, attributes, consent.'),
  customer: whose,
});

const start = z.strictObject({
  at: moment.describe("When somebody starts it by hand. Without an offset on the customer's clock."),
  playbook: cleanName
    .optional()
    .meta({ description: 'Which. Default: the playbook under test.', examples: ['apology'] }),
  vars: z.record(identifier, z.unknown()).optional().describe('`vars.…` of the enrolment.'),
  customer: whose,
});

const contained = z.union([
  words('a text', 2000),
  z.array(words('a text', 2000)).min(1, { error: 'expected at least one text' }),
]);
const said = z.union([
  words('a text', 2000).describe('Exactly this.'),
  z.strictObject({
    contains: contained.optional().describe('All of these are in it.'),
    lacks: contained.optional().describe('None of these is in it.'),
  }),
]);

/** What every expected line may name besides its kind. */
const common = {
  at: moment.optional().describe("When: as precisely as it is written. Without an offset on the customer's clock."),
  customer: customerId.optional().describe('Whose line it is.'),
  playbook: cleanName.optional().meta({ description: 'Of which playbook.', examples: ['welcome-series'] }),
};
const step = stepId.optional().describe('The id of the step.');
const yes = z.literal(true, { error: 'expected true, or a name' });
const oneOrAny = (what: string) => z.union([words(what), yes]);

const expectation = z
  .union([
    z.strictObject({
      email: templateName.describe('The mail of that template goes out.'),
      step,
      subject: said.optional().describe('What its subject says.'),
      text: said.optional().describe('What its text says; line breaks count as spaces.'),
      ...common,
    }),
    z.strictObject({
      skip: oneOrAny('a step').describe('A step is skipped: its id, its template, or true for any.'),
      reason: z
        .enum(['condition', 'holdout', 'cap', 'suppressed', 'unsubscribed', 'no address', 'not allowed', 'late'])
        .optional()
        .describe('Why.'),
      step,
      ...common,
    }),
    z.strictObject({
      exit: oneOrAny('a reason').describe('The enrolment ends early: the reason, or true for any.'),
      ...common,
    }),
    z.strictObject({ goal: yes.describe('The goal is reached.'), ...common }),
    z.strictObject({ enrol: yes.describe('Somebody enters.'), ...common }),
    z.strictObject({ complete: yes.describe('The steps have run out.'), ...common }),
    z.strictObject({
      set: z
        .union([stepId, yes, z.record(identifier, z.unknown())])
        .describe('Attributes are set: the id of the step, the attributes, or true for any.'),
      step,
      ...common,
    }),
    z.strictObject({ tag: oneOrAny('a tag').describe('The tag is given.'), step, ...common }),
    z.strictObject({ untag: oneOrAny('a tag').describe('The tag is taken.'), step, ...common }),
    z.strictObject({
      task: oneOrAny('a step').describe('A person gets something to do: the step, or true.'),
      step,
      ...common,
    }),
    z.strictObject({
      webhook: oneOrAny('a step or an address').describe('Another system is called: the step, the address, or true.'),
      step,
      ...common,
    }),
    z.strictObject({
      survey: oneOrAny('a step or a template').describe('A survey goes out: its step, template, question, or true.'),
      step,
      subject: said.optional().describe('What its subject says.'),
      text: said.optional().describe('What its text says; line breaks count as spaces.'),
      ...common,
    }),
    z.strictObject({
      coupon: oneOrAny('a step or a pool').describe('A coupon code is taken: the step, the pool, or true.'),
      step,
      ...common,
    }),
    z.strictObject({
      refused: z
        .union([yes, z.enum(['not manual', 'audience', 'already active', 'not again', 'draining'])])
        .describe('Somebody tries to start a playbook by hand and may not: why, or true for any reason.'),
      ...common,
    }),
  ])
  .meta({ id: 'line', title: 'line' });

const test = z.strictObject({
  name: words('a name').describe('What it shows.'),
  customer: customer.optional(),
  customers: z
    .array(customer)
    .min(1, { error: 'expected at least one customer' })
    .optional()
    .describe('Several customers instead of one.'),
  from: moment.describe("Start, inclusive. Without an offset in the customer's zone, of several the first one's."),
  until: moment.describe('End, exclusive.'),
  playbooks: z
    .array(cleanName)
    .min(1, { error: 'expected at least one playbook' })
    .optional()
    .describe('Further playbooks that run, beside the one under test and those that it starts.'),
  company: flag.optional().describe('Whether all playbooks of the company run. Default: false.'),
  events: z
    .array(z.union([event, change]))
    .optional()
    .describe('What happens; at one time events come first, then changes, each as written.'),
  start: z
    .union([start, z.array(start)])
    .optional()
    .describe('Who starts a playbook by hand.'),
  expect: z.array(expectation).optional().describe('The lines that come, in order.'),
  expect_all: flag.optional().describe('Whether every line of any kind is listed. Default: false.'),
  not: z.array(expectation).optional().describe('Lines that must not come.'),
});

/** A file playbooks/NAME.test.yaml. */
export const playbookTest = z
  .strictObject({
    tests: z
      .array(test)
      .min(1, { error: 'expected at least one test' })
      .describe('Each runs by itself on a virtual clock.'),
  })
  .describe('Tests of a playbook; `perennial test` runs them.')
  .meta({ title: 'playbook test' });

export type PlaybookTestSource = z.output<typeof playbookTest>;
export type TestSource = z.output<typeof test>;
export type ExpectationSource = z.output<typeof expectation>;
export type CustomerSource = z.output<typeof customer>;
export type SaidSource = z.output<typeof said>;
