import { z } from 'zod';
import { cleanName, condition, duration, eventName, identifier, stepId, templateName, words } from './text.ts';
import { wait } from './wait.ts';

/** What every step may carry. */
const common = {
  id: stepId.optional().describe('Unique in the playbook. Default: made from the kind of step.'),
  if: condition.optional().describe('Skips the step when it is not true. Default: it is not skipped.'),
};

const email = z.strictObject({
  email: templateName.describe('Sends the mail made from templates/NAME.hbs or NAME.mjml.'),
  topic: cleanName
    .optional()
    .meta({ description: "The topic of this mail. Default: the playbook's.", examples: ['service'] }),
  ...common,
});

const waiting = z.strictObject({ wait: wait.describe('Waits for a duration, or until a moment.'), ...common });

const waitFor = z.strictObject({
  wait_for: z
    .strictObject({
      event: eventName.describe('The event to wait for.'),
      if: condition.optional().describe('Which of these events; `event` is the awaited one. Default: all of them.'),
      up_to: duration.describe('How long to wait at most.'),
    })
    .describe('Waits for an event, at most so long.'),
  get then(): z.ZodOptional<Branch> {
    return branch('Runs when the event came.').optional();
  },
  get else(): z.ZodOptional<Branch> {
    return branch('Runs when it did not come in time.').optional();
  },
  ...common,
});

const branching = z.strictObject({
  if: condition.describe('Which way to go.'),
  get then(): Branch {
    return branch('Runs when the condition is true.');
  },
  get else(): z.ZodOptional<Branch> {
    return branch('Runs when it is not.').optional();
  },
  id: common.id,
});

const choose = z.strictObject({
  get choose(): z.ZodArray<z.ZodUnion<readonly [typeof whenArm, typeof otherwiseArm]>> {
    return z
      .array(z.union([whenArm, otherwiseArm]))
      .min(1, { error: 'expected at least one way to choose' })
      .describe('Takes the first way whose condition is true; none, and the steps after it follow.');
  },
  ...common,
});

const whenArm = z.strictObject({
  when: condition.describe('Asked in the order in which they are written.'),
  get steps(): Branch {
    return branch('Runs when this is the first condition that is true.');
  },
});

const otherwiseArm = z.strictObject({
  otherwise: z.literal(true, { error: 'expected true' }).describe('The last way, for everybody else.'),
  get steps(): Branch {
    return branch('Runs when no condition was true.');
  },
});

const arm = z.strictObject({
  share: z
    .number({ error: 'expected a number' })
    .positive({ error: 'expected more than 0' })
    .describe('Its part of the sum of all shares.'),
  get steps(): Branch {
    return branch('Runs for the customers of this arm.');
  },
});

const split = z.strictObject({
  split: stepId.describe('The name of the test. A customer always lands in the same arm.'),
  get arms(): z.ZodRecord<typeof stepId, typeof arm> {
    return z.record(stepId, arm).describe('The arms, in order.');
  },
  ...common,
});

const attributeValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.union([z.string(), z.number(), z.boolean()])),
]);
const set = z.strictObject({
  set: z.record(identifier, attributeValue).describe('Sets attributes of the customer; null empties one.'),
  ...common,
});
const tag = z.strictObject({ tag: words('a tag', 100).describe('Gives the customer a tag.'), ...common });
const untag = z.strictObject({ untag: words('a tag', 100).describe('Takes a tag from the customer.'), ...common });
const exit = z.strictObject({ exit: words('a reason').describe('Ends the enrolment, for this reason.'), ...common });

const task = z.strictObject({
  task: z
    .strictObject({
      title: words('what is to be done').describe('What is to be done; a template text.'),
      to: words('an address or a name').optional().describe('Who is to do it.'),
      within: duration.optional().describe('By when.'),
    })
    .describe('Gives a person something to do.'),
  ...common,
});

const coupon = z.strictObject({
  coupon: z
    .strictObject({
      pool: cleanName.meta({
        description: 'Where the code is taken from; each code goes out once.',
        examples: ['anniversary'],
      }),
      as: identifier.meta({ description: 'The code is `vars.NAME.code` afterwards.', examples: ['gift'] }),
    })
    .describe('Takes a coupon code.'),
  ...common,
});

const survey = z.strictObject({
  survey: z
    .strictObject({
      email: templateName.describe('The mail that asks.'),
      ask: cleanName.meta({ description: 'What is asked.', examples: ['nps'] }),
      up_to: duration.describe('How long to wait for the answer.'),
    })
    .describe('Sends a question and waits for the answer; `vars.ID.score` is its score.'),
  get then(): z.ZodOptional<Branch> {
    return branch('Runs when it was answered.').optional();
  },
  get else(): z.ZodOptional<Branch> {
    return branch('Runs when it was not answered in time.').optional();
  },
  ...common,
});

const webhook = z.strictObject({
  webhook: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/, error: 'expected an address that starts with https://' })
        .describe('Where to.'),
      body: z.unknown().optional().describe('Sent as JSON; its texts are templates.'),
    })
    .describe('Calls another system.'),
  ...common,
});

const start = z.strictObject({
  start: cleanName.meta({
    description: 'Starts another playbook, subject to its own entry rules.',
    examples: ['win-back'],
  }),
  ...common,
});

/** Any step. Which one it is, its own key says. */
export const step = z
  .union([
    email,
    waiting,
    waitFor,
    choose,
    split,
    set,
    tag,
    untag,
    task,
    coupon,
    survey,
    webhook,
    start,
    exit,
    branching,
  ])
  .meta({ id: 'step', title: 'step' });

type Branch = z.ZodArray<typeof step>;

function branch(description: string): Branch {
  return z.array(step).describe(description);
}

/** A step as written, its texts read. */
export type StepSource = z.output<typeof step>;
