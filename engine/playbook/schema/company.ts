import { z } from 'zod';
import { zone } from '../../time/zone.ts';
import { sendWindow } from './playbook.ts';
import { sending } from './sending.ts';
import {
  cleanName,
  condition,
  duration,
  eventName,
  identifier,
  localDate,
  text,
  TextError,
  timeOfDay,
  words,
} from './text.ts';

/** What can be written into a mail: a plain ASCII name, and a domain of any language whose end is no number. */
const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+(?!\d+$)[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?$/u;

function parseAddress(written: string): string {
  if (ADDRESS.test(written)) return written;
  throw new TextError(`"${written}" is no address: expected such as "friends@hearth.example"`);
}

/** A local part has 64 characters (RFC 5321 section 4.5.3.1.1), of which `+` and the token take 41. */
const LONGEST_BOUNCE_NAME = 23;

function parseBounceMailbox(written: string): string {
  const name = written.slice(0, written.lastIndexOf('@'));
  if (ADDRESS.test(written) && !name.includes('+') && name.length <= LONGEST_BOUNCE_NAME) return written;
  throw new TextError(
    `"${written}" is no mailbox for bounces: expected an address such as "bounce@hearth.example", ` +
      `with at most ${LONGEST_BOUNCE_NAME} characters before the @ and no +, since a token is added there`,
  );
}

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function parseDomain(written: string): string {
  if (DOMAIN.test(written) && written.length <= 253) return written;
  throw new TextError(
    `"${written}" is no domain: expected such as "hearth.example", in small letters; other languages in punycode (xn--…)`,
  );
}

const SELECTOR = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function parseSelector(written: string): string {
  if (SELECTOR.test(written)) return written;
  throw new TextError(`"${written}" is no selector: expected small letters, digits and hyphens, such as "s2026a"`);
}

function parseSender(written: string): string {
  // A name with a quote in it must be quoted as a whole: nobody could tell where it ends.
  const match = /^(?:"(?:[^"\\\r\n]|\\[^\r\n])*"|[^"<>\r\n]*?)\s*<([^<>]*)>$/.exec(written);
  if (ADDRESS.test(match?.[1] ?? written)) return written;
  throw new TextError(`"${written}" is no sender: expected such as "Hearth & Home <hello@hearth.example>"`);
}

function parseZone(written: string): string {
  if (zone(written) !== null) return written;
  throw new TextError(`"${written}" is no IANA time zone: expected such as "Europe/London"`);
}

function parseLocale(written: string): string {
  try {
    return new Intl.Locale(written).toString();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TextError(`"${written}" is no locale (BCP 47): expected such as "en-GB"`);
  }
}

function parseAllowed(written: string): string {
  if (ADDRESS.test(written) || /^[^\s@<>,;".]+(?:\.[^\s@<>,;".]+)+$/.test(written)) return written;
  throw new TextError(`"${written}" is neither an address nor a domain: expected such as "hearth.example"`);
}

const address = text('an address', ['friends@hearth.example'], parseAddress);

const company = z
  .object({
    name: words('the name of the company').describe('Who writes.'),
    address: words('a postal address')
      .optional()
      .describe('A postal address; required before marketing mail may be sent.'),
    website: z
      .url({ error: 'expected a web address, such as "https://hearth.example"' })
      .optional()
      .meta({ description: 'Where the company is on the web.', examples: ['https://hearth.example'] }),
    care: z
      .looseObject({
        email: address.optional().describe('Where customers write to.'),
        phone: words('a telephone number').optional().describe('The number they call.'),
      })
      .optional()
      .describe('The customers-only line.'),
  })
  .catchall(z.unknown())
  .describe('The company; every field is `company.…` in templates.');

/** Each signature is some 600 bytes and a millisecond of work. */
const MOST_SELECTORS = 4;

const dkim = z.strictObject({
  domain: text('a domain', ['hearth.example'], parseDomain)
    .optional()
    .describe("The domain that signs. Default: the sender's."),
  selectors: z
    .array(text('a selector', ['s2026a'], parseSelector))
    .min(1, { error: 'expected at least one selector' })
    .max(MOST_SELECTORS, { error: `at most ${MOST_SELECTORS} selectors` })
    .describe('The names of the keys; each signs every mail. Private keys are never here: see `perennial dkim`.'),
});

