/** A small company whose playbooks are tested, and the terminal that shows what came of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkSources } from '../../engine/project/check.ts';
import type { Problem, SourceFile } from '../../engine/playbook/problem.ts';
import { utc } from '../../engine/time/zone.ts';
import { testCommand } from '../../scripts/test.ts';
import type { Terminal } from '../../scripts/support/terminal.ts';
import { formatDifference } from '../../scripts/test/difference.ts';
import { runTests, type TestResult } from '../../scripts/test/run.ts';
import { testFolder } from '../support/folder.ts';

export const COMPANY = `company: { name: Hearth & Home, address: 12 Mill Lane }
mail: { from: Hearth & Home <hello@hearth.example> }
defaults: { timezone: Europe/London, at: "09:00", send_window: any }
purchase: { event: order.placed, amount: total }
attributes: { plan: string, score: number }
events:
  order.placed: { total: number, order_id: string }
  order.refunded: { order_id: string }
topics:
  news: { title: News and offers }
  service: { title: Service messages, transactional: true }
`;

/** Hello at the order, tips three days later; a refund ends it, a second order is the goal. */
export const WELCOME = `topic: news
trigger: { event: order.placed, first: true }
exit: [{ event: order.refunded }]
goal: { event: order.placed, within: 30 days }
steps:
  - email: welcome/hello
  - tag: greeted
  - wait: 3 days
  - email: welcome/tips
`;

export const SORRY = `topic: service
trigger: { manual: true }
audience: customer.plan != "none"
steps:
  - email: care/sorry
`;

const mail = (subject: string, body: string): string => `---\nsubject: ${subject}\n---\n<p>${body}</p>\n`;

/** The company's files without tests. */
export const FILES: Readonly<Record<string, string>> = {
  'perennial.yaml': COMPANY,
  'playbooks/welcome.yaml': WELCOME,
  'playbooks/sorry.yaml': SORRY,
  'templates/welcome/hello.hbs': mail('Hello {{customer.first_name}}', 'Your order {{event.order_id}} is with us.'),
  'templates/welcome/tips.hbs': mail('Tips', 'Three of them.'),
  'templates/care/sorry.hbs': mail('Sorry', 'About {{vars.order_id}}.'),
};

/** Files by path as sources. */
export function sourcesOf(files: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(files).map(([file, text]) => ({ path: file, text }));
}

/** Problems as `line:column code message → fix`, of one file. */
export function said(problems: readonly Problem[], file: string): readonly string[] {
  return problems
    .filter((problem) => problem.file === file)
    .map(
      ({ line, column, code, message, fix }) =>
        `${line}:${column} ${code} ${message}${fix === null ? '' : ` → ${fix}`}`,
    );
}

/** Runs the one test of `playbooks/welcome.test.yaml`; `lines` are its keys besides the name. */
export function runOne(lines: string, files: Readonly<Record<string, string>> = FILES): TestResult {
  const text = `tests:\n  - name: it\n${lines.replaceAll(/^/gm, '    ').trimEnd()}\n`;
  const checked = checkSources(sourcesOf({ ...files, 'playbooks/welcome.test.yaml': text }));
  const tests = checked.tests.flatMap((file) => file.tests ?? []);
  if (checked.release === null || tests.length !== 1) throw new Error(JSON.stringify(checked.problems, null, 2));
  const [result] = runTests(tests, checked.release, checked.templates, () => 0);
  if (result === undefined) throw new Error('no test ran');
  return result;
}

/** The difference that is shown for a test, without the indentation that all its lines have. */
export function differenceOf({ test, rows, error }: TestResult): readonly string[] {
  if (error !== null) return [error];
  const text = formatDifference({ colour: false }, test, rows, utc);
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.slice(6));
}

/** What a command printed, and how it ended. */
export interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** A company folder with these files. */
export async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await testFolder();
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
    await writeFile(path.join(dir, file), text);
  }
  return dir;
}

/** Runs `perennial test` in this process. */
export async function perennialTest(dir: string, ...args: readonly string[]): Promise<Printed> {
  const printed = { out: '', err: '', code: 0 };
  const terminal: Terminal = {
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    colour: false,
    zone: utc,
    setExitCode: (code) => void (printed.code = code),
  };
  await testCommand(terminal).parseAsync([...args, '--project', dir], { from: 'user' });
  return printed;
}
