import { parseDocument } from 'yaml';
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
  const excess = findExcess(text);
  if (excess !== null) return { document: null, problems: [foreignProblem(source, excess)] };
  const options = {
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  } as const;
  const parsed = parseDocument(text, options);
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
