import path from 'node:path';
import { z } from 'zod';
import { nearest } from '../engine/playbook/nearest.ts';
import { BadRedisUrl, parseRedisUrl } from '../engine/queue/redis-place.ts';
import { feedbackSettings, feedbackVariables, type FeedbackSettings } from './feedback/settings.ts';
import { parseImapUrl, type ImapPlace } from '../engine/mail/bounce/imap-url.ts';
import { isLoopbackHost } from '../engine/mail/loopback.ts';
import { MailError } from '../engine/mail/url.ts';
import { readDkimPlaces, type DkimKeySource } from './dkim-keys.ts';
import { inClearProblems } from './in-clear.ts';
import { maskUrl } from './mask-url.ts';
import { readWebhookSecret } from './webhooks/sign.ts';

export { maskUrl };

/** A setting that is wrong: which, what was expected, what to do. Never holds a secret. */
export interface ConfigProblem {
  readonly variable: string;
  readonly message: string;
}

/** The environment cannot be used; the message lists every problem at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'invalid_config';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable}: ${message}`);
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.problems = problems;
  }
}

/** How many jobs of each lane one process works on at a time. */
export interface Concurrency {
  readonly advance: number;
  readonly transactional: number;
  readonly bulk: number;
}

/** What the environment says, checked. */
export interface Config {
  readonly projectDir: string;
  readonly database:
    { readonly kind: 'embedded'; readonly dir: string } | { readonly kind: 'external'; readonly url: string };
  /** null: hints go over PostgreSQL. */
  readonly redisUrl: string | null;
  /** Hosts that may be spoken to in clear, in small letters. */
  readonly trustedHosts: ReadonlySet<string>;
  /** null: mail goes to the local inbox. */
  readonly smtpUrl: string | null;
  /** The mailbox to which mail comes back; null: none that is looked into. */
  readonly bouncesMailbox: ImapPlace | null;
  /** null: this process serves the local inbox itself. */
  readonly inboxUrl: string | null;
  /** null: the intake answers nobody. */
  readonly writeKey: string | null;
  readonly publicHost: string;
  readonly publicPort: number;
  /** Where each process tells how it is. */
  readonly metricsHost: string;
  /** null: 4590, or any free port where another process has that one. */
  readonly metricsPort: number | null;
  /** A process that has work and does nothing for so long is ended, in ms. */
  readonly watchdogMs: number;
  /** Under which readers reach the public server, without a slash at its end; null: under none that is known. */
  readonly publicUrl: string | null;
  /** What signs webhooks, the present one first; null: they are not called. */
  readonly webhookKeys: readonly Uint8Array[] | null;
  /** Hosts that webhooks may call whatever their addresses. */
  readonly webhookAllow: ReadonlySet<string>;
  /** What webhooks of mail providers are checked by. */
  readonly feedback: FeedbackSettings;
  readonly concurrency: Concurrency;
  readonly smtpConnections: number;
  /** Private keys that sign mail, by selector; null: they are in .perennial/dkim of the company's folder. */
  readonly dkimKeys: ReadonlyMap<string, DkimKeySource> | null;
  readonly logLevel: LogLevel;
}

/** Of the public server. */
const DEFAULT_PORT = 4_500;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** How much is logged, in the terms of pino. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const DEFAULT_CONCURRENCY: Concurrency = { advance: 2, transactional: 4, bulk: 4 };

/** A number of parallel jobs that one process can still serve with its share of database connections. */
const MAX_CONCURRENCY = 64;

