/** The settings of providers' webhooks: one for each, and no address is served without its setting. */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readSendgridKey } from '../../engine/mail/feedback/verify.ts';
import { readWebhookSecret } from '../webhooks/sign.ts';

/** What each provider's webhooks are checked by; null: they are not taken in. */
export interface FeedbackSettings {
  /** ARNs of SNS topics. */
  readonly ses: ReadonlySet<string> | null;
  readonly sendgrid: KeyObject | null;
  readonly mailgun: string | null;
  /** `user:password`. */
  readonly postmark: string | null;
  /** `user:password`, or a token. */
  readonly brevo: string | null;
  readonly resend: readonly Uint8Array[] | null;
}

const UNSET = 'not taken in';
const MIN_SECRET = 16;

/** The variables, for the schema of the configuration. */
export const feedbackVariables = {
  PERENNIAL_SES_TOPICS: z
    .string()
    .transform((text, context) => {
      const topics = listOf(text);
      if (
        topics.length > 0 &&
        topics.every((topic) => /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(?:\.fifo)?$/.test(topic))
      ) {
        return new Set(topics);
      }
      return mistake(context, 'expected ARNs of SNS topics by commas, e.g. arn:aws:sns:eu-west-1:123456789012:mail');
    })
    .optional()
    .meta({ description: 'webhooks of Amazon SES: the SNS topics that may report, ARNs by commas', unset: UNSET }),
  PERENNIAL_SENDGRID_KEY: z
    .string()
    .transform((text, context) => {
      const advice = 'expected the verification key of the Signed Event Webhook, as SendGrid shows it';
      return readSendgridKey(text) ?? mistake(context, advice);
    })
    .optional()
    .meta({ description: "webhooks of SendGrid: the signed event webhook's verification key", unset: UNSET }),
  PERENNIAL_MAILGUN_KEY: secret('the HTTP webhook signing key')
    .optional()
    .meta({ description: 'webhooks of Mailgun: the HTTP webhook signing key', unset: UNSET }),
  PERENNIAL_POSTMARK_LOGIN: login().optional().meta({
    description: "webhooks of Postmark: `user:password` as in the webhook's HTTP authentication",
    unset: UNSET,
  }),
  PERENNIAL_BREVO_TOKEN: secret("the webhook's token, or its user:password")
    .optional()
    .meta({ description: "webhooks of Brevo: the webhook's token, or `user:password`", unset: UNSET }),
  PERENNIAL_RESEND_SECRET: z
    .string()
    .transform((text, context) => {
      const keys = listOf(text).map(readWebhookSecret);
      const known = keys.filter((key) => key !== null);
      if (known.length > 0 && known.length === keys.length) return known;
      return mistake(context, 'expected the signing secret as Resend shows it, whsec_ and base64; several by commas');
    })
    .optional()
    .meta({ description: 'webhooks of Resend: the signing secret, `whsec_…`; several by commas', unset: UNSET }),
};

/** The variables as they are read. */
type Read = { readonly [Name in keyof typeof feedbackVariables]?: z.output<(typeof feedbackVariables)[Name]> };

/** The settings in the variables that were read. */
export function feedbackSettings(read: Read): FeedbackSettings {
  return {
    ses: read.PERENNIAL_SES_TOPICS ?? null,
    sendgrid: read.PERENNIAL_SENDGRID_KEY ?? null,
    mailgun: read.PERENNIAL_MAILGUN_KEY ?? null,
    postmark: read.PERENNIAL_POSTMARK_LOGIN ?? null,
    brevo: read.PERENNIAL_BREVO_TOKEN ?? null,
    resend: read.PERENNIAL_RESEND_SECRET ?? null,
  };
}

function secret(what: string): z.ZodType<string, string> {
  return z.string().min(MIN_SECRET, { error: `expected ${what}: at least ${MIN_SECRET} characters` });
}

function login(): z.ZodType<string, string> {
  const error = 'expected user:password with a password of at least 16 characters. Make one with: openssl rand -hex 24';
  return z.string().regex(/^[^:\s]+:\S{16,}$/, { error });
}

function mistake(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
