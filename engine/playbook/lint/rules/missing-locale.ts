import { fileOf, mailSteps, type MailStep } from '../mail-steps.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

function languageOf(locale: string): string {
  return locale.split('-')[0] ?? locale;
}

/** Whether a reader of this locale is written to in a language of their own. */
function serves({ variants }: MailStep, locale: string, home: string): boolean {
  const has = variants.some(
    (one) => one.locale !== null && (locale === one.locale || locale.startsWith(`${one.locale}-`)),
  );
  return has || (languageOf(locale) === home && variants.some((one) => one.locale === null));
}

function* find(context: LintContext): Generator<Finding> {
  const home = languageOf(context.company.source.defaults?.locale ?? 'en');
  for (const text of context.playbooks) {
    const mails = mailSteps(context, text).filter(({ variants }) => variants.length > 0);
    const locales = [
      ...new Set(mails.flatMap(({ variants }) => variants.flatMap(({ locale }) => locale ?? []))),
    ].sort();
    for (const mail of mails) {
      const { owner, key, template, variants } = mail;
      const missing = locales.filter((locale) => !serves(mail, locale, home));
      if (missing.length > 0) {
        const message = `\`${template}\` is not there in ${missing.join(', ')}, and other mails of this playbook are: readers get it in another language`;
        const files = missing.map((locale) => fileOf({ name: template, locale })).join(', ');
        yield findingAt(text, { owner, key }, { message, fix: `write ${files}` });
      }
      if (variants.every(({ locale }) => locale !== null)) {
        const message = `\`${template}\` is there in ${[...new Set(variants.map(({ locale }) => locale))].join(', ')} only: for readers of other languages there is no mail`;
        yield findingAt(text, { owner, key }, { message, fix: `write ${fileOf({ name: template, locale: null })}` });
      }
    }
  }
}

/** Mails that are not there in a language in which the rest of the playbook is. */
export const missingLocale: Rule = {
  code: 'missing-locale',
  level: 'warning',
  reason: 'A conversation that begins in one language should go on in it.',
  find,
};