/** The variables that are read. The descriptions are what the README prints. */
const schema = z.object({
  DATABASE_URL: serverUrl(['postgres', 'postgresql'], 'postgres://user:password@host:5432/database')
    .optional()
    .meta({ description: 'PostgreSQL 14 or later', unset: 'an embedded PostgreSQL in .perennial/' }),
  REDIS_URL: z.string().superRefine(requireRedisUrl).optional().meta({
    description: 'Redis 6.2 or later, or Valkey, for the queue; also by Sentinels',
    unset: 'the queue runs on PostgreSQL',
  }),
  SMTP_URL: serverUrl(['smtp', 'smtps'], 'smtp://user:password@host:587')
    .optional()
    .meta({ description: 'the server that takes the mail', unset: 'a local inbox; nothing leaves the machine' }),
  PERENNIAL_TRUSTED_HOSTS: z.string().default('').transform(readHosts).meta({
    description:
      'hosts of the three above that may be used without TLS (Redis: and without a password), by commas: nobody else is on the network between',
    unset: 'none but this machine',
  }),
  PERENNIAL_INBOX_URL: serverUrl(['smtp'], 'smtp://127.0.0.1:2525')
    .refine((url) => !URL.canParse(url) || isLoopbackHost(new URL(url).hostname), {
      error: 'expected a server on this machine, e.g. smtp://127.0.0.1:2525: an inbox stays local',
    })
    .optional()
    .meta({
      description: 'a local inbox that another process serves, on this machine',
      unset: 'each process that delivers serves its own, into .perennial/inbox',
    }),
  PERENNIAL_WRITE_KEY: z
    .string()
    .min(16, { error: 'expected at least 16 characters. Make one with: openssl rand -hex 24' })
    .optional()
    .meta({
      description: 'the key that events and profiles must be sent with, at least 16 characters',
      unset: 'one is made in .perennial/write-key; with DATABASE_URL the role public needs it',
    }),
  PERENNIAL_PUBLIC_HOST: hostName()
    .default('127.0.0.1')
    .meta({ description: 'the address that the public server listens on' }),
  PERENNIAL_PUBLIC_PORT: wholeNumber(0, 65_535, '4500')
    .default(DEFAULT_PORT)
    .meta({ description: 'its port; 0 for any free one' }),
  PERENNIAL_PUBLIC_URL: serverUrl(['https', 'http'], 'https://mail.hearth.example').optional().meta({
    description: 'the address under which readers reach the public server; links in mails begin with it',
    unset: 'http://127.0.0.1 with the port above; with DATABASE_URL or SMTP_URL, marketing mail and surveys need it',
  }),
  PERENNIAL_WEBHOOK_SECRET: z.string().transform(readSecrets).optional().meta({
    description:
      'the secret that signs calls of `webhook` steps: `whsec_` and 24 to 64 bytes in base64; several by commas',
    unset: 'calls are put on record and not made; with DATABASE_URL, playbooks with webhooks need it',
  }),
  PERENNIAL_WEBHOOK_ALLOW: z.string().default('').transform(readHosts).meta({
    description: 'hosts that webhooks may call although their addresses are not public: host or host:port, by commas',
    unset: 'none',
  }),
  ...feedbackVariables,
  PERENNIAL_METRICS_HOST: hostName()
    .default('127.0.0.1')
    .meta({ description: 'the address on which each process has `/healthz`, `/readyz` and `/metrics`' }),
  PERENNIAL_METRICS_PORT: wholeNumber(0, 65_535, '4590').optional().meta({
    description: 'its port; 0 for any free one',
    unset: '4590, or any free one where another process has that: the log says which',
  }),
  PERENNIAL_WATCHDOG_SECONDS: wholeNumber(1, 3_600, '60')
    .default(60)
    .meta({ description: 'a process that has work and does nothing for so long is ended' }),
  PERENNIAL_CONCURRENCY: z
    .string()
    .default('')
    .transform(readConcurrency)
    .meta({
      description: 'jobs at a time in one process, by lane; lanes that are left out keep their default',
      unset: writeConcurrency(DEFAULT_CONCURRENCY),
    }),
  PERENNIAL_SMTP_CONNECTIONS: wholeNumber(1, 100, '8')
    .default(8)
    .meta({ description: 'connections to the mail server from one process' }),
  PERENNIAL_DKIM_KEYS: z.string().transform(readDkimKeys).optional().meta({
    description:
      'the private keys of `mail.dkim`: SELECTOR=FILE, or SELECTOR=base64: and the file in base64; several by commas',
    unset: '.perennial/dkim/SELECTOR.pem in the company folder',
  }),
  BOUNCES_IMAP_URL: z.string().transform(readImapUrl).optional().meta({
    description:
      'the mailbox to which mail comes back, imaps://user:password@host/INBOX; the role scheduler looks into it',
    unset: 'none is read; `perennial bounces` takes files',
  }),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: (issue) => `expected one of ${LOG_LEVELS.join(', ')}, not ${quote(issue.input)}` })
    .default('info')
    .meta({ description: 'how much is logged' }),
});

