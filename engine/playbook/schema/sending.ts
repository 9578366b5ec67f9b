/** `sending` in perennial.yaml: how fast mail leaves. */
import { z } from 'zod';
import { localDate } from './text.ts';

const DOMAIN = /^(?:\*|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+)$/;

/** From one mail in ten minutes to more than any server takes. */
const perSecond = z
  .number({ error: 'expected a number of mails per second, such as 20 or 0.5' })
  .min(0.001, { error: 'expected 0.001 or more mails per second; to stop mail, use "perennial pause"' })
  .max(10_000, { error: 'expected at most 10,000 mails per second; leave it out for no limit' })
  .meta({ examples: [20] });

const perDay = z
  .int({ error: 'expected a whole number of mails' })
  .min(1, { error: 'expected 1 or more mails a day' })
  .max(1_000_000_000, { error: 'expected at most 1,000,000,000 mails a day' });

const domain = z
  .string()
  .regex(DOMAIN, { error: 'expected a domain in small letters, such as "example.com", or "*" for every other one' })
  .meta({ examples: ['example.com'] });

/** How fast mail leaves. */
export const sending = z
  .strictObject({
    per_second: perSecond
      .optional()
      .describe('Mails per second to each mail server, from the whole fleet. Default: as many as it takes.'),
    domains: z
      .record(domain, perSecond)
      .optional()
      .describe('Mails per second to readers at one domain; `"*"` is each domain that is not named.'),
    warm_up: z
      .strictObject({
        from: localDate.describe("The first day, in the company's zone."),
        per_day: z
          .array(perDay)
          .min(1, { error: 'expected the number of mails for one day or more' })
          .meta({ examples: [[200, 500, 1000]] })
          .describe('How many mails on the first day, the second, and so on; after the last there is no limit.'),
      })
      .optional()
      .describe('For a sender that receivers do not know yet: so many mails a day, growing.'),
  })
  .describe('How fast mail leaves. Simulations and tests know nothing of it.');
