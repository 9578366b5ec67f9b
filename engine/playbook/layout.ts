import type { Problem, SourceFile } from './problem.ts';
import { CLEAN_NAME } from './schema/text.ts';

/** The file that describes the company. */
export const COMPANY_FILE = 'perennial.yaml';

/** Which file of a company folder is what. */
export interface Layout {
  readonly company: SourceFile | null;
  readonly playbooks: readonly SourceFile[];
  readonly launches: readonly SourceFile[];
  /** `NAME.test.yaml`: beside playbooks, and no part of what runs. */
  readonly tests: readonly SourceFile[];
  readonly problems: readonly Problem[];
}

/** A playbook's or launch's name: its file's, without `.yaml`; a test's, without `.test.yaml`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.test)?\.yaml$/, '');
}

const TEMPLATE_FILE = /^templates\/(.+)\.(?:hbs|mjml)$/;

/** The name of a file that mails are made of, `layouts/default` among them; null for any other file. */
export function templateFileName(path: string): string | null {
  return TEMPLATE_FILE.exec(path)?.[1] ?? null;
}

const SHARED = /^(?:layouts|partials)\//;
/** `hello.txt` and `hello.de.txt`; also `hello.txt.de`, for that is what a slip looks like. */
const TEXT = /^(.+)\.txt(\.[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)?$/;

/** The name of a mail's file, such as `welcome/hello.de`; null for layouts, partials, texts and any other file. */
export function mailFileName(path: string): string | null {
  const name = templateFileName(path);
  return name === null || SHARED.test(name) || TEXT.test(name) ? null : name;
}

/** The name of the mail whose plain text a file is: `a/b.de` for `templates/a/b.de.txt.hbs`; null for any other file. */
export function textFileName(path: string): string | null {
  const name = templateFileName(path);
  if (name === null || SHARED.test(name)) return null;
  const [, mail, locale = ''] = TEXT.exec(name) ?? [];
  return mail === undefined ? null : `${mail}${locale}`;
}

const TEST = /^playbooks\/.*\.test\.ya?ml$/;

/** Whether a file is a test of a playbook. */
export function isTest(path: string): boolean {
  return TEST.test(path);
}

/** The sources of what runs: all but the tests of playbooks. */
export function releaseSources(sources: readonly SourceFile[]): readonly SourceFile[] {
  return sources.filter(({ path }) => !isTest(path));
}

function badName(path: string, message: string, fix: string): Problem {
  return { file: path, line: 1, column: 1, level: 'error', code: 'bad-file-name', message, fix };
}

/** Why a file under playbooks/ is none, or null. */
function refusal(path: string, folder: string): Problem | null {
  const rest = path.slice(folder.length);
  const suffix = isTest(path) ? '.test.yaml' : '.yaml';
  if (rest.endsWith('.yml'))
    return badName(path, 'the name of a playbook ends in .yaml', `rename it to ${path.replace(/yml$/, 'yaml')}`);
  if (rest.includes('/') || (isTest(path) && folder.endsWith('launches/')))
    return badName(
      path,
      'playbooks and their tests stand in playbooks/ itself, launches in playbooks/launches/',
      'move the file there',
    );
  const name = nameOf(path);
  if (name === 'any' && folder.endsWith('launches/'))
    return badName(path, '`any` means every launch', 'give the launch another name');
  if (CLEAN_NAME.test(name) && name.length <= 100) return null;
  const clean = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const message = 'a file name has small letters, digits and single hyphens, and at most 100 characters';
  return badName(path, message, `rename it to ${folder}${clean === '' ? 'welcome' : clean.slice(0, 100)}${suffix}`);
}

/** Sorts out a folder's files; what is neither YAML nor under playbooks/ is not asked. */
export function layOut(sources: readonly SourceFile[]): Layout {
  const playbooks: SourceFile[] = [];
  const launches: SourceFile[] = [];
  const tests: SourceFile[] = [];
  const problems: Problem[] = [];
  for (const source of sources) {
    const { path } = source;
    if (!path.startsWith('playbooks/') || !/\.ya?ml$/.test(path)) continue;
    const isLaunch = path.startsWith('playbooks/launches/');
    const problem = refusal(path, isLaunch ? 'playbooks/launches/' : 'playbooks/');
    if (problem !== null) problems.push(problem);
    else (isTest(path) ? tests : isLaunch ? launches : playbooks).push(source);
  }
  return { company: sources.find(({ path }) => path === COMPANY_FILE) ?? null, playbooks, launches, tests, problems };
}
