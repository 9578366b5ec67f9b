/**
 * Addresses that lead out of a mail. Whatever a value holds, what comes out is an address of http, https, mailto or tel:
 *
 * 1. The beginning is read as browsers read it (WHATWG URL), after control and format characters were refused: neither case, nor
 *    blanks, nor line breaks within `javascript:` hide a scheme. Entities are no entities: what is printed is escaped.
 * 2. A value after the first cannot leave its piece of the path or query, nor lengthen the host.
 */
import { RenderError } from './scope.ts';

/** A part of an address: written in the template, or a value of the customer, the event, … */
export interface LinkPiece {
  readonly isFixed: boolean;
  readonly value: unknown;
}

const SCHEME = /^(https?:\/\/|mailto:|tel:)/i;
const WEB = /^https?:\/\//i;
/** Controls, invisible formatting (a zero-width space, a turn of direction), line and paragraph separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Characters of RFC 3986 without those that it wants encoded. */
const CLEAN = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/;
const UNCLEAN = /[^\w\-.~:/?#[\]@!$&'()*+,;=%]/gu;

/** What is wrong with the fixed beginning of an address, before any value is known; null when nothing is. */
export function beginningProblem(beginning: string, isWhole: boolean): string | null {
  if (!SCHEME.test(beginning)) return `"${beginning}" is no beginning of an address`;
  if (!isWhole && /^https?:\/\/$/i.test(beginning))
    return 'a value cannot be the host of an address whose beginning is fixed';
  return null;
}

/**
 * Puts an address together. The first piece is a whole address or its beginning; fixed pieces are taken as they are,
 * values after the first are encoded.
 * @throws {RenderError} `bad-value` when the result is no address of http, https, mailto or tel, or names a user.
 */
export function formLink(pieces: readonly LinkPiece[]): string {
  const [first, ...rest] = pieces;
  let link = first === undefined ? '' : wordsOf(first).replace(/^ +| +$/g, '');
  for (const [index, piece] of rest.entries()) {
    const words = piece.isFixed ? wordsOf(piece) : encoded(wordsOf(piece), link);
    const ownsHost = index === 0 && WEB.test(link) && (first?.isFixed === false || !piece.isFixed);
    link = ownsHost ? joined(link, words) : link + words;
  }
  return checked(link);
}

/** The host ends where the first piece does, whatever follows. */
function joined(base: string, words: string): string {
  if (/[?#]/.test(base)) return base + words;
  if (words.startsWith('/')) return base.replace(/\/+$/, '') + words;
  if (/^[?#]/.test(words) || base.endsWith('/')) return base + words;
  return /^https?:\/\/[^/]+$/i.test(base) ? `${base}/${words}` : base + words;
}

/** The same few addresses stand in every mail of a company; beyond this many the cache starts anew. */
const MAX_KNOWN = 500;
const known = new Map<string, string>();

function checked(link: string): string {
  const before = known.get(link);
  if (before !== undefined) return before;
  const clean = cleaned(link);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(link, clean);
  return clean;
}

function cleaned(link: string): string {
  if (HIDDEN.test(link) || !SCHEME.test(link) || !URL.canParse(link)) throw refused(link);
  const url = new URL(link);
  if (url.username !== '' || url.password !== '') throw refused(link);
  return CLEAN.test(link) ? link : url.href.replace(UNCLEAN, encodeURIComponent);
}

function encoded(words: string, beginning: string): string {
  if (/^tel:/i.test(beginning)) return encodeURIComponent(words.replace(/[\s()]/g, '')).replaceAll('%2B', '+');
  if (HIDDEN.test(words)) throw refused(words);
  // Browsers take the dots out of a path, encoded or not, and with them what stands before.
  if (/^\.\.?$/.test(words)) throw refused(words);
  const safe = encodeURIComponent(words.replace(/\p{Surrogate}/gu, '\ufffd'));
  return /^mailto:/i.test(beginning) ? safe.replaceAll('%40', '@') : safe;
}

function wordsOf({ value }: LinkPiece): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw refused(value);
}

function refused(value: unknown): RenderError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80);
  const message = `link cannot lead to ${shown}: expected an address that begins with https://, http://, mailto: or tel:`;
  return new RenderError('bad-value', 'link', message);
}