/** A variable that Perennial reads, for the documentation. */
export interface ConfigVariable {
  readonly name: string;
  readonly description: string;
  /** What holds when it is not set. */
  readonly unset: string;
}

/** All variables that are read, in the order in which to document them. */
export const configVariables: readonly ConfigVariable[] = Object.entries(schema.shape).map(([name, field]) => {
  const meta = field.meta() as { description: string; unset?: string };
  const fallback: unknown = field.parse(undefined);
  return {
    name,
    description: meta.description,
    unset: meta.unset ?? (typeof fallback === 'string' ? fallback : JSON.stringify(fallback)),
  };
});

/**
 * Reads the whole configuration from the environment. A variable that is empty counts as not set.
 * @param projectDir the company's folder, in which the embedded database has its place.
 * @throws ConfigError with all problems at once; secrets are not in its message.
 */
export function readConfig(env: NodeJS.ProcessEnv, projectDir: string): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const read = schema.safeParse(set);
  const problems = [
    ...unknownVariables(set),
    ...(read.success ? problemsInClear(read.data) : read.error.issues.map(problemOf)),
  ];
  if (!read.success || problems.length > 0) throw new ConfigError(problems);
  const value = read.data;
  return {
    projectDir: path.resolve(projectDir),
    database:
      value.DATABASE_URL === undefined
        ? { kind: 'embedded', dir: path.resolve(projectDir, '.perennial') }
        : { kind: 'external', url: value.DATABASE_URL },
    redisUrl: value.REDIS_URL ?? null,
    trustedHosts: value.PERENNIAL_TRUSTED_HOSTS,
    smtpUrl: value.SMTP_URL ?? null,
    bouncesMailbox: value.BOUNCES_IMAP_URL ?? null,
    inboxUrl: value.PERENNIAL_INBOX_URL ?? null,
    writeKey: value.PERENNIAL_WRITE_KEY ?? null,
    publicHost: value.PERENNIAL_PUBLIC_HOST,
    publicPort: value.PERENNIAL_PUBLIC_PORT,
    metricsHost: value.PERENNIAL_METRICS_HOST,
    metricsPort: value.PERENNIAL_METRICS_PORT ?? null,
    watchdogMs: value.PERENNIAL_WATCHDOG_SECONDS * 1_000,
    publicUrl: publicUrlOf(value),
    webhookKeys: value.PERENNIAL_WEBHOOK_SECRET ?? null,
    webhookAllow: value.PERENNIAL_WEBHOOK_ALLOW,
    feedback: feedbackSettings(value),
    concurrency: value.PERENNIAL_CONCURRENCY,
    smtpConnections: value.PERENNIAL_SMTP_CONNECTIONS,
    dkimKeys: value.PERENNIAL_DKIM_KEYS ?? null,
    logLevel: value.LOG_LEVEL,
  };
}

function problemsInClear(value: z.output<typeof schema>): readonly ConfigProblem[] {
  const { DATABASE_URL: database = null, REDIS_URL: redis = null, SMTP_URL: smtp = null } = value;
  return inClearProblems({ database, redis, smtp }, value.PERENNIAL_TRUSTED_HOSTS);
}

/**
 * A machine of one's own is reached from itself, as long as no mail leaves it. Where the system chooses the port, links
 * are for the next start.
 */
function publicUrlOf(value: z.output<typeof schema>): string | null {
  const { PERENNIAL_PUBLIC_URL: url, PERENNIAL_PUBLIC_PORT: port, DATABASE_URL: database, SMTP_URL: smtp } = value;
  if (url !== undefined) return url.replace(/\/+$/, '');
  return database === undefined && smtp === undefined ? `http://127.0.0.1:${port === 0 ? DEFAULT_PORT : port}` : null;
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(env).filter((name) => name.startsWith('PERENNIAL_') && !known.includes(name));
  return unknown.map((variable) => {
    const guess = nearest(variable, known);
    const advice = guess === null ? `Unset it; the known ones are ${known.join(', ')}` : `Did you mean ${guess}?`;
    return { variable, message: `is not a setting of Perennial. ${advice}` };
  });
}

