/** A mail's HTML as its author wrote it, layout and partials in place, with where everything in it stands. */
import { DomUtils, parseDocument } from 'htmlparser2';
import { type Place, placeOf } from '../parse.ts';
import { type Part, partsOf } from '../syntax.ts';
import type { MailParts } from '../template.ts';

/** Stands for a value that is filled in. */
export const VALUE = '\uE000';

/** The nodes of the parsed HTML. */
export type Document = ReturnType<typeof parseDocument>;
export type Node = Document['children'][number];
export type Element = Extract<Node, { readonly attribs: Readonly<Record<string, string>> }>;

/** One mail's HTML. Both branches of a block are in it, one after the other. */
export interface MailPage {
  readonly html: string;
  readonly document: Document;
  /** In the order of the HTML. */
  readonly elements: readonly Element[];
  /** Where in its file a character was written; null for what the engine has put in. */
  placeAt(offset: number): Place | null;
}

interface Piece {
  /** In the HTML. */
  readonly from: number;
  readonly text: string;
  readonly place: Place | null;
}

/** Reads a mail's HTML. */
export function readPage({ html: parts }: Pick<MailParts, 'html'>): MailPage {
  const pieces: Piece[] = [];
  const html = gather(parts, pieces, 0);
  const document = parseDocument(html, { withStartIndices: true, withEndIndices: true });
  const elements: Element[] = [];
  collect(document.children, elements);
  return { html, document, elements, placeAt: (offset) => placeIn(pieces, offset) };
}

function gather(parts: readonly Part[], pieces: Piece[], from: number): string {
  let html = '';
  for (const part of parts) {
    const at = from + html.length;
    switch (part.type) {
      case 'ContentStatement':
        pieces.push({ from: at, text: part.value, place: beginning(part) });
        html += part.value;
        break;
      case 'MustacheStatement':
        pieces.push({ from: at, text: VALUE, place: placeOf(part.loc) });
        html += VALUE;
        break;
      case 'BlockStatement':
        html += gather(partsOf(part.program), pieces, at);
        html += gather(partsOf(part.inverse), pieces, from + html.length);
        break;
    }
  }
  return html;
}

/** Where a text begins: Handlebars takes away the rest of a line around a block, and keeps the whole as `original`. */
function beginning({ loc, value, original }: hbs.AST.ContentStatement): Place | null {
  const place = placeOf(loc);
  const whole: unknown = original;
  if (place === null || typeof whole !== 'string' || whole === value) return place;
  const left = whole.endsWith(value) ? whole.length - value.length : Math.max(0, whole.indexOf(value));
  return advanced(place, whole.slice(0, left));
}

function advanced(place: Place, text: string): Place {
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  if (lines.length === 1) return { ...place, column: place.column + last.length };
  return { ...place, line: place.line + lines.length - 1, column: last.length + 1 };
}

function placeIn(pieces: readonly Piece[], offset: number): Place | null {
  let [low, high] = [0, pieces.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((pieces[middle]?.from ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  if (piece === undefined || piece.place === null) return null;
  return piece.text === VALUE ? piece.place : advanced(piece.place, piece.text.slice(0, offset - piece.from));
}

function collect(nodes: readonly Node[], found: Element[]): void {
  for (const node of nodes) {
    if (!('attribs' in node)) continue;
    found.push(node);
    collect(node.children, found);
  }
}

/** What a mail says to everybody, without what is filled in. */
export function fixedText(parts: readonly Part[]): string {
  return gather(parts, [], 0).replaceAll(VALUE, '');
}

/** Where an element begins. */
export function startOf({ startIndex }: Node): number {
  return startIndex ?? 0;
}

/** Where the value of an attribute begins; where its element does when the attribute cannot be found. */
export function valueStart({ html }: MailPage, element: Element, name: string): number {
  const from = startOf(element);
  const firstChild = element.children[0];
  const until = firstChild === undefined ? (element.endIndex ?? from) + 1 : startOf(firstChild);
  const match = new RegExp(`[\\s"']${name}\\s*=\\s*["']?`, 'i').exec(html.slice(from, until));
  return match === null ? from : from + match.index + match[0].length;
}

/** The words in an element, those of images included. */
export function wordsIn(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (DomUtils.isText(node)) return node.data;
      if (!('attribs' in node)) return '';
      return node.name === 'img' ? (node.attribs['alt'] ?? '') : wordsIn(node.children);
    })
    .join('');
}
