/** Compiles a company's templates: checked whole, once, and quick to render after that. */
import type { Problem, SourceFile } from '../playbook/problem.ts';
import { parseMailbox } from './address.ts';
import type { Expansion, Parsed } from './expansion.ts';
import { expand } from './expand.ts';
import { type FrontMatter, type PlacedText, readFrontMatter } from './front-matter.ts';
import {
  type CompileOptions,
  type Library,
  LAYOUTS,
  type TemplateFile,
  layoutOf,
  libraryOf,
  variantProblem,
} from './library.ts';
import { findBareLinks } from './link-check.ts';
import { type MjmlConverter, type MjmlResult, compileMjml } from './mjml.ts';
import { parsePart, problemAt } from './parse.ts';
import { withPreheader } from './preheader.ts';
import { escapeContent } from './slots.ts';
import { type MailBody, type MailParts, type Template, makeTemplate } from './template.ts';
import { mailFileName, templateFileName } from '../playbook/layout.ts';
import { assembleText } from './written-text.ts';

export { RENDER_LIMITS, RenderError, type MailScope, type Rendered, usableLocale } from './scope.ts';
export type { CompileOptions } from './library.ts';
export type { Template } from './template.ts';

/** The templates that can be rendered; those with errors are not among them. */
export interface TemplateSet {
  /**
   * The template of that name (its path without `templates/` and suffix); null when there is none. With a locale the
   * nearest variant: for `welcome/hello` and `de-AT` that is `welcome/hello.de-AT`, `welcome/hello.de`, then itself.
   */
  get(name: string, locale?: string | null): Template | null;
  /** In alphabetical order. */
  readonly names: readonly string[];
}

/**
 * Compiles `templates/**.hbs` and `.mjml`; the other sources say which variables there are. All mistakes of all files come back
 * at once, in the order of files and lines. `convert` makes HTML of MJML.
 */
export function compileTemplates(
  sources: readonly SourceFile[],
  convert: MjmlConverter = noMjml,
  options: CompileOptions = {},
): {
  templates: TemplateSet;
  problems: readonly Problem[];
} {
  const files = sources.flatMap((file): readonly TemplateFile[] => {
    const name = templateFileName(file.path);
    return name === null ? [] : [{ ...file, name, format: file.path.endsWith('.mjml') ? 'mjml' : 'hbs' }];
  });
  const problems: Problem[] = [];
  const mails = files.filter(({ path }) => mailFileName(path) !== null);
  const library = libraryOf(sources, files, convert, options, problems);
  if (options.isDeployed !== true) problems.push(...mails.flatMap((file) => variantProblem(file) ?? []));
  problems.push(...doubles(files.filter(({ name }) => !name.startsWith(LAYOUTS))));
  const templates = new Map<string, Template>();
  for (const file of mails) {
    const template = compileTemplate(file, library);
    if (template !== null) templates.set(template.name, template);
  }
  const names = [...templates.keys()].sort();
  const varied = new Set(names.flatMap((name) => (name.includes('.') ? [name.slice(0, name.lastIndexOf('.'))] : [])));
  return {
    // Every mail asks, and most templates have no variants to look through.
    templates: { names, get: (name, locale) => find(templates, name, varied.has(name) ? (locale ?? null) : null) },
    problems: tidy(problems),
  };
}

function noMjml(): MjmlResult {
  throw new Error('templates in MJML are compiled with a converter: pass one to compileTemplates');
}

/** Files of one name, of which nobody could say which is meant. */
function doubles(files: readonly TemplateFile[]): readonly Problem[] {
  const first = new Map<string, TemplateFile>();
  return files.flatMap((file) => {
    const other = first.get(file.name);
    first.set(file.name, other ?? file);
    if (other === undefined) return [];
    const message = `${other.path} has the same name`;
    return [problemAt(file.path, { line: 1, column: 1 }, 'same-name', message, 'rename one of them, or take it away')];
  });
}

function find(templates: ReadonlyMap<string, Template>, name: string, locale: string | null): Template | null {
  const parts = locale?.split('-') ?? [];
  for (let length = parts.length; length > 0; length -= 1) {
    const variant = templates.get(`${name}.${parts.slice(0, length).join('-')}`);
    if (variant !== undefined) return variant;
  }
  return templates.get(name) ?? null;
}

