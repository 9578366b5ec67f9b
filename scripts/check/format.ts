import type { Problem, SourceFile } from '../../engine/playbook/problem.ts';

/** How problems are shown. */
export interface FormatOptions {
  /** ANSI colours. */
  readonly colour: boolean;
  /** The sources that the excerpts come from. */
  readonly sources: readonly SourceFile[];
}

/** Longest part of a source line that is shown around a mistake. */
const EXCERPT_WIDTH = 100;

const COLOURS = { error: 31, warning: 33, hint: 36, dim: 2, bold: 1 } as const;

/** What is pointed at: a text in quotes, or a word. */
function widthAt(line: string, from: number): number {
  const [found = ''] = /^(?:"[^"]*"|'[^']*'|[\p{L}\p{N}_./-]+)/u.exec(line.slice(from)) ?? [];
  return Math.max(1, found.length);
}

type Paint = (style: keyof typeof COLOURS, text: string) => string;

/** What a terminal would act upon is shown as a dot. */
function harmless(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/\p{Cc}/gu, '·');
}

function excerpt(problem: Problem, source: SourceFile | undefined, paint: Paint): readonly string[] {
  const line = source?.text.split('\n', problem.line)[problem.line - 1]?.replace(/\r$/, '');
  if (line === undefined || line.trim() === '') return [];
  const from = Math.max(0, problem.column - 1 - EXCERPT_WIDTH + 20);
  const shown = harmless(line.slice(from, from + EXCERPT_WIDTH));
  const number = String(problem.line).padStart(5);
  const caret = ' '.repeat(Math.max(0, problem.column - 1 - from));
  const mark = '^'.repeat(widthAt(shown, caret.length));
  return [
    `${paint('dim', `${number} |`)} ${shown}`,
    `${paint('dim', `${' '.repeat(5)} |`)} ${caret}${paint(problem.level, mark)}`,
  ];
}

function formatOne(problem: Problem, source: SourceFile | undefined, paint: Paint): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const code = paint('dim', problem.code);
  const head = `${paint('bold', place)} ${paint(problem.level, problem.level)} ${code} ${harmless(problem.message)}`;
  const fix = problem.fix === null ? [] : [`${' '.repeat(6)} ${paint('bold', '→')} ${harmless(problem.fix)}`];
  return [head, ...excerpt(problem, source, paint), ...fix].join('\n');
}

/** Problems with their lines, a caret and what to do, an empty line between files. Ends with a line break unless empty. */
export function formatProblems(problems: readonly Problem[], options: FormatOptions): string {
  const paint: Paint = (style, text) => (options.colour ? `\u001B[${COLOURS[style]}m${text}\u001B[0m` : text);
  const sources = new Map(options.sources.map((source) => [source.path, source]));
  let text = '';
  let file: string | null = null;
  for (const problem of problems) {
    if (file !== null && file !== problem.file) text += '\n';
    file = problem.file;
    text += `${formatOne(problem, sources.get(problem.file), paint)}\n`;
  }
  return text;
}

/** A number of things in words: `1 error`, `2 errors`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

/** One line that says how many errors, warnings and hints there are. */
export function summarise(problems: readonly Problem[]): string {
  const parts = (['error', 'warning', 'hint'] as const)
    .map((level) => ({ level, number: problems.filter((problem) => problem.level === level).length }))
    .filter(({ number }) => number > 0)
    .map(({ level, number }) => count(number, level));
  const files = new Set(problems.map(({ file }) => file)).size;
  return parts.length === 0 ? 'no mistakes' : `${parts.join(', ')} in ${count(files, 'file')}`;
}
