/** Reads the Handlebars of a file, and says where it cannot. */
import type { Problem } from '../playbook/problem.ts';
import type { Parsed } from './expansion.ts';
import type { PlacedText } from './front-matter.ts';
import { parseTree } from './helpers.ts';
import { MARKS } from './marks.ts';

/** A problem at a place of a file, from 1. */
export function problemAt(
  file: string,
  at: { readonly line: number; readonly column: number },
  code: string,
  message: string,
  fix: string | null,
): Problem {
  return { file, line: at.line, column: at.column, level: 'error', code, message, fix };
}

/**
 * The place in its file, from 1, of a node of any tree that `parsePart` made; null for one that the engine has put in.
 * A mail is made of several files: only the node itself still knows its own.
 */
export function placeOf(loc: hbs.AST.SourceLocation): Place | null {
  const match = /^(\d+):(\d+):(.*)$/s.exec(loc.source);
  if (match === null) return null;
  const { line, column } = loc.start;
  const offset = line === 1 ? Number(match[2]) : 1;
  return { file: match[3] ?? '', line: Number(match[1]) + line - 1, column: offset + column };
}

/** A file, and a line and column in it, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The syntax tree of a text of a file, or why it has none. */
export function parsePart(file: string, part: PlacedText): Parsed | Problem {
  const marked = part.text.search(new RegExp(`[${MARKS.open}${MARKS.close}]`));
  if (marked >= 0) {
    const before = part.text.slice(0, marked).split('\n');
    const at = { line: part.line + before.length - 1, column: (before.at(-1) ?? '').length + 1 };
    const message = 'U+E000 and U+E001 are private characters that the engine uses itself';
    return problemAt(file, at, 'reserved-character', message, 'remove the character');
  }
  try {
    return {
      file,
      tree: parseTree(part.text, `${part.line}:${part.column}:${file}`),
      line: part.line,
      column: part.column,
    };
  } catch (error) {
    return syntaxProblem(file, part, error);
  }
}

/** Token names of Handlebars' grammar that need a word of explanation. */
const FOUND: Readonly<Record<string, string>> = {
  EOF: 'the end of the text',
  INVALID: 'a character that cannot stand here',
  CLOSE: '}}',
  OPEN_ENDBLOCK: '{{/',
  INVERSE: '{{else}}',
};

function syntaxProblem(file: string, part: PlacedText, error: unknown): Problem {
  if (!(error instanceof Error)) throw error;
  const exact = / - (\d+):(\d+)$/.exec(error.message);
  const line = Number(exact?.[1] ?? /on line (\d+)/.exec(error.message)?.[1] ?? 1);
  const column = Number(exact?.[2] ?? 0) + (line === 1 ? part.column : 1);
  const got = /got '(\w+)'/.exec(error.message)?.[1];
  const message =
    exact === null
      ? `the template cannot be read in this line: found ${FOUND[got ?? ''] ?? (got === undefined ? 'something unexpected' : got.toLowerCase())}`
      : `the template cannot be read: ${error.message.slice(0, exact.index)}`;
  const fix = 'check that every {{ has its }} and every {{#…}} its {{/…}}';
  return problemAt(file, { line: part.line + line - 1, column }, 'template-syntax', message, fix);
}