function problemOf(issue: z.core.$ZodIssue): ConfigProblem {
  return { variable: String(issue.path[0]), message: issue.message };
}

function serverUrl(schemes: readonly string[], example: string): z.ZodType<string, string> {
  const wanted = schemes.map((scheme) => `${scheme}://`).join(' or ');
  return z.string().superRefine((value, context) => {
    const message = `expected a URL that begins with ${wanted} and names a host, e.g. ${example}, not ${maskUrl(value)}`;
    if (!URL.canParse(value)) {
      const advice = 'Characters such as # / ? @ in a password must be percent-encoded.';
      context.addIssue({ code: 'custom', message: `${message}. ${advice}` });
      return;
    }
    const { protocol, hostname } = new URL(value);
    if (!schemes.includes(protocol.slice(0, -1)) || hostname === '') context.addIssue({ code: 'custom', message });
  });
}

function requireRedisUrl(value: string, context: z.RefinementCtx): void {
  try {
    parseRedisUrl(value);
  } catch (error) {
    if (!(error instanceof BadRedisUrl)) throw error;
    context.addIssue({ code: 'custom', message: `${error.message}, not ${maskUrl(value)}` });
  }
}

function hostName(): z.ZodString {
  return z.string().regex(/^[A-Za-z0-9._:-]+$/, {
    error: (issue) => `expected an address or a host name, e.g. 0.0.0.0, not ${quote(issue.input)}`,
  });
}

function readImapUrl(value: string, context: z.RefinementCtx): ImapPlace {
  try {
    return parseImapUrl(value);
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
}

function wholeNumber(min: number, max: number, example: string): z.ZodType<number, string | number> {
  const expected = `expected a whole number from ${min} to ${max}, e.g. ${example}`;
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const read = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
    if (read >= min && read <= max) return read;
    context.addIssue({ code: 'custom', message: `${expected}, not ${quote(value)}` });
    return z.NEVER;
  });
}

function readSecrets(text: string, context: z.RefinementCtx): readonly Uint8Array[] {
  const keys = listOf(text).map((secret) => readWebhookSecret(secret));
  const known = keys.filter((key) => key !== null);
  if (known.length === keys.length && known.length > 0) return known;
  const message =
    'expected whsec_ and 24 to 64 bytes in base64, several parted by commas. ' +
    'Make one with: echo "whsec_$(openssl rand -base64 32)"';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function readDkimKeys(text: string, context: z.RefinementCtx): ReadonlyMap<string, DkimKeySource> {
  const places = readDkimPlaces(text);
  if (typeof places !== 'string') return places;
  const message = `expected SELECTOR=FILE, such as s2026=/etc/perennial/s2026.pem, several parted by commas: ${places}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function readHosts(text: string, context: z.RefinementCtx): ReadonlySet<string> {
  const hosts = listOf(text).map((host) => host.toLowerCase());
  const wrong = hosts.find((host) => !/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host));
  if (wrong === undefined) return new Set(hosts);
  const message = `expected hosts such as crm.internal or 10.0.0.7:8080, parted by commas, not ${quote(wrong)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readConcurrency(text: string, context: z.RefinementCtx): Concurrency {
  const read: { -readonly [Name in keyof Concurrency]: number } = { ...DEFAULT_CONCURRENCY };
  for (const part of text.split(',').map((part) => part.trim())) {
    if (part === '') continue;
    const [, lane = '', count = ''] = /^([a-z]+)\s*=\s*(\d+)$/.exec(part) ?? [];
    if (!isLane(lane) || Number(count) < 1 || Number(count) > MAX_CONCURRENCY) {
      const message =
        `expected lanes with numbers from 1 to ${MAX_CONCURRENCY}, e.g. ${writeConcurrency(DEFAULT_CONCURRENCY)}, ` +
        `not ${quote(part)}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    read[lane] = Number(count);
  }
  return read;
}

function isLane(name: string): name is keyof Concurrency {
  return Object.hasOwn(DEFAULT_CONCURRENCY, name);
}

function writeConcurrency(concurrency: Concurrency): string {
  return Object.entries(concurrency)
    .map(([lane, count]) => `${lane}=${count}`)
    .join(',');
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