function compileTemplate(file: TemplateFile, library: Library): Template | null {
  const { name, path } = file;
  const own: Problem[] = [];
  const frontMatter = readFrontMatter(file, own);
  const layout = frontMatter === null ? null : layoutOf(frontMatter, file, library, own);
  const parts = frontMatter === null ? null : parseParts(frontMatter, file, own);
  if (frontMatter !== null && parts !== null) {
    const from = frontMatter.from === null ? null : mailboxOf(frontMatter.from, file, own);
    const { page, ...mail } = assemble(parts, layout, file, library, own);
    const text = assembleText(name, mail, library, own);
    library.problems.push(...own);
    if (own.some(({ level }) => level === 'error') || parts.subject === null) return null;
    const { topic } = frontMatter;
    return makeTemplate({ name, file: path, from, topic, bodies: text === null ? [page] : [page, text], ...mail });
  }
  library.problems.push(...own);
  return null;
}

/** A template's texts, parsed; null where one is not given. */
interface Parts {
  readonly subject: Parsed | null;
  readonly preheader: Parsed | null;
  readonly body: Parsed;
}

function parseParts(frontMatter: FrontMatter, file: SourceFile, problems: Problem[]): Parts | null {
  const parsed = (part: PlacedText | null): Parsed | null => {
    const found = part === null ? null : parsePart(file.path, part);
    if (found === null || 'tree' in found) return found;
    problems.push(found);
    return null;
  };
  const body = parsed(frontMatter.body);
  const subject = parsed(frontMatter.subject);
  const preheader = parsed(frontMatter.preheader);
  return body === null ? null : { subject, preheader, body };
}

function assemble(
  { subject, preheader, body }: Parts,
  layout: Parsed | null,
  file: TemplateFile,
  { known, partials, convert, isDeployed }: Library,
  problems: Problem[],
): Pick<MailParts, 'subject' | 'preheader'> & { readonly page: MailBody } {
  const expansion: Expansion = {
    known,
    html: false,
    partials,
    slots: new Map(),
    usedSlots: new Set(),
    reads: new Set(),
    needs: new Set(),
    problems,
    size: 0,
  };
  const subjectParts = subject === null ? [] : expand(subject, expansion);
  const preheaderParts = preheader === null ? [] : expand(preheader, expansion);
  const slots = new Map([
    ['subject', escapeContent(subjectParts)],
    ['preheader', escapeContent(preheaderParts)],
  ]);
  const inside: Expansion = { ...expansion, html: true, slots };
  let html = expand(body, inside);
  if (layout !== null) {
    const around: Expansion = { ...inside, slots: new Map([...slots, ['body', html]]) };
    html = expand(layout, around);
    if (!around.usedSlots.has('body')) {
      problems.push(
        problemAt(layout.file, layout, 'no-body', 'a layout must say where the mail goes', 'write {{{body}}} in it'),
      );
    }
  }
  if (file.format === 'mjml') {
    // With mistakes in its Handlebars a mail is not whole: what MJML says of it would lead astray.
    const isSound = problems.every(({ level }) => level !== 'error');
    html = (isSound ? compileMjml(html, convert, file.path, problems) : null) ?? [];
  }
  const shown = preheaderParts.length === 0 || expansion.usedSlots.has('preheader');
  const complete = shown ? html : withPreheader(html, slots.get('preheader') ?? [], body.tree.loc);
  if (!isDeployed) problems.push(...findBareLinks(complete));
  return {
    subject: subjectParts,
    preheader: preheaderParts,
    page: { file: file.path, parts: complete, reads: expansion.reads, needs: expansion.needs },
  };
}

function mailboxOf(from: PlacedText, file: SourceFile, problems: Problem[]): string | null {
  if (parseMailbox(from.text) !== null) return from.text;
  const message = `from must be one address, such as Hearth & Home <hello@hearth.example>, not "${from.text}"`;
  problems.push(problemAt(file.path, from, 'bad-address', message, null));
  return null;
}

/** One mistake in a layout or partial comes up in every mail that uses it: it is told once. */
function tidy(problems: readonly Problem[]): readonly Problem[] {
  const unique = new Map(
    problems.map((problem) => [`${problem.file}:${problem.line}:${problem.column}:${problem.message}`, problem]),
  );
  return [...unique.values()].sort((a, b) =>
    a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
  );
}
