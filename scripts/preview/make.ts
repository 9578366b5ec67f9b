/** Makes one mail of a template, to be looked at: with made-up values, or as a customer of the database would get it. */
import { knownVariables } from '../../engine/message/known.ts';
import { placeOf } from '../../engine/message/parse.ts';
import { failingPlace } from '../../engine/message/places.ts';
import { sampleVariables } from '../../engine/message/sample.ts';
import { RenderError, usableLocale, type MailScope, type Rendered } from '../../engine/message/scope.ts';
import { sampleSurvey } from '../../engine/message/survey.ts';
import type { Template, TemplateSet } from '../../engine/message/templates.ts';
import { nearestAll } from '../../engine/playbook/nearest.ts';
import type { Problem } from '../../engine/playbook/problem.ts';
import type { Company, Playbook } from '../../engine/playbook/types.ts';
import { checkProject } from '../../engine/project/check.ts';
import type { Instant } from '../../engine/time/types.ts';
import { formatProblems, summarise } from '../check/format.ts';
import { nearestText, type Answer } from '../support/staff.ts';
import { harmless, type Terminal } from '../support/terminal.ts';
import { customerFilling } from './customer.ts';
import { askOf, type Filling, type MailToMake } from './filling.ts';

/** Which mail, and for whom. */
export interface PreviewOptions {
  readonly project: string;
  /** An id or address; undefined: made-up values. */
  readonly customer?: string;
  readonly locale?: string;
}

/** A mail that was made. */
export interface MadeMail extends Rendered {
  /** With its locale, if it is a variant. */
  readonly template: string;
  readonly locale: string;
  /** `Name <address>` or an address. */
  readonly from: string;
  readonly replyTo: string | null;
  /** The customer's id; null: made-up values. */
  readonly customer: string | null;
  /** Where its values come from, a sentence each. */
  readonly notes: readonly string[];
}

/** The mail with the company it is from, or why there is none. */
export type Made =
  | { readonly outcome: 'made'; readonly mail: MadeMail; readonly company: Company }
  | { readonly outcome: 'failed'; readonly answer: Answer };

/** Where links for unsubscribing lead in mails that nobody gets: to a name that never exists (RFC 2606). */
const NOWHERE = 'https://unsubscribe.example/sample';

/**
 * Makes the mail. Nothing is written anywhere. `now` is used where no database says otherwise.
 * @throws ProjectError when the folder cannot be read; what a database's absence throws.
 */
export async function makeMail(
  terminal: Pick<Terminal, 'colour'>,
  typed: string,
  options: PreviewOptions & { readonly withoutCodes: boolean },
  now: Instant,
): Promise<Made> {
  const { release, templates, problems, sources } = await checkProject(options.project);
  const show = (found: readonly Problem[]): string => formatProblems(found, { colour: terminal.colour, sources });
  if (release === null) return failed('mistakes', mistakesText(problems, show), { problems });
  const name = typed.replace(/^(?:.*\/)?templates\//, '').replace(/(?:\.txt)?\.(?:hbs|mjml)$/, '');
  if (templates.get(name, options.locale ?? null) === null) return unknown(typed, name, templates);
  const { withoutCodes } = options;
  const playbooks = release.playbooks.filter((playbook) => sends(playbook, name));
  const make: MailToMake = { name, release, templates, sources, playbooks, withoutCodes };
  const filled =
    options.customer === undefined
      ? sampleFilling(make, options, now)
      : await customerFilling(options.project, options.customer, make);
  if ('failed' in filled) return { outcome: 'failed', answer: filled };
  return render(make, filled, options, show);
}

function sends({ steps }: Playbook, template: string): boolean {
  return [...steps.values()].some((step) => 'template' in step && step.template === template);
}

function sampleFilling(make: MailToMake, { locale }: PreviewOptions, now: Instant): Filling {
  const { release, templates, name, sources } = make;
  const { company } = release;
  const readers = usableLocale(locale ?? null, company.locale);
  const template = templates.get(name, readers);
  if (template === null) throw new Error(`there is no template "${name}"`);
  const { zone } = company;
  const made = sampleVariables({ template, known: knownVariables(sources), now, locale: readers, zone: zone.name });
  const [launch] = release.launches.values();
  const survey = template.reads.has('survey.links') ? { survey: sampleSurvey(askOf(make) ?? 'nps') } : {};
  const scope = { ...made, ...(launch === undefined ? {} : { launch: launch.fields }), ...survey, zone, now };
  return { scope, locale: readers, customer: null, notes: ['Its values are made up.'] };
}

function render(
  { release: { company }, templates, name }: MailToMake,
  filling: Filling,
  { locale: wanted }: PreviewOptions,
  show: (problems: readonly Problem[]) => string,
): Made {
  const locale = usableLocale(wanted ?? null, filling.locale, company.locale);
  const template = templates.get(name, locale);
  if (template === null) throw new Error(`there is no template "${name}"`);
  const { customer, notes, scope } = filling;
  const urls = { unsubscribe_url: NOWHERE, preferences_url: NOWHERE };
  const whole: MailScope = { ...scope, ...urls, locale, company: company.fields };
  try {
    const rendered = template.render(whole);
    const from = template.from ?? company.mail.from;
    const { replyTo } = company.mail;
    return {
      outcome: 'made',
      company,
      mail: { ...rendered, template: template.name, locale, from, replyTo, customer, notes },
    };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const problem = renderProblem(template, error, whole);
    const text = `${show([problem])}Such a mail is held when it is to be sent. ${notes.map(harmless).join(' ')}\n`;
    return failed('cannot be written', text, { problems: [problem] });
  }
}

/** A hole in a mail, at the place in the template that needs the value. */
function renderProblem({ file, parts }: Template, error: RenderError, scope: MailScope): Problem {
  const [first] = error.path === 'subject' ? parts.subject : [];
  const place =
    (first === undefined ? null : placeOf(first.loc)) ??
    failingPlace([...parts.subject, ...parts.preheader, ...parts.html, ...(parts.text ?? [])], error, scope);
  const fix =
    error.code === 'missing-variable' && error.path.includes('.')
      ? `give it another text with {{default ${error.path} "…"}}, or test it with {{#if ${error.path}}}`
      : null;
  const { code, message } = error;
  return { ...(place ?? { file, line: 1, column: 1 }), level: 'error', code, message, fix };
}

function unknown(typed: string, name: string, { names }: TemplateSet): Made {
  const nearest = nearestAll(name, names, 5);
  const text = `There is no template "${harmless(typed)}".\n${nearestText(nearest)}`;
  return failed('unknown template', text, { nearest });
}

function mistakesText(problems: readonly Problem[], show: (problems: readonly Problem[]) => string): string {
  const errors = problems.filter(({ level }) => level === 'error');
  return `${show(errors)}${summarise(errors)}: mend this first.\n`;
}

function failed(outcome: string, text: string, more: object): Made {
  return { outcome: 'failed', answer: { json: { outcome, ...more }, text, failed: true } };
}
