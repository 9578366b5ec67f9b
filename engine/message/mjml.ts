/**
 * Mails in MJML. A mail is put together as one in HTML is (layout, partials, slots, checked variables); then its Handlebars become
 * marks, MJML makes HTML of the rest, and the marks become Handlebars again. So nothing of MJML is left when a mail is sent, and
 * every variable keeps its place in its file.
 */
import type { Problem } from '../playbook/problem.ts';
import { type Mark, type MarkedPiece, MARKS, markOf, markParts, rebuild } from './marks.ts';
import { prepareMjml } from './mjml-source.ts';
import { type Place, placeOf, problemAt } from './parse.ts';
import { type Expression, type Part, isLiteral, partsOf } from './syntax.ts';

/** Something that MJML finds wrong. */
export interface MjmlMistake {
  /** From 1. */
  readonly line: number;
  readonly tagName: string;
  readonly message: string;
}

/** What MJML makes of a document; `failure` where it makes nothing of it. */
export type MjmlResult =
  { readonly html: string; readonly mistakes: readonly MjmlMistake[] } | { readonly failure: string };

/** Makes HTML of an MJML document. It must not read files or the network. */
export type MjmlConverter = (document: string) => MjmlResult;

/** The document as it is given to MJML, line by line what it was in the files. */
interface Document {
  readonly pieces: readonly MarkedPiece[];
  readonly text: string;
  readonly marks: readonly Mark[];
}

/** The HTML of a mail in MJML; null, with problems, when there is none. `file` is told where MJML names no place. */
export function compileMjml(
  mail: readonly Part[],
  convert: MjmlConverter,
  file: string,
  problems: Problem[],
): readonly Part[] | null {
  const marks: Mark[] = [];
  const pieces = markParts(mail, marks, (node) => markOf(marks.push({ kind: 'print', node }) - 1));
  const document: Document = { pieces, text: pieces.map(({ text }) => text).join(''), marks };
  const start: Place = { file, line: 1, column: 1 };
  const report = (at: Place, message: string, fix: string): void => {
    problems.push(problemAt(at.file, at, 'mjml', message, fix));
  };
  const prepared = prepareMjml(document.text);
  for (const { at, message, fix } of prepared.mistakes) {
    report(placeIn(document, at) ?? start, spoken(message, document), fix);
  }
  // What MJML says of a document with such mistakes are their consequences.
  if (prepared.mistakes.length > 0) return null;
  const result = convert(prepared.text);
  if ('failure' in result) {
    report(start, `MJML cannot read the mail: ${spoken(result.failure, document)}`, SEE);
    return null;
  }
  const mistakes = result.mistakes.filter((mistake) => !isColour(mistake));
  for (const mistake of mistakes) {
    report(placeOfTag(document, mistake) ?? start, ...wordsOf(mistake, document));
  }
  if (mistakes.length > 0) return null;
  const tree = rebuild(result.html, marks, NOWHERE);
  if (tree !== null) return partsOf(tree);
  const message =
    'a block begins in one component and ends in another, or stands where MJML writes only one half of it';
  report(
    firstBlock(document) ?? start,
    message,
    'put each {{#…}} and its {{/…}} around whole components, or inside one',
  );
  return null;
}

const SEE = 'see https://documentation.mjml.io';
const NOWHERE: hbs.AST.SourceLocation = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

/** MJML cannot know the colour that a value will be, and only copies it. All else it reckons with must be there. */
function isColour({ message }: MjmlMistake): boolean {
  return message.includes(MARKS.open) && / for type Color\b/.test(message);
}

function wordsOf({ tagName, message }: MjmlMistake, document: Document): readonly [message: string, fix: string] {
  const words = spoken(message, document).trim();
  const [, illegal] = /^Attribute (\S+) is illegal/.exec(message) ?? [];
  const see = `${SEE}/#${tagName}`;
  if (illegal !== undefined) return [`${tagName} has no attribute "${illegal}"`, see];
  if (message.includes(MARKS.open)) {
    return [`${words}: MJML reckons with it when the mail is checked`, 'write a fixed value there'];
  }
  return [`${tagName}: ${words}`, see];
}

/** What is printed, by its name, in place of marks. */
function spoken(message: string, { marks }: Document): string {
  return message.replaceAll(/\uE000(\d+)\uE001/g, (_, number: string) => {
    const node = marks[Number(number)]?.node;
    const name = node?.type === 'MustacheStatement' ? (node.params[1] as Expression | undefined) : undefined;
    return name !== undefined && isLiteral(name) ? `{{${String(name.value)}}}` : '{{…}}';
  });
}

/** The place of `<tagName` in that line or, where a tag has several, in one before. */
function placeOfTag(document: Document, { line, tagName }: MjmlMistake): Place | null {
  const { text } = document;
  let start = 0;
  for (let passed = 1; passed < line; passed += 1) start = text.indexOf('\n', start) + 1;
  const end = text.indexOf('\n', start);
  const within = text.slice(start, end < 0 ? undefined : end).indexOf(`<${tagName}`);
  const at = within >= 0 ? start + within : text.lastIndexOf(`<${tagName}`, start);
  return placeIn(document, at < 0 ? start : at);
}

function placeIn({ pieces }: Document, at: number): Place | null {
  let from = 0;
  for (const { text, node } of pieces) {
    if (at < from + text.length) return placeWithin(node, at - from);
    from += text.length;
  }
  return null;
}

function placeWithin(node: Part, offset: number): Place | null {
  const place = placeOf(node.loc);
  if (place === null || node.type !== 'ContentStatement') return place;
  // Handlebars takes blanks around blocks away; what was written is left in `original`.
  const written = node.original as unknown;
  const taken = typeof written === 'string' ? Math.max(0, written.indexOf(node.value)) : 0;
  const before = `${typeof written === 'string' ? written.slice(0, taken) : ''}${node.value.slice(0, offset)}`;
  const lines = before.split('\n');
  const last = lines.at(-1) ?? '';
  return {
    file: place.file,
    line: place.line + lines.length - 1,
    column: lines.length === 1 ? place.column + last.length : last.length + 1,
  };
}

function firstBlock({ pieces }: Document): Place | null {
  const block = pieces.find(({ node }) => node.type === 'BlockStatement');
  return block === undefined ? null : placeOf(block.node.loc);
}
