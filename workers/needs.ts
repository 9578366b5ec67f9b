/** What a release needs of the configuration: said at the start and before a deployment, not when a mail is due. */
import { isLoopbackHost } from '../engine/mail/loopback.ts';
import type { Release, Step } from '../engine/playbook/types.ts';
import { ConfigError, type Config, type ConfigProblem } from './config.ts';

/** @throws ConfigError when the release cannot be carried out with this configuration. */
export function requireSettings(
  release: Release,
  config: Pick<Config, 'publicUrl' | 'webhookKeys' | 'database' | 'smtpUrl'>,
): void {
  const problems: ConfigProblem[] = [...marketingProblems(release, config)];
  const survey = config.publicUrl === null ? firstWith(release, ({ kind }) => kind === 'survey') : null;
  if (survey !== null) {
    const message = `is not set, and the survey in ${survey} needs it for the links in its mail. ${URL_ADVICE}`;
    problems.push({ variable: PUBLIC_URL, message });
  }
  const { clicks = false, opens = false } = release.company.mail.tracking ?? {};
  if (config.publicUrl === null && survey === null && (clicks || opens)) {
    const message =
      'is not set, and `mail.tracking` in perennial.yaml needs it: clicks and openings are recorded there. ' +
      URL_ADVICE;
    problems.push({ variable: PUBLIC_URL, message });
  }
  const isTrial = config.database.kind === 'embedded';
  const webhook = config.webhookKeys === null && !isTrial ? firstWith(release, ({ kind }) => kind === 'webhook') : null;
  if (webhook !== null) {
    const message =
      `is not set, and the webhook in ${webhook} needs it: calls are signed. ` +
      'Make one with: echo "whsec_$(openssl rand -base64 32)", and give it to the receiver';
    problems.push({ variable: 'PERENNIAL_WEBHOOK_SECRET', message });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** What a person should know who starts with this configuration, a sentence each. */
export function notesFor(release: Release, config: Pick<Config, 'webhookKeys'>): readonly string[] {
  const webhook = config.webhookKeys === null ? firstWith(release, ({ kind }) => kind === 'webhook') : null;
  if (webhook === null) return [];
  return [
    `No PERENNIAL_WEBHOOK_SECRET: calls of webhooks, such as that in ${webhook}, are put on record and not made until it is set.`,
  ];
}

const PUBLIC_URL = 'PERENNIAL_PUBLIC_URL';
const URL_ADVICE =
  'Set it to the address under which readers reach the role "public", e.g. https://mail.hearth.example';

/** Readers must be able to leave. That mail shows who writes is asked by `check` (the company's postal address). */
function* marketingProblems(
  release: Release,
  { publicUrl, smtpUrl }: Pick<Config, 'publicUrl' | 'smtpUrl'>,
): Generator<ConfigProblem> {
  const mail = firstWith(
    release,
    (step) => (step.kind === 'email' || step.kind === 'survey') && !step.topic.transactional,
  );
  if (mail === null) return;
  if (publicUrl === null) {
    const message = `is not set, and the marketing mail in ${mail} needs it for the links to unsubscribe. ${URL_ADVICE}`;
    yield { variable: PUBLIC_URL, message };
  } else if (smtpUrl !== null && !publicUrl.startsWith('https://') && !(isLocal(publicUrl) && isLocal(smtpUrl))) {
    const message =
      `is ${publicUrl}, and the marketing mail in ${mail} needs one that begins with https:// : ` +
      `mail programs unsubscribe with one click over https only (RFC 8058). ${URL_ADVICE}`;
    yield { variable: PUBLIC_URL, message };
  }
}

/** A rehearsal on one machine. */
function isLocal(url: string): boolean {
  return isLoopbackHost(new URL(url).hostname);
}

/** The first such step, in words; null when there is none. */
function firstWith(release: Release, isMeant: (step: Step) => boolean): string | null {
  for (const playbook of release.playbooks) {
    for (const step of playbook.steps.values()) {
      if (isMeant(step)) return `playbooks/${playbook.name}.yaml (step "${step.id}")`;
    }
  }
  return null;
}
