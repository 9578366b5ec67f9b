/** What a release needs of the configuration: said at the start and before a deployment, not when a mail is due. */
import type { Release } from '../engine/playbook/types.ts';
import { ConfigError, type Config, type ConfigProblem } from './config.ts';

/** @throws ConfigError when the release cannot be carried out with this configuration. */
export function requireSettings(
  release: Release,
  config: Pick<Config, 'publicUrl' | 'webhookKeys' | 'database'>,
): void {
  const problems: ConfigProblem[] = [];
  const survey = config.publicUrl === null ? firstWith(release, 'survey') : null;
  if (survey !== null) {
    const message =
      `is not set, and the survey in ${survey} needs it for the links in its mail. ` +
      'Set it to the address under which readers reach the role "public", e.g. https://mail.hearth.example';
    problems.push({ variable: 'PERENNIAL_PUBLIC_URL', message });
  }
  const { clicks = false, opens = false } = release.company.mail.tracking ?? {};
  if (config.publicUrl === null && survey === null && (clicks || opens)) {
    const message =
      'is not set, and `mail.tracking` in perennial.yaml needs it: clicks and openings are recorded there. ' +
      'Set it to the address under which readers reach the role "public", e.g. https://mail.hearth.example';
    problems.push({ variable: 'PERENNIAL_PUBLIC_URL', message });
  }
  const isTrial = config.database.kind === 'embedded';
  const webhook = config.webhookKeys === null && !isTrial ? firstWith(release, 'webhook') : null;
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
  const webhook = config.webhookKeys === null ? firstWith(release, 'webhook') : null;
  if (webhook === null) return [];
  return [
    `No PERENNIAL_WEBHOOK_SECRET: calls of webhooks, such as that in ${webhook}, are put on record and not made until it is set.`,
  ];
}

/** The first step of that kind, in words; null when there is none. */
function firstWith(release: Release, kind: 'survey' | 'webhook'): string | null {
  for (const playbook of release.playbooks) {
    for (const step of playbook.steps.values()) {
      if (step.kind === kind) return `playbooks/${playbook.name}.yaml (step "${step.id}")`;
    }
  }
  return null;
}