const mail = z.strictObject({
  from: text('a sender', ['Hearth & Home <hello@hearth.example>'], parseSender).describe('The sender of every mail.'),
  reply_to: address.optional().describe('Where answers go. Default: the sender.'),
  bounces: text('a mailbox', ['bounce@hearth.example'], parseBounceMailbox)
    .optional()
    .describe(
      'A mailbox that takes what comes back; each mail gets a signed return path there, such as ' +
        '`bounce+TOKEN@hearth.example`. Default: the sender, without a token.',
    ),
  dkim: dkim.optional().describe('Signs every mail (DKIM). Default: nothing is signed here.'),
  tracking: z
    .strictObject({
      clicks: z
        .boolean({ error: 'expected true or false' })
        .optional()
        .describe('Links lead through your public address, and clicks are recorded. Default: false.'),
      opens: z
        .boolean({ error: 'expected true or false' })
        .optional()
        .describe('Mails carry a pixel, and openings are recorded. Default: false.'),
    })
    .optional()
    .describe(
      'What readers do with a mail, as `vars.STEP.clicked` and `vars.STEP.opened`. Default: nothing is recorded.',
    ),
  only_to: z
    .array(text('an address or a domain', ['hearth.example'], parseAllowed))
    .optional()
    .describe('For staging: whole addresses, or domains; mail to everybody else is skipped. Default: everybody.'),
});

const defaults = z
  .strictObject({
    timezone: text('an IANA time zone', ['Europe/London'], parseZone)
      .optional()
      .describe('For customers without one, and for launches. Default: UTC.'),
    locale: text('a locale', ['en-GB'], parseLocale).optional().describe('For customers without one. Default: en.'),
    at: timeOfDay.optional().describe('Local time of date triggers that name none. Default: 09:00.'),
    send_window: sendWindow.optional().describe("When mail may go out, in the customer's zone. Default: any."),
    late_after: duration.optional().describe('A mail overdue for longer is skipped as late. Default: 3 days.'),
    leap_day: z.enum(['feb-28', 'mar-1', 'skip']).optional().describe('29 February in other years. Default: feb-28.'),
  })
  .describe('What holds where a customer or a playbook says nothing.');

const fieldType = z.enum(['string', 'number', 'boolean', 'date', 'datetime', 'list']);

const topic = z.strictObject({
  title: words('a title').describe('What the customer reads.'),
  default: z
    .enum(['in', 'out'])
    .optional()
    .describe('Whether a customer who never said anything is subscribed. Default: in.'),
  transactional: z
    .boolean({ error: 'expected true or false' })
    .optional()
    .describe('Sent whatever the subscriptions, without window or cap. Default: false.'),
});

const cap = z.strictObject({
  at_most: z
    .int({ error: 'expected a whole number' })
    .min(1, { error: 'expected 1 or more' })
    .describe('How many mails.'),
  per: duration.describe('In how long, rolling.'),
});

const blackout = z.strictObject({
  from: localDate.describe('The first local day without mail.'),
  until: localDate.describe('The first local day with mail again.'),
});

const stage = z.strictObject({
  name: words('a name', 100).describe('The name of the stage.'),
  when: condition.describe('Who is in it, unless an earlier stage has them.'),
});

/** The file perennial.yaml. */
export const perennial = z
  .strictObject({
    company,
    mail: mail.describe('Who the mail is from.'),
    defaults: defaults.optional(),
    purchase: z
      .strictObject({
        event: eventName.describe('The name of that event.'),
        amount: identifier
          .optional()
          .meta({ description: 'The field of the event that says for how much.', examples: ['total'] }),
      })
      .optional()
      .describe(
        'Which event is a purchase: it makes `customer.orders`, `spent`, `first_order_at` and `last_order_at`.',
      ),
    attributes: z
      .record(identifier, fieldType)
      .optional()
      .describe('What is known of a customer beyond the built-in fields.'),
    events: z
      .record(eventName, z.record(identifier.meta({ examples: ['total'] }), fieldType))
      .optional()
      .describe('The events and the data that each carries.'),
    topics: z
      .record(cleanName.meta({ examples: ['news'] }), topic)
      .optional()
      .describe('What a customer can subscribe to.'),
    caps: z.array(cap).optional().describe('For all non-transactional mail together.'),
    blackouts: z.array(blackout).optional().describe('Local days without non-transactional mail; it waits.'),
    sending: sending.optional(),
    stages: z.array(stage).optional().describe('The first that matches is `customer.stage`.'),
  })
  .describe('The company and its data.')
  .meta({ title: 'perennial.yaml' });

export type CompanySource = z.output<typeof perennial>;
