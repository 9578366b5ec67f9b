/** The linter of mails: every rule over every template that can be rendered. */
import type { Allowances } from '../../playbook/lint/allowances.ts';
import type { Problem, SourceFile } from '../../playbook/problem.ts';
import { type Place, placeOf } from '../parse.ts';
import type { Template } from '../template.ts';
import type { TemplateSet } from '../templates.ts';
import { templateAllowances } from './allowances.ts';
import { readPage } from './page.ts';
import type { LintedMail, MailFinding, MailRule } from './rule.ts';
import { MAIL_RULES } from './rules.ts';

/** What was found in a company's templates, and what its templates allow. */
export interface LintedMails {
  readonly found: readonly Problem[];
  /** By file. */
  readonly allowances: ReadonlyMap<string, Allowances>;
}

/**
 * What the rules find, each place once, however many mails it is in. @param sources the templates' files, layouts and
 * partials among them.
 */
export function lintMails(templates: TemplateSet, sources: readonly SourceFile[]): LintedMails {
  const found = new Map<string, Problem>();
  for (const name of templates.names) {
    const template = templates.get(name);
    for (const problem of template === null ? [] : problemsOf(template)) {
      const key = keyOf(problem);
      if (!found.has(key)) found.set(key, problem);
    }
  }
  const names = MAIL_RULES.map(({ code }) => code);
  const files = sources.filter(({ path }) => path.startsWith('templates/'));
  return {
    found: [...found.values()],
    allowances: new Map(files.map((file) => [file.path, templateAllowances(file, names)])),
  };
}

/** Of a mail in MJML much is said at one place. */
function keyOf({ file, line, column, code, message }: Problem): string {
  return [file, line, column, code, ...(file.endsWith('.mjml') ? [message] : [])].join('\n');
}

function problemsOf({ file, parts }: Template): readonly Problem[] {
  const mail: LintedMail = { parts, page: readPage(parts) };
  return MAIL_RULES.flatMap((rule) => [...rule.find(mail)].map((finding) => problemOf(rule, finding, file, mail)));
}

/** What MJML has made stands in no file. */
function problemOf(rule: MailRule, finding: MailFinding, file: string, { page, parts }: LintedMail): Problem {
  const { at, message, fix } = finding;
  const place = typeof at === 'number' ? page.placeAt(at) : at;
  return { ...(place ?? subjectOf(file, parts)), level: finding.level ?? rule.level, code: rule.code, message, fix };
}

/** What is said of a mail as a whole is said at its subject, where it can be allowed. */
function subjectOf(file: string, { subject: [first] }: LintedMail['parts']): Place {
  return (first === undefined ? null : placeOf(first.loc)) ?? { file, line: 1, column: 1 };
}
