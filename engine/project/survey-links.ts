/** Whether the mails of surveys have links to answer by, and other mails have none. */
import type { MailBody } from '../message/template.ts';
import type { TemplateSet } from '../message/templates.ts';
import type { NamedMail } from '../playbook/check/mails.ts';
import type { Problem } from '../playbook/problem.ts';

const LINKS = 'survey.links';

/**
 * Warns of surveys that nobody can answer by a click (answers may still come in as events), and of other mails with
 * links for answers, which would be held.
 */
export function checkSurveyLinks(mails: readonly NamedMail[], templates: TemplateSet): readonly Problem[] {
  return mails.flatMap((mail) =>
    variantsOf(mail.template, templates).flatMap((name) => problemOf(mail, name, templates)),
  );
}

/** The template and its other languages. */
export function variantsOf(template: string, templates: TemplateSet): readonly string[] {
  return templates.names.filter((name) => name === template || name.startsWith(`${template}.`));
}

function problemOf(mail: NamedMail, template: string, templates: TemplateSet): readonly Problem[] {
  const [page, text] = templates.get(template)?.bodies ?? [];
  const { kind, file, line, column } = mail;
  const isWrong = (body: MailBody | undefined): boolean => body?.reads.has(LINKS) !== (kind === 'survey');
  const isOnlyText = !isWrong(page) && text !== undefined;
  if (isOnlyText ? !isWrong(text) : !isWrong(page)) return [];
  const name = isOnlyText ? `${template}.txt` : template;
  const place = { file, line, column, level: 'warning' } as const;
  if (kind === 'survey') {
    const message = `the template \`${name}\` has no link to answer the survey by`;
    const fix = 'add {{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}, or {{survey_url 9}} for one score';
    return [{ ...place, code: 'no-answer-link', message, fix }];
  }
  const message = `the template \`${name}\` has links to answer a survey by, and this is none: its mail would be held`;
  return [{ ...place, code: 'not-a-survey', message, fix: 'send it in a `survey` step' }];
}
