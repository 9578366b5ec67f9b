/** `perennial inbox`: the mails that the local inbox has kept. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type InboxEntry, type ReceivedMail, inboxRange, listInbox, readMail } from '../engine/mail/inbox/store.ts';
import { harmless, jsonText } from './support/terminal.ts';

interface ListOptions {
  readonly project: string;
  readonly to?: string;
  readonly limit: number;
  readonly json?: boolean;
}

interface ShowOptions {
  readonly project: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly raw?: boolean;
}

/** Where a company's local inbox keeps its mails. */
export function inboxFolder(project: string): string {
  return path.join(project, '.perennial', 'inbox');
}

/** The command. Exit code 1 for a mail that is not there, 0 otherwise. */
export function inboxCommand(): Command {
  return new Command('inbox')
    .description('list the mails in the local inbox, or show one')
    .option('--project <dir>', 'the company folder', '.')
    .option('--to <address>', 'only mails to this address')
    .option('--limit <n>', 'the latest n mails', wholeNumber, 20)
    .option('--json', 'print JSON')
    .action((options: ListOptions) => list(options))
    .addCommand(showCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('show one mail: its headers and plain text')
    .configureHelp({ showGlobalOptions: true })
    .argument('<number>', 'the mail’s number in the list', wholeNumber)
    .option('--html <file>', 'write its HTML to a file, for a browser')
    .option('--raw', 'print it as it was received')
    .action((number: number, _: unknown, command: Command) => show(number, command.optsWithGlobals<ShowOptions>()));
}

async function list({ project, to, limit, json }: ListOptions): Promise<void> {
  const dir = inboxFolder(project);
  const mails = await listInbox(dir, { limit, ...(to === undefined ? {} : { to }) });
  if (json === true) {
    process.stdout.write(`${jsonText(mails, 2)}\n`);
    return;
  }
  const range = await inboxRange(dir);
  if (range === null) process.stdout.write(`No mail in ${dir} yet.\n`);
  else process.stdout.write(`${table(mails)}${summary(mails.length, range.count, to)}\n`);
}

async function show(number: number, options: ShowOptions): Promise<void> {
  const dir = inboxFolder(options.project);
  const mail = await readMail(dir, number);
  if (mail === null) {
    const range = await inboxRange(dir);
    const have =
      range === null ? 'it is empty' : `it has ${range.first} to ${range.last}; "perennial inbox" lists them`;
    process.stderr.write(`There is no mail ${number} in ${dir}: ${have}.\n`);
    process.exitCode = 1;
  } else if (options.raw === true) {
    process.stdout.write(mail.raw);
  } else if (options.html !== undefined) {
    await saveHtml(mail, options.html);
  } else if (options.json === true) {
    const { raw: _, ...fields } = mail;
    process.stdout.write(`${jsonText(fields, 2)}\n`);
  } else {
    process.stdout.write(page(mail));
  }
}

async function saveHtml(mail: ReceivedMail, file: string): Promise<void> {
  if (mail.html === null) {
    process.stderr.write(`Mail ${mail.number} has no HTML part; show it without --html.\n`);
    process.exitCode = 1;
    return;
  }
  await writeFile(file, mail.html);
  process.stdout.write(`Wrote ${file}\n`);
}

function table(mails: readonly InboxEntry[]): string {
  const rows = mails.map((mail) => [
    String(mail.number),
    timeOf(mail),
    safe(mail.to),
    safe(mail.subject),
    placeOf(mail),
  ]);
  const all = [['No.', 'Time (UTC)', 'To', 'Subject', 'Playbook/step'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((text, column) => (column === 0 ? text.padStart(widths[0] ?? 0) : text.padEnd(widths[column] ?? 0)))
        .join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function summary(shown: number, count: number, to: string | undefined): string {
  if (to !== undefined) return `${shown} ${shown === 1 ? 'mail' : 'mails'} to ${to}.`;
  const all = shown === count ? '' : `the latest ${shown} of `;
  return `${all}${count} ${count === 1 ? 'mail' : 'mails'}. Read one with "perennial inbox show NUMBER".`;
}

function page(mail: ReceivedMail): string {
  const place = placeOf(mail);
  const head = [
    `From:     ${safe(mail.from)}`,
    `To:       ${safe(mail.to)}`,
    `Date:     ${timeOf(mail)} UTC`,
    `Subject:  ${safe(mail.subject)}`,
  ];
  if (place !== '') head.push(`Playbook: ${place}`);
  return `${head.join('\n')}\n\n${printable(mail.text ?? '(no plain text; see --html)').trimEnd()}\n`;
}

function placeOf({ playbook, step }: InboxEntry): string {
  return safe([playbook, step].filter((name) => name !== null).join('/'));
}

function timeOf({ at }: InboxEntry): string {
  return at === null ? '-' : at.slice(0, 16).replace('T', ' ');
}

/** One line, without what a terminal would obey. */
function safe(text: string): string {
  return printable(text).replace(/\s+/g, ' ');
}

function printable(text: string): string {
  return text
    .replaceAll('\r', '')
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : harmless(part)))
    .join('');
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1');
  return Number(text);
}
