/** The files of templates/ that mails share, and which layout a mail stands in. */
import { nearest } from '../playbook/nearest.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';
import type { Parsed } from './expansion.ts';
import type { FrontMatter, PlacedText } from './front-matter.ts';
import { type KnownVariables, knownVariables } from './known.ts';
import { textsByMail } from './written-text.ts';
import type { MjmlConverter } from './mjml.ts';
import { parsePart, problemAt } from './parse.ts';
import { canonicalTag } from './scope.ts';

/** Which of both a file holds around its Handlebars. */
export type Format = 'hbs' | 'mjml';

/** Files by what they are, parsed. */
export interface Library {
  /** By format and name; a problem stands for one that cannot be read. */
  readonly layouts: Readonly<Record<Format, ReadonlyMap<string, Parsed | Problem>>>;
  readonly partials: ReadonlyMap<string, Parsed | Problem>;
  /** Plain texts written by hand, by the name of their mail. */
  readonly texts: ReadonlyMap<string, SourceFile>;
  readonly known: KnownVariables;
  readonly convert: MjmlConverter;
  /** See `CompileOptions`. */
  readonly isDeployed: boolean;
  readonly problems: Problem[];
}

/** How to compile. */
export interface CompileOptions {
  /**
   * The sources have been deployed before: rules that came later leave them alone, for what runs must go on running with
   * a newer version of Perennial. They meet those rules with their next deployment. Default false.
   */
  readonly isDeployed?: boolean;
}

/** Where layouts are, within templates/. */
export const LAYOUTS = 'layouts/';
const PARTIALS = 'partials/';

/** A file of templates/. */
export interface TemplateFile extends SourceFile {
  /** Its path without `templates/` and suffix. */
  readonly name: string;
  readonly format: Format;
}

/** Parses what mails share; `problems` takes the mistakes of it, and of the mails later. */
export function libraryOf(
  sources: readonly SourceFile[],
  files: readonly TemplateFile[],
  convert: MjmlConverter,
  { isDeployed = false }: CompileOptions,
  problems: Problem[],
): Library {
  const layouts = (wanted: Format): ReadonlyMap<string, Parsed | Problem> => {
    return parseAll(
      files.filter(({ name, format }) => format === wanted && name.startsWith(LAYOUTS)),
      LAYOUTS,
      problems,
    );
  };
  const partials = files.filter(({ name }) => name.startsWith(PARTIALS));
  return {
    layouts: { hbs: layouts('hbs'), mjml: layouts('mjml') },
    partials: parseAll(partials, PARTIALS, problems),
    texts: textsByMail(files, isDeployed, problems),
    known: knownVariables(sources),
    convert,
    isDeployed,
    problems,
  };
}

function parseAll(
  files: readonly TemplateFile[],
  folder: string,
  problems: Problem[],
): ReadonlyMap<string, Parsed | Problem> {
  const parsed = new Map<string, Parsed | Problem>();
  for (const { path, name, text } of files) {
    const found = parsePart(path, { text: text.replace(/^\uFEFF/, ''), line: 1, column: 1 });
    if (!('tree' in found)) problems.push(found);
    parsed.set(name.slice(folder.length), found);
  }
  return parsed;
}

/** The layout that a mail names, else `default`; a whole document in MJML has none. */
export function layoutOf(
  frontMatter: FrontMatter,
  file: TemplateFile,
  library: Library,
  problems: Problem[],
): Parsed | null {
  const { layout, body } = frontMatter;
  const { format, path } = file;
  const isWhole = format === 'mjml' && /<mjml[\s>]/.test(body.text);
  if (isWhole && (layout === null || layout.text === 'none')) return null;
  const found = layout?.text === 'none' ? undefined : library.layouts[format].get(layout?.text ?? 'default');
  if (isWhole) {
    const message = 'a mail with <mjml> is whole, and cannot stand in a layout';
    problems.push(
      problemAt(path, layout ?? body, 'whole-mail', message, 'take out layout, or <mjml> with <mj-body> and the head'),
    );
  } else if (found !== undefined) {
    if ('tree' in found) return found;
    problems.push(found);
  } else if (layout !== null && layout.text !== 'none') {
    problems.push(unknownLayout(layout, file, library));
  } else if (format === 'mjml') {
    const message = 'a mail in MJML needs <mjml> and <mj-body> around it, or a layout that has them';
    problems.push(
      problemAt(
        path,
        body,
        'no-layout',
        message,
        'make templates/layouts/default.mjml, with {{{body}}} in its mj-body',
      ),
    );
  }
  return null;
}

function unknownLayout(layout: PlacedText, { path, format }: TemplateFile, { layouts }: Library): Problem {
  const wanted = `templates/${LAYOUTS}${layout.text}.${format}`;
  const near = nearest(layout.text, [...layouts[format].keys(), 'none']);
  const isOther = layouts[format === 'hbs' ? 'mjml' : 'hbs'].has(layout.text);
  const make = `make ${wanted}`;
  const fix = isOther
    ? `${make}: a mail and its layout are of one kind`
    : near === null
      ? make
      : `did you mean ${near}?`;
  return problemAt(path, layout, 'unknown-layout', `there is no ${wanted}`, fix);
}

const VARIANT = /\.([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)$/;

/** A variant whose locale is spelt as no customer's is: nobody would ever get it. */
export function variantProblem({ path, name }: TemplateFile): Problem | null {
  const written = VARIANT.exec(name)?.[1];
  const locale = written === undefined ? null : canonicalTag(written);
  if (written === undefined || locale === null || locale === written) return null;
  const message = `nobody gets this mail: the locale "${written}" is written ${locale}`;
  const renamed = path.replace(`.${written}.`, `.${locale}.`);
  return problemAt(path, { line: 1, column: 1 }, 'locale-name', message, `rename it to ${renamed}`);
}
