/** What a mail that is to be looked at is filled with. */
import type { MailScope } from '../../engine/message/scope.ts';
import type { TemplateSet } from '../../engine/message/templates.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Playbook, Release } from '../../engine/playbook/types.ts';

/** A mail that is to be made, from a folder without mistakes. */
export interface MailToMake {
  /** As playbooks name it. */
  readonly name: string;
  readonly release: Release;
  readonly templates: TemplateSet;
  readonly sources: readonly SourceFile[];
  /** The playbooks that send it. */
  readonly playbooks: readonly Playbook[];
  /** Whether coupon codes are made up even where the customer has one. */
  readonly withoutCodes: boolean;
}

/** What a template is filled with. */
export interface Filling {
  readonly scope: Omit<MailScope, 'locale' | 'company' | 'unsubscribe_url' | 'preferences_url'>;
  readonly locale: string | null;
  readonly customer: string | null;
  readonly notes: readonly string[];
}

/** What the survey asks that sends the mail; null when none does. */
export function askOf({ playbooks, name }: MailToMake): string | null {
  const steps = playbooks.flatMap((playbook) => [...playbook.steps.values()]);
  const survey = steps.find((step) => step.kind === 'survey' && step.template === name);
  return survey?.kind === 'survey' ? survey.ask : null;
}
