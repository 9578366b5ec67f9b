import { Lexer } from 'yaml';
import { LEXER_MARKS } from './limits.ts';

/** A comment of a YAML source. */
export interface Comment {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** With its `#`. */
  readonly text: string;
  /** Whether nothing else stands in its line. */
  readonly isAlone: boolean;
}

/** The comments of a source; a `#` within a text is none. */
export function commentsOf(source: string): readonly Comment[] {
  const found: Comment[] = [];
  let line = 1;
  let before = '';
  for (const token of new Lexer().lex(source)) {
    if (LEXER_MARKS.has(token)) continue;
    if (token.startsWith('#'))
      found.push({ line, column: before.length + 1, text: token, isAlone: before.trim() === '' });
    const lines = (before + token).split('\n');
    line += lines.length - 1;
    before = lines.at(-1) ?? '';
  }
  return found;
}
