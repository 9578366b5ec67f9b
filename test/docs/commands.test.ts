/** The commands that the documentation names exist, with their options; and every command is named. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command, Option } from 'commander';
import { describe, expect, it } from '@jest/globals';
import { perennialProgram } from '../../scripts/program.ts';
import { examplesOf, PATHS, readPage, ROOT } from './pages.ts';

const SCRIPTS = (JSON.parse(readPage('package.json')) as { readonly scripts: Readonly<Record<string, string>> })
  .scripts;

/** A command line as the documentation has it. `whole`: it can be typed like this; otherwise it may leave things out. */
interface CommandLine {
  readonly page: string;
  readonly text: string;
  readonly whole: boolean;
}

/** What stands between quotes or spaces; what a shell would do with it does not matter here. */
function wordsOf(text: string): readonly string[] {
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/["']/g, ''));
}

function linesOf(page: string): readonly CommandLine[] {
  const text = readPage(page);
  const shell = examplesOf(text).filter(({ language }) => language === 'sh');
  const whole = shell.flatMap((example) => example.text.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const inline = [...prose.matchAll(/`((?:perennial|npm run) [^`]+)`/g)].map(([, line = '']) => line);
  const commands = whole.flatMap((line) => line.replace(/(^|\s)[#>].*$/, '').split(/&&|;|\|/));
  return [
    ...commands.map((line) => ({ page, text: line.trim(), whole: true })),
    ...inline.flatMap((line) => line.split(' / ')).map((line) => ({ page, text: line.trim(), whole: false })),
  ];
}

/** The words after `perennial`, however it is started; null for other programs. */
function argumentsOf(text: string): readonly string[] | null {
  const words = wordsOf(text.replace(/^(?:[A-Z_]+=\S* +)+/, ''));
  if (words[0] === 'perennial') return words.slice(1);
  if (words[0] !== 'npm' || words[1] !== 'run') return null;
  const [, , name, separator, ...rest] = words;
  if (name === 'perennial') return separator === '--' ? rest : null;
  return name === 'trigger' || name === 'start' || name === 'demo' ? [name, ...rest] : null;
}

const PROGRAM = await perennialProgram('0');

/** Options that commander gives to every command. */
const EVERYWHERE: ReadonlySet<string> = new Set(['--help', '--version']);
const FORMAL = /^[[\]…]|…$|^\/$/;

function mistakesOf({ text, whole }: CommandLine): readonly string[] {
  const args = (argumentsOf(text) ?? [])
    .map((word) => (whole ? word : word.replaceAll(/[[\]]/g, '')))
    .filter((word) => word !== '');
  let command: Command = PROGRAM;
  const given = new Set<string>();
  const operands: string[] = [];
  const mistakes: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const inner = operands.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (inner !== undefined) command = inner;
    else if (EVERYWHERE.has(word)) continue;
    else if (word.startsWith('--') || /^-[a-z]/.test(word)) {
      const name = word.split('=', 1)[0] ?? word;
      const option = optionOf(command, name);
      if (option === null) mistakes.push(`${command.name()} has no option ${name}`);
      else {
        given.add(option.attributeName());
        if ((option.required || option.optional) && !word.includes('=')) index += 1;
      }
    } else if (whole || !FORMAL.test(word)) operands.push(word);
  }
  return [...mistakes, ...(whole ? missing(command, given, operands.length) : []), ...tooMany(command, operands)];
}

/** Of the command itself, or of the one that it is a part of. */
function optionOf(command: Command, name: string): Option | null {
  const own = command.options.find((option) => option.long === name || option.short === name);
  return own ?? (command.parent === null ? null : optionOf(command.parent, name));
}

function missing(command: Command, given: ReadonlySet<string>, operands: number): readonly string[] {
  const options = command.options.filter((option) => option.mandatory && !given.has(option.attributeName()));
  const needed = command.registeredArguments.filter(
    (argument) => argument.required && argument.defaultValue === undefined,
  );
  return [
    ...options.map((option) => `${command.name()} needs ${option.long ?? ''}`),
    ...(operands < needed.length ? [`${command.name()} needs ${needed.map((one) => one.name()).join(', ')}`] : []),
  ];
}

function tooMany(command: Command, operands: readonly string[]): readonly string[] {
  const takes = command.registeredArguments;
  if (takes.at(-1)?.variadic === true || operands.length <= takes.length) return [];
  return [`${command.name()} takes ${takes.length} words, not ${operands.join(' ')}`];
}

const LINES = PATHS.flatMap(linesOf);
const OWN = LINES.filter(({ text }) => argumentsOf(text) !== null);

describe('the documentation', () => {
  it('has a good number of commands', () => {
    expect(OWN.filter(({ whole }) => whole).length).toBeGreaterThan(25);
    expect(OWN.filter(({ whole }) => !whole).length).toBeGreaterThan(25);
  });

  it('names no command and no option that is not there', () => {
    const wrong = OWN.flatMap((line) => mistakesOf(line).map((mistake) => `${line.page}: ${line.text}: ${mistake}`));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['perennial chekc', 'perennial takes 0 words, not chekc'],
    ['perennial check --jsn', 'check has no option --jsn'],
    ['perennial cancel welcome --by Mia --reason moved', 'cancel needs --customer'],
    ['perennial held drop --by Mia --reason x', 'drop needs what'],
  ])('would notice %s', (text, mistake) => {
    expect(mistakesOf({ page: '', text, whole: true })).toEqual([mistake]);
  });

  it('names every command of the program', () => {
    const named = new Set(OWN.map(({ text }) => argumentsOf(text)?.[0]));
    const commands = PROGRAM.commands.map((command) => command.name());
    expect(commands.filter((name) => !named.has(name))).toEqual([]);
  });

  it('loads for a command that command alone', async () => {
    for (const name of PROGRAM.commands.map((command) => command.name())) {
      const { commands } = await perennialProgram('0', name);
      expect(commands.map((command) => command.name())).toEqual([name]);
    }
    expect((await perennialProgram('0', 'chekc')).commands).toHaveLength(PROGRAM.commands.length);
    expect((await perennialProgram('0', 'constructor')).commands).toHaveLength(PROGRAM.commands.length);
  });

  it('names no script of npm that is not there', () => {
    const run = LINES.flatMap(({ text }) => [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name));
    expect(run.length).toBeGreaterThan(2);
    expect(run.filter((name) => !(name in SCRIPTS))).toEqual([]);
  });

  it.each(PATHS)('%s has no dead link to another page or heading', (page) => {
    const links = [...readPage(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const dead = links.filter(([, file = '', heading]) => {
      const target = file === '' ? resolve(ROOT, page) : resolve(ROOT, dirname(page), file);
      if (!existsSync(target)) return true;
      return heading !== undefined && !headingsOf(readPage(target)).has(heading);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });
});

/** The anchors that a page's headings get. */
function headingsOf(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
