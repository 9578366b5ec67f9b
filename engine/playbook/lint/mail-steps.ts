/** The mails of a playbook, with the templates that they are made from. */
import type { CheckedText } from '../checked.ts';
import type { LintContext, TemplateFacts } from './rule.ts';
import { stepsOf } from './steps.ts';

/** A step that sends a mail. */
export interface MailStep {
  /** Under `key` stands the template's name. */
  readonly owner: object;
  readonly key: 'email';
  readonly step: object;
  readonly template: string;
  readonly topic: string | undefined;
  /** One for each locale that there is. */
  readonly variants: readonly TemplateFacts[];
}

/** All mails of a playbook in written order, surveys among them. */
export function mailSteps({ templates }: LintContext, text: CheckedText): readonly MailStep[] {
  return stepsOf(text).flatMap((step): readonly MailStep[] => {
    const owner = 'survey' in step ? step.survey : 'email' in step ? step : null;
    if (owner === null) return [];
    const topic = ('email' in step ? step.topic : undefined) ?? text.source.topic;
    return [{ owner, key: 'email', step, template: owner.email, topic, variants: variantsOf(templates, owner.email) }];
  });
}

const byName = new WeakMap<readonly TemplateFacts[], ReadonlyMap<string, readonly TemplateFacts[]>>();

function variantsOf(templates: readonly TemplateFacts[], name: string): readonly TemplateFacts[] {
  let known = byName.get(templates);
  if (known === undefined) {
    const groups = new Map<string, TemplateFacts[]>();
    for (const facts of templates) groups.set(facts.name, [...(groups.get(facts.name) ?? []), facts]);
    known = groups;
    byName.set(templates, known);
  }
  return known.get(name) ?? [];
}

/** The file of a template; of one that is yet to be written, what it would be. */
export function fileOf({
  name,
  locale,
  file,
}: Pick<TemplateFacts, 'name' | 'locale'> & { readonly file?: string }): string {
  return file ?? `templates/${name}${locale === null ? '' : `.${locale}`}.hbs`;
}
