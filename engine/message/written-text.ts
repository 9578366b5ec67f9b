/** Plain texts written by hand: `hello.txt.hbs` beside `hello.hbs` or `hello.mjml`. */
import { mailFileName, textFileName } from '../playbook/layout.ts';
import { nearest } from '../playbook/nearest.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';
import { expand } from './expand.ts';
import type { Expansion } from './expansion.ts';
import { readPage } from './lint/page.ts';
import { parsePart, problemAt } from './parse.ts';
import type { Part } from './syntax.ts';
import type { MailBody, MailParts } from './template.ts';

const TOP = { line: 1, column: 1 };

/** Elements that nobody writes about: whoever has one in a text has put a piece of HTML there. */
const ELEMENTS = new Set(
  'a b br center div em font h1 h2 h3 hr html i img li ol p span strong style table tbody td tr u ul'.split(' '),
);

/**
 * The texts among a company's files, by the name of their mail. What cannot be one is a problem; in sources that were
 * deployed before there were such texts, it is left alone.
 */
export function textsByMail(
  files: readonly SourceFile[],
  isDeployed: boolean,
  problems: Problem[],
): ReadonlyMap<string, SourceFile> {
  const mails = new Set(files.flatMap(({ path }) => mailFileName(path) ?? []));
  const texts = new Map<string, SourceFile>();
  for (const file of files) {
    const mail = textFileName(file.path);
    if (mail === null) continue;
    const problem = problemOf(file, mail, mails);
    if (problem === null) texts.set(mail, file);
    else if (!isDeployed) problems.push(problem);
  }
  return texts;
}

function problemOf({ path, text }: SourceFile, mail: string, mails: ReadonlySet<string>): Problem | null {
  const wanted = `templates/${mail}.txt.hbs`;
  if (path !== wanted) {
    return problemAt(path, TOP, 'bad-file-name', `the plain text of a mail ends in .txt.hbs`, `rename it to ${wanted}`);
  }
  if (!mails.has(mail)) {
    const near = nearest(mail, mails);
    const fix = near === null ? `make templates/${mail}.hbs, or take this file away` : `did you mean ${near}.txt.hbs?`;
    const message = `there is no templates/${mail}.hbs or .mjml whose plain text this could be`;
    return problemAt(path, TOP, 'text-without-mail', message, fix);
  }
  if (/^\uFEFF?---[ \t]*(?:\r?\n|$)/.test(text)) {
    const fix = 'take the lines from --- to --- away: subject and the rest stand in the mail itself';
    return problemAt(path, TOP, 'front-matter-in-text', 'a plain text has no front matter', fix);
  }
  if (text.replace(/^\uFEFF/, '').trim() !== '') return null;
  const fix = 'write the text, or take the file away: then it is made from the HTML';
  return problemAt(path, TOP, 'empty', 'the plain text is empty', fix);
}

/** What a text is put together from. */
interface Sources extends Pick<Expansion, 'known' | 'partials'> {
  readonly texts: ReadonlyMap<string, SourceFile>;
  readonly isDeployed: boolean;
}

/** The text that was written for a mail, in its final form; null where there is none, or it cannot be read. */
export function assembleText(
  mail: string,
  { subject, preheader }: Pick<MailParts, 'subject' | 'preheader'>,
  { texts, known, partials, isDeployed }: Sources,
  problems: Problem[],
): MailBody | null {
  const source = texts.get(mail);
  if (source === undefined) return null;
  const parsed = parsePart(source.path, { text: source.text.replace(/^\uFEFF/, ''), ...TOP });
  if (!('tree' in parsed)) {
    problems.push(parsed);
    return null;
  }
  const expansion: Expansion = {
    known,
    html: false,
    partials,
    slots: new Map([
      ['subject', subject],
      ['preheader', preheader],
    ]),
    usedSlots: new Set(),
    reads: new Set(),
    needs: new Set(),
    problems,
    size: 0,
  };
  const parts = expand(parsed, expansion);
  if (!isDeployed) problems.push(...elementsIn(parts, source.path));
  return { file: source.path, parts, reads: expansion.reads, needs: expansion.needs };
}

/** The first piece of HTML in a text, which its readers would see as it is written. */
function elementsIn(parts: readonly Part[], file: string): readonly Problem[] {
  const page = readPage({ html: parts });
  const found = page.elements.find(({ name }) => ELEMENTS.has(name));
  if (found === undefined) return [];
  const place = page.placeAt(found.startIndex ?? 0) ?? { file, ...TOP };
  const message = `<${found.name}> stands in the plain text ${file}, where readers see it as it is written`;
  const fix = 'write it without HTML, also in the partials that it uses';
  return [{ ...problemAt(place.file, place, 'html-in-text', message, fix), level: 'warning' }];
}
