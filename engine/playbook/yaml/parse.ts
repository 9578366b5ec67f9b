import { Composer, type Document as YamlDocument, Lexer, Parser, YAMLParseError } from 'yaml';
import type { Problem, SourceFile } from '../problem.ts';
import { type Document, placer } from './document.ts';
import { findExcess, findForeign, LARGEST_BYTES } from './limits.ts';
import { foreignProblem, syntaxProblem } from './mistakes.ts';

/** After so many mistakes in the syntax of one file the rest are echoes. */
const MOST_SYNTAX_PROBLEMS = 20;
/** The same for what the language leaves out. */
const MOST_PROBLEMS = 200;

/** A parsed source. `document` is null where the mistakes leave nothing to be checked further. */
export interface Parsed {
  readonly document: Document | null;
  readonly problems: readonly Problem[];
}

function tooLarge(file: string): Problem {
  const message = `the file is larger than ${LARGEST_BYTES / 1024} KB`;
  return { file, line: 1, column: 1, level: 'error', code: 'too-large', message, fix: 'split it into several files' };
}

const OPTIONS = {
  version: '1.2',
  schema: 'core',
  prettyErrors: false,
  uniqueKeys: false,
  logLevel: 'error',
} as const;

/** What the library's `parseDocument` does, from lexemes: the lexer has run once already. */
function compose(lexemes: readonly string[], length: number): YamlDocument.Parsed {
  const parser = new Parser();
  function* tokens() {
    for (const lexeme of lexemes) yield* parser.next(lexeme);
    yield* parser.end();
  }
  const [first, second] = [...new Composer(OPTIONS).compose(tokens(), true, length)];
  // Forced, the composer gives a document even for no tokens.
  if (first === undefined) throw new Error('a source gave no document');
  if (second !== undefined) {
    const [from, until] = second.range;
    first.errors.push(new YAMLParseError([from, until], 'MULTIPLE_DOCS', 'there is a second document'));
  }
  return first;
}

/** The parser says some mistakes once for each level that they end. */
function once(problems: readonly Problem[]): readonly Problem[] {
  const said = new Map(problems.map((problem) => [`${problem.line}:${problem.column} ${problem.message}`, problem]));
  return [...said.values()];
}

/**
 * Parses one YAML source (1.2, core schema: dates and times stay texts).
 * Refused, each with its place: more than 256 KB, more than 20 levels, keys twice, anchors, aliases, tags, several documents.
 */
export function parseYaml({ path: file, text }: SourceFile): Parsed {
  if (Buffer.byteLength(text) > LARGEST_BYTES) return { document: null, problems: [tooLarge(file)] };
  const source = { file, text, place: placer(text) };
  const lexemes = [...new Lexer().lex(text)];
  const excess = findExcess(lexemes);
  if (excess !== null) return { document: null, problems: [foreignProblem(source, excess)] };
  const parsed = compose(lexemes, text.length);
  if (parsed.errors.length > 0) {
    return {
      document: null,
      problems: once(parsed.errors.slice(0, MOST_SYNTAX_PROBLEMS).map((error) => syntaxProblem(source, error))),
    };
  }
  const foreign = [...findForeign(parsed.contents, text)].slice(0, MOST_PROBLEMS);
  const problems = foreign.map((found) => foreignProblem(source, found));
  if (foreign.some(({ code }) => code === 'too-deep')) return { document: null, problems };
  return { document: { ...source, root: parsed.contents, plain: (node) => node.toJS(parsed) as unknown }, problems };
}
