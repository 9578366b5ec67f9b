/** A compiled template: how it becomes a mail's words for one customer. */
import type { PlacedText } from './front-matter.ts';
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
  /** The topic that its front matter says it is written for, and where; null: for any. */
  readonly topic: PlacedText | null;
  /** Variables that it names, e.g. `customer.name`, also those under an `if` that is false. */
  readonly reads: ReadonlySet<string>;
  /** Those of them without which it cannot be rendered: printed, and not within a block that asks for them. */
  readonly needs: ReadonlySet<string>;
  /** The HTML, with the subject and the preheader; then the plain text, where it was written by hand. */
  readonly bodies: readonly [page: MailBody, text?: MailBody];
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
  /** Null where the plain text is made from the HTML. */
  readonly text: readonly Part[] | null;
}

/** One of the two ways in which a mail can be read. */
export interface MailBody {
  /** Its path. */
  readonly file: string;
  readonly parts: readonly Part[];
  /** As those of the template, for this body alone. */
  readonly reads: ReadonlySet<string>;
  readonly needs: ReadonlySet<string>;
}

const NOWHERE: hbs.AST.SourceLocation = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

/** Compiles the checked parts of a template. */
export function makeTemplate(
  parts: Pick<Template, 'name' | 'file' | 'from' | 'topic' | 'bodies'> & Pick<MailParts, 'subject' | 'preheader'>,
): Template {
  const { name, file, from, topic, bodies } = parts;
  const [page, written] = bodies;
  const subject = print(parts.subject, false);
  const preheader = print(parts.preheader, false);
  const html = print(page.parts, true);
  const text = written === undefined ? derivedText(page.parts) : textByHand(written.parts);
  return {
    name,
    file,
    from,
    topic,
    reads: new Set(bodies.flatMap((body) => [...(body?.reads ?? [])])),
    needs: new Set(bodies.flatMap((body) => [...(body?.needs ?? [])])),
    bodies,
    parts: {
      subject: parts.subject,
      preheader: parts.preheader,
      html: page.parts,
      text: written?.parts ?? null,
    },
    render: (scope) => {
      const context = contextOf(scope);
      const data = dataOf(scope);
      const whole = bounded(html(context, data), 'HTML');
      return {
        subject: oneLine(subject(context, data)),
        preheader: preheader(context, data).trim(),
        html: whole,
        text: bounded(text(whole, context, data), 'text'),
        isTextByHand: written !== undefined,
      };
    },
  };
}

/** How one part of a mail, printed alone, fails for this customer; null when it does not. */
export function failureOf(part: Part, scope: MailScope): RenderError | null {
  try {
    print([part], true)(contextOf(scope), dataOf(scope));
    return null;
  } catch (error) {
    if (error instanceof RenderError) return error;
    throw error;
  }
}

/** Makes a mail's plain text; `html` is what its HTML has become. */
type PrintText = (html: string, ...values: Parameters<Print>) => string;

function derivedText(parts: readonly Part[]): PrintText {
  const tree = deriveText(parts, NOWHERE);
  if (tree === null) return textOfHtml;
  const text = compileTree(tree, false);
  return (_html, context, data) => tidyText(text(context, data));
}

/** Blank lines within it are its author's own. */
function textByHand(parts: readonly Part[]): PrintText {
  const text = print(parts, false);
  return (_html, context, data) => {
    const words = text(context, data).trim();
    if (words !== '') return `${words}\n`;
    throw new RenderError('missing-variable', 'text', 'the plain text is empty for this customer');
  };
}

function print(statements: readonly Part[], escape: boolean): Print {
  return compileTree(program(statements, [], NOWHERE), escape);
}

function contextOf(scope: MailScope): Readonly<Record<string, unknown>> {
  const { customer, company, event, launch, trigger, vars, unsubscribe_url, preferences_url, survey, now } = scope;
  return { customer, company, event, launch, trigger, vars, unsubscribe_url, preferences_url, survey, now };
}

function dataOf({ locale, zone, now, survey }: MailScope): RenderData {
  return { locale, zone: zone.name, now, turns: 0, survey: survey ?? null };
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
