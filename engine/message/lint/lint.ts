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
      const key = `${problem.file}\n${problem.line}\n${problem.column}\n${problem.code}`;
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

function problemsOf({ name, parts }: Template): readonly Problem[] {
  const mail: LintedMail = { parts, page: readPage(parts) };
  return MAIL_RULES.flatMap((rule) => [...rule.find(mail)].map((finding) => problemOf(rule, finding, name, mail)));
}

function problemOf(rule: MailRule, finding: MailFinding, name: string, { page, parts }: LintedMail): Problem {
  const { at, message, fix } = finding;
  const place = typeof at === 'number' ? page.placeAt(at) : at;
  return { ...(place ?? subjectOf(name, parts)), level: finding.level ?? rule.level, code: rule.code, message, fix };
}

/** What is said of a mail as a whole is said at its subject, where it can be allowed. */
function subjectOf(name: string, { subject: [first] }: LintedMail['parts']): Place {
  return (first === undefined ? null : placeOf(first.loc)) ?? { file: `templates/${name}.hbs`, line: 1, column: 1 };
}
