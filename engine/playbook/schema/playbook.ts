import { z } from 'zod';
import { step } from './steps.ts';
import {
  again,
  cleanName,
  condition,
  customerField,
  duration,
  eventName,
  every,
  hours,
  offset,
  stepId,
  text,
  timeOfDay,
  weekdays,
  words,
} from './text.ts';

/** When mail may go out. */
export const sendWindow = z
  .union([
    z.literal('any', { error: 'expected any, or days and hours' }),
    z.strictObject({
      days: weekdays.optional().describe('Weekdays, such as mon-fri. Default: any.'),
      hours: hours.optional().describe('Hours in the zone of the customer, such as 09:00-18:00. Default: any.'),
    }),
  ])
  .describe("When mail may go out, in the customer's zone. `any` is always.");

/** `manual` in a trigger that is not the manual one. */
const notManual = z
  .literal(false, { error: 'expected false, or leave it out' })
  .optional()
  .describe('False: nobody may start this playbook by hand.');

const eventTrigger = z.strictObject({
  event: eventName.describe('Starts at this event.'),
  first: z
    .boolean({ error: 'expected true or false' })
    .optional()
    .describe("Only at the customer's first such event ever known. Default: false."),
  if: condition.optional().describe('Only for events for which this is true. Default: all of them.'),
  manual: notManual,
});

const dateTrigger = z.strictObject({
  date: customerField.describe('A date or datetime of the customer.'),
  every: every.optional().describe('How often, counted from the date. Default: once; a birthday every year.'),
  offset: offset.optional().describe('Days (or more) before or after, such as `-7 days`. Default: the day itself.'),
  at: timeOfDay.optional().describe('Local time. Default: defaults.at of perennial.yaml.'),
  manual: notManual,
});

const orNever = z.boolean({ error: 'expected true or false' }).optional();
const events = z.union([
  eventName.describe('An event, or `any`.'),
  z.array(eventName).min(1, { error: 'expected at least one event' }).describe('Any of these events.'),
]);

const inactiveTrigger = z.strictObject({
  inactive: z
    .strictObject({
      no: events,
      for: duration.describe('How long none has come.'),
      or_never: orNever.describe('Also for customers who never had one, counted from `created_at`. Default: false.'),
    })
    .describe('Starts once per lapse: the last such event and so long after it.'),
  at: timeOfDay.optional().describe('The next such local time at or after the lapse. Default: at the lapse itself.'),
  or_never: orNever.describe('The same as in `inactive`. Default: false.'),
  manual: notManual,
});

const launchTrigger = z.strictObject({
  launch: cleanName.meta({
    description: 'A launch of playbooks/launches/, or `any`.',
    examples: ['ember-lamp', 'any'],
  }),
  before: duration
    .optional()
    .describe("So long before its `public_at`, in the company's zone. Default: at `public_at`."),
  manual: notManual,
});

const segmentTrigger = z.strictObject({
  segment: condition.describe('Starts when a change turns this from false to true.'),
  manual: notManual,
});

const rrule = text('a recurrence rule (RFC 5545)', ['FREQ=WEEKLY;BYDAY=MO', 'FREQ=MONTHLY;BYMONTHDAY=1'], String);

const scheduleTrigger = z.strictObject({
  schedule: rrule.describe('Starts at each occurrence, for everyone in the audience.'),
  at: timeOfDay.optional().describe('Local time. Default: defaults.at of perennial.yaml.'),
  manual: notManual,
});

const manualTrigger = z.strictObject({
  manual: z.literal(true, { error: 'expected true' }).describe('Starts only when a person starts it.'),
});

/** What starts an enrolment. */
export const trigger = z
  .union([eventTrigger, dateTrigger, inactiveTrigger, launchTrigger, segmentTrigger, scheduleTrigger, manualTrigger])
  .meta({ title: 'trigger' })
  .describe('What starts an enrolment.');

const entry = z
  .strictObject({
    again: again
      .optional()
      .describe(
        'Whether the same customer may enter again. Default: never for first events and dates that come once, else always.',
      ),
    if_active: z
      .enum(['ignore', 'restart', 'parallel'])
      .optional()
      .describe('While one enrolment is active. Default: ignore.'),
    holdout: z
      .number({ error: 'expected a percentage from 0 to 100' })
      .min(0, { error: 'expected a percentage from 0 to 100' })
      .max(100, { error: 'expected a percentage from 0 to 100' })
      .optional()
      .describe('Per cent of customers who are enrolled and measured, but get no mail. Default: 0.'),
  })
  .describe('Who may enter, and how often.');

const exit = z
  .union([
    z.strictObject({
      event: eventName.meta({ description: 'Ends the enrolment at this event.', examples: ['order.refunded'] }),
      if: condition.optional().describe('Which of these events; `event` is the one in question. Default: all of them.'),
    }),
    z.strictObject({ if: condition.describe('Asked before each step.') }),
  ])
  .meta({ title: 'exit' });

const goal = z
  .strictObject({
    event: eventName.describe('The event that the playbook is for.'),
    if: condition.optional().describe('Which of these events; `event` is the one in question. Default: all of them.'),
    within: duration.optional().describe('Counts only so long from the start. Default: without end.'),
  })
  .describe('The event that the playbook is for; it ends the enrolment.');

/** A file playbooks/NAME.yaml. */
export const playbook = z
  .strictObject({
    title: words('a title').optional().describe("What people call it. Default: the file's name."),
    description: z.string({ error: 'expected a text' }).optional().describe('What it is for.'),
    stage: words('a place on the journey map', 100).optional().describe('Its place on the journey map.'),
    topic: cleanName
      .optional()
      .meta({ description: 'The topic of its mails: what a customer can subscribe to.', examples: ['news'] }),
    priority: z
      .int({ error: 'expected a whole number' })
      .optional()
      .describe('Higher goes first when several are due at one instant. Default: 0.'),
    trigger,
    manual: z
      .boolean({ error: 'expected true or false' })
      .optional()
      .describe('False: nobody may start this playbook by hand. Default: true.'),
    audience: condition.optional().describe('Who may enter; asked at entry. Default: everybody.'),
    entry: entry.optional(),
    exit: z.array(exit).optional().describe('What ends an enrolment early.'),
    goal: goal.optional(),
    send_window: sendWindow
      .optional()
      .describe("When its mail may go out, in the customer's zone. Default: defaults.send_window of perennial.yaml."),
    late_after: duration
      .optional()
      .describe('A mail overdue for longer is skipped as late. Default: defaults.late_after of perennial.yaml.'),
    unknown: z
      .enum(['assume_sent', 'resend', 'hold'])
      .optional()
      .describe(
        'A mail of which a crash left open whether it went out. Default: resend for transactional mail, else assume_sent.',
      ),
    in_flight: z
      .enum(['pin', 'move', 'drain'])
      .optional()
      .describe('What an edit means for customers under way. Default: pin.'),
    renamed: z
      .record(stepId, stepId)
      .optional()
      .describe('Old step ids and their new ones, so that a step keeps its identity.'),
    steps: z.array(step).min(1, { error: 'expected at least one step' }).describe('What happens, in order.'),
  })
  .describe('A playbook: what starts it, for whom, and what happens.')
  .meta({ title: 'playbook' });

export type PlaybookSource = z.output<typeof playbook>;
export type TriggerSource = z.output<typeof trigger>;
export type SendWindowSource = z.output<typeof sendWindow>;
