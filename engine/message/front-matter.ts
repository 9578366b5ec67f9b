/** The YAML between `---` lines at the head of a template. */
import { LineCounter, type Scalar, isMap, isScalar, parseDocument } from 'yaml';
import { nearest } from '../playbook/nearest.ts';
import type { Problem, SourceFile } from '../playbook/problem.ts';

/** A text of the front matter and where it stands in the file, from 1. */
export interface PlacedText {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** A template file taken apart. Fields that are not given are null. */
export interface FrontMatter {
  readonly subject: PlacedText | null;
  readonly preheader: PlacedText | null;
  readonly layout: PlacedText | null;
  readonly from: PlacedText | null;
  /** The topic that the mail is written for. */
  readonly topic: PlacedText | null;
  readonly body: PlacedText;
}

const KEYS = ['subject', 'preheader', 'layout', 'topic', 'from'] as const;
type Key = (typeof KEYS)[number];

const BLOCK = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)/m;

/** Reads a template's front matter; null, with problems, when it cannot be used. */
export function readFrontMatter(file: SourceFile, problems: Problem[]): FrontMatter | null {
  const match = BLOCK.exec(file.text);
  const problem = (line: number, column: number, code: string, message: string, fix: string | null): void => {
    problems.push({ file: file.path, line, column, level: 'error', code, message, fix });
  };
  if (match === null || match.index !== 0) {
    problem(
      1,
      1,
      'no-front-matter',
      'a template begins with its subject between two lines of ---',
      'write ---, subject: …, --- at the top',
    );
    return null;
  }
  const counter = new LineCounter();
  // The opening line is line 1, so what follows it is counted from 2.
  const document = parseDocument(match[1] ?? '', { lineCounter: counter, uniqueKeys: true, logLevel: 'silent' });
  for (const error of document.errors) {
    const { line, col } = counter.linePos(error.pos[0]);
    const words = (error.message.split('\n')[0] ?? '').replace(/ at line.*$/, '');
    problem(line + 1, col, 'yaml', `the front matter is not YAML: ${words}`, null);
  }
  if (document.errors.length > 0) return null;
  const { found, given } = readFields(document.contents, counter, problem);
  const before = match[0].split('\n').length - 1;
  const body = { text: file.text.slice(match[0].length), line: before + 1, column: 1 };
  if (!given.has('subject'))
    problem(1, 1, 'no-subject', 'a template needs a subject', 'write subject: … between the --- lines');
  return {
    subject: found.subject ?? null,
    preheader: found.preheader ?? null,
    layout: found.layout ?? null,
    from: found.from ?? null,
    topic: found.topic ?? null,
    body,
  };
}

type Report = (line: number, column: number, code: string, message: string, fix: string | null) => void;

function readFields(
  contents: unknown,
  counter: LineCounter,
  problem: Report,
): { readonly found: Partial<Record<Key, PlacedText>>; readonly given: ReadonlySet<string> } {
  const found: Partial<Record<Key, PlacedText>> = {};
  const given = new Set<string>();
  for (const { key, value } of isMap(contents) ? contents.items : []) {
    const name = isScalar(key) ? String(key.value) : '';
    const { line, col } = counter.linePos(isScalar(key) ? (key.range?.[0] ?? 0) : 0);
    const known = KEYS.find((each) => each === name);
    given.add(name);
    if (known === undefined) {
      const near = nearest(name, KEYS);
      const fix = near === null ? null : `did you mean ${near}?`;
      problem(line + 1, col, 'unknown-key', `the front matter has no "${name}"; there are ${KEYS.join(', ')}`, fix);
      continue;
    }
    const text = isScalar(value) && value.value !== null ? placed(value, counter) : null;
    if (text === null || text.text === '') {
      problem(line + 1, col, 'empty', `${name} is empty`, `write a text, or leave ${name} out`);
    } else if (/[\r\n]/.test(text.text)) {
      problem(text.line, text.column, 'line-break', `${name} must be one line`, null);
    } else found[known] = text;
  }
  return { found, given };
}

function placed(scalar: Scalar, counter: LineCounter): PlacedText {
  const { line, col } = counter.linePos(scalar.range?.[0] ?? 0);
  const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
  return { text: String(scalar.value).trim(), line: line + 1, column: quoted ? col + 1 : col };
}
