/** `perennial preview`: one mail as its reader would get it, without sending it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { usableLocale } from '../engine/message/scope.ts';
import { makeMail, type MadeMail, type PreviewOptions } from './preview/make.ts';
import { mailJson, mailText } from './preview/text.ts';
import { staffCommand } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface Options extends PreviewOptions {
  readonly json?: boolean;
  readonly text?: boolean;
  readonly out?: string;
  readonly open?: boolean;
}

/** The command. Exit code 0 when the mail was made, 1 when not, 2 when used wrongly. */
export function previewCommand(terminal: Terminal = processTerminal()): Command {
  return withReader(staffCommand('preview', 'show a mail as its reader would get it'))
    .option('--out <file>', 'write its HTML to a file')
    .option('--open', 'open its HTML in the browser')
    .option('--text', 'print its plain text and nothing else')
    .action(async (template: string, options: Options) => preview(terminal, template, options));
}

/** For whom a mail is made. */
export function withReader(command: Command): Command {
  return command
    .argument('<template>', 'its name, such as welcome/hello')
    .option('--customer <id-or-email>', 'as this customer of the database would get it')
    .addOption(new Option('--sample', 'with made-up values, from the files alone (default)').conflicts('customer'))
    .option('--locale <locale>', 'as somebody of this locale would get it, such as de-AT', localeTag);
}

function localeTag(text: string): string {
  const locale = usableLocale(text);
  if (locale !== 'en' || /^en(?:[-_]|$)/i.test(text)) return locale;
  throw new InvalidArgumentError('Expected a language, with or without a country: de, de-AT.');
}

async function preview(terminal: Terminal, template: string, options: Options): Promise<void> {
  const made = await makeMail(terminal, template, { ...options, withoutCodes: false }, Date.now());
  if (made.outcome === 'failed') {
    terminal.setExitCode(1);
    if (options.json === true) terminal.out(jsonLine(made.answer.json));
    else terminal.err(made.answer.text);
    return;
  }
  const { mail } = made;
  if (options.json === true) terminal.out(jsonLine(mailJson(mail)));
  else terminal.out(options.text === true ? mail.text : mailText(mail, terminal));
  const file = await written(mail, options);
  if (file === null) return;
  if (options.json !== true && options.text !== true) terminal.out(`\nWrote ${file}\n`);
  if (options.open === true && !(await opened(file))) {
    terminal.err(`There is no program that opens ${file}: open it in a browser.\n`);
    terminal.setExitCode(1);
  }
}

/** Writes the HTML where it was asked for; `--open` alone takes a new temporary folder. Null: it was not asked for. */
async function written(mail: MadeMail, { out, open }: Options): Promise<string | null> {
  if (out === undefined && open !== true) return null;
  const file =
    out === undefined
      ? join(await mkdtemp(join(tmpdir(), 'perennial-preview-')), `${basename(mail.template)}.html`)
      : resolve(out);
  // The mail's own header says that it is UTF-8; a file has no such header.
  const mark = /<meta[^>]*charset/i.test(mail.html) ? '' : '\uFEFF';
  await writeFile(file, mark + mail.html);
  return file;
}

const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

async function opened(file: string): Promise<boolean> {
  const [program = '', ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, file], { stdio: 'ignore', detached: true });
  child.unref();
  try {
    await once(child, 'spawn');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
