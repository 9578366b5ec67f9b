/** A compiled template: how it becomes a mail's words for one customer. */
import { type Print, type RenderData, compileTree } from './helpers.ts';
import { type MailScope, RENDER_LIMITS, RenderError, type Rendered } from './scope.ts';
import { type Part, program } from './syntax.ts';
import { deriveText, textOfHtml, tidyText } from './text.ts';

/** A mail's words, ready for any customer. */
export interface Template {
  readonly name: string;
  /** Its path, such as `templates/welcome/hello.hbs`. */
  readonly file: string;
  /** The sender in its front matter, `Name <address>` or an address; null for the company's own. */
  readonly from: string | null;
  /** Variables that it names, e.g. `customer.name`, also those under an `if` that is false. */
  readonly reads: ReadonlySet<string>;
  /** Those of them without which it cannot be rendered: printed, and not within a block that asks for them. */
  readonly needs: ReadonlySet<string>;
  /** What it is made of, for whoever looks for something in it. */
  readonly parts: MailParts;
  /** @throws {RenderError} when it cannot be rendered for this customer. */
  render(scope: MailScope): Rendered;
}

/** The parts of a mail, layout and partials put in place. */
export interface MailParts {
  readonly subject: readonly Part[];
  readonly preheader: readonly Part[];
  readonly html: readonly Part[];
}

const NOWHERE: hbs.AST.SourceLocation = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

/** Compiles the checked parts of a template. */
export function makeTemplate(
  parts: Pick<Template, 'name' | 'file' | 'from' | 'reads' | 'needs'> & MailParts,
): Template {
  const { name, file, from, reads, needs } = parts;
  const subject = print(parts.subject, false);
  const preheader = print(parts.preheader, false);
  const html = print(parts.html, true);
  const textTree = deriveText(parts.html, NOWHERE);
  const text = textTree === null ? null : compileTree(textTree, false);
  return {
    name,
    file,
    from,
    reads,
    needs,
    parts: { subject: parts.subject, preheader: parts.preheader, html: parts.html },
    render: (scope) => {
      const context = contextOf(scope);
      const data: RenderData = {
        locale: scope.locale,
        zone: scope.zone.name,
        now: scope.now,
        turns: 0,
        survey: scope.survey ?? null,
      };
      const page = bounded(html(context, data), 'HTML');
      return {
        subject: oneLine(subject(context, data)),
        preheader: preheader(context, data).trim(),
        html: page,
        text: bounded(text === null ? textOfHtml(page) : tidyText(text(context, data)), 'text'),
      };
    },
  };
}

function print(statements: readonly Part[], escape: boolean): Print {
  return compileTree(program(statements, [], NOWHERE), escape);
}

function contextOf(scope: MailScope): Readonly<Record<string, unknown>> {
  const { customer, company, event, launch, trigger, vars, unsubscribe_url, preferences_url, survey, now } = scope;
  return { customer, company, event, launch, trigger, vars, unsubscribe_url, preferences_url, survey, now };
}

function oneLine(subject: string): string {
  if (/[\r\n\0]/.test(subject)) {
    throw new RenderError('line-break-in-subject', 'subject', 'a value in the subject holds a line break');
  }
  const trimmed = subject.trim();
  if (trimmed === '') throw new RenderError('missing-variable', 'subject', 'the subject is empty for this customer');
  return trimmed;
}

function bounded(words: string, part: string): string {
  // A UTF-16 unit is at most three bytes, so short texts need no counting.
  const tooLarge = words.length * 3 > RENDER_LIMITS.bytes && Buffer.byteLength(words) > RENDER_LIMITS.bytes;
  if (tooLarge) throw new RenderError('too-large', part, `the ${part} is larger than 256 KB`);
  return words;
}
