import { fromLocal } from '../time/local.ts';
import { buildCompany } from './build/company.ts';
import { buildPlaybook, type Defaults } from './build/playbook.ts';
import type { CheckedCompany, CheckedSources, CheckedText } from './checked.ts';
import { checkAddress, checkCompany } from './check/company.ts';
import { nothingResolved } from './check/context.ts';
import { placeSteps } from './check/ids.ts';
import { checkPlaybook } from './check/playbook.ts';
import { checkRenamed } from './check/renamed.ts';
import { allSteps } from './check/steps.ts';
import { namedMails, type NamedMail } from './check/mails.ts';
import { templateTexts, type TemplateText } from './check/texts.ts';
import { type Declarations, declare, launchFields, templateNames } from './declarations.ts';
import { COMPANY_FILE, type Layout, layOut, nameOf, releaseSources } from './layout.ts';
import { hashOf, hashOfAll } from './hash.ts';
import type { Problem, SourceFile } from './problem.ts';
import { type Report, reportOn } from './read/report.ts';
import { type Loose, readDocument } from './read/walk.ts';
import { type CompanySource, type FileKind, type LaunchSource, type PlaybookSource, SCHEMAS } from './schema.ts';
import type { Json, Launch, Playbook, Release } from './types.ts';
import { parseYaml } from './yaml/parse.ts';

/** What compiling a company folder gives. Without a release, at least one problem is an error. */
export interface Compiled {
  readonly release: Release | null;
  readonly problems: readonly Problem[];
  /** Texts of playbooks that are templates, for whoever knows templates to check. */
  readonly texts: readonly TemplateText[];
  /** What a linter looks at: the files in which nothing is wrong. Null while `perennial.yaml` itself has mistakes. */
  readonly checked: CheckedSources | null;
  /** Templates that playbooks send, likewise. */
  readonly mails: readonly NamedMail[];
}

interface Read<T> {
  readonly source: SourceFile;
  /** Null: the file could not be parsed. */
  readonly report: Report | null;
  readonly value: Loose<T> | undefined;
  readonly problems: readonly Problem[];
}

function readSource<T>(kind: FileKind, source: SourceFile): Read<T> {
  const { document, problems } = parseYaml(source);
  if (document === null) return { source, report: null, value: undefined, problems };
  const report = reportOn(document);
  report.problems.push(...problems);
  const value = readDocument(document, SCHEMAS[kind], report) as Loose<T> | undefined;
  return { source, report, value, problems: report.problems };
}

function isSound(problems: readonly Problem[]): boolean {
  return problems.every(({ level }) => level !== 'error');
}

function buildLaunch({ source, value }: Read<LaunchSource>, { company }: Defaults): Launch {
  const { title, public_at: publicAt, ...rest } = value as LaunchSource;
  const at = 'at' in publicAt ? publicAt.at : fromLocal(publicAt.local, company.zone);
  const fields = { ...(rest as Readonly<Record<string, Json>>), title, public_at: at };
  return { name: nameOf(source.path), title, publicAt: at, fields };
}

interface One {
  readonly checked: CheckedText;
  readonly build: (defaults: Defaults) => Playbook;
}

/** Checks one playbook; null when there is a mistake in it. */
function checkOne(read: Read<PlaybookSource>, names: Declarations | null): One | null {
  const { source, report, value } = read;
  if (report === null || value === undefined) return null;
  const resolved = nothingResolved();
  const places = placeSteps(report, value.steps ?? []);
  if (names !== null) {
    checkPlaybook({ report, names, resolved }, value);
    checkRenamed({ report, names, resolved }, value, new Set([...places.values()].map(({ id }) => id)));
  }
  if (!isSound(report.problems)) return null;
  const checked = {
    name: nameOf(source.path),
    version: hashOf(source.text),
    source: value as PlaybookSource,
    resolved,
    places,
  };
  return { checked: { ...checked, text: source.text, report }, build: (defaults) => buildPlaybook(checked, defaults) };
}

/** What of the checked files is whole. */
function soundOnly(declared: ReturnType<typeof declareAll>, ones: readonly (One | null)[], text: string) {
  if (declared === null || !isSound(declared.report.problems)) return null;
  const { report, value, names } = declared;
  const company: CheckedCompany = { source: value as CompanySource, text, report, names };
  return { company, playbooks: ones.flatMap((one) => (one === null ? [] : [one.checked])) };
}

/** Whether a playbook has a mail of a topic that is not transactional. */
function sendsMarketing({ value }: Read<PlaybookSource>, names: Declarations): boolean {
  return [...allSteps(value?.steps ?? [])].some((step) => {
    if (!('email' in step) && !('survey' in step)) return false;
    const own = 'email' in step ? step.topic : undefined;
    const topic = names.topics.get(own ?? value?.topic ?? '');
    return topic !== undefined && !topic.transactional;
  });
}

/** The order of the language: by priority, higher first, then by name. */
function inOrder(playbooks: readonly Playbook[]): readonly Playbook[] {
  return [...playbooks].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
}

function missingCompany(): Problem {
  const message = 'the company is described nowhere';
  const fix = 'write perennial.yaml, or name the folder that has it with --project';
  return { file: COMPANY_FILE, line: 1, column: 1, level: 'error', code: 'missing-file', message, fix };
}

function byPlace(a: Problem, b: Problem): number {
  return (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
}

interface ReadAll {
  readonly company: Read<CompanySource> | null;
  readonly launches: readonly Read<LaunchSource>[];
  readonly playbooks: readonly Read<PlaybookSource>[];
}

function readAll(layout: Layout): ReadAll {
  return {
    company: layout.company === null ? null : readSource<CompanySource>('company', layout.company),
    launches: layout.launches.map((source) => readSource<LaunchSource>('launch', source)),
    playbooks: layout.playbooks.map((source) => readSource<PlaybookSource>('playbook', source)),
  };
}

function declareAll({ company, launches, playbooks }: ReadAll, sources: readonly SourceFile[]) {
  if (company === null || company.report === null || company.value === undefined) return null;
  const resolved = nothingResolved();
  const declared = declare(company.value, {
    launches: new Map(launches.map(({ source, value }) => [nameOf(source.path), launchFields(value ?? {})])),
    templates: templateNames(sources),
    playbooks: new Set(playbooks.map(({ source }) => nameOf(source.path))),
  });
  return {
    names: checkCompany(company.report, company.value, declared, resolved),
    resolved,
    report: company.report,
    value: company.value,
  };
}

/**
 * Checks a company folder's sources and compiles them: `perennial.yaml`, playbooks and launches (templates by name
 * only; tests are left out).
 * Finds all mistakes of all files at once; the release is null when one of them is an error. Never throws for any source.
 */
export function compileProject(all: readonly SourceFile[]): Compiled {
  const sources = releaseSources(all);
  const layout = layOut(sources);
  const read = readAll(layout);
  const declared = declareAll(read, sources);
  const ones = read.playbooks.map((playbook) => checkOne(playbook, declared?.names ?? null));
  if (declared !== null) {
    const { report, value, names } = declared;
    checkAddress(
      report,
      value,
      read.playbooks.some((playbook) => sendsMarketing(playbook, names)),
    );
  }
  const problems: readonly Problem[] = [
    ...layout.problems,
    ...(read.company === null ? [missingCompany()] : read.company.problems),
    ...read.launches.flatMap((launch) => launch.problems),
    ...read.playbooks.flatMap((playbook) => playbook.problems),
  ].sort(byPlace);
  const found = {
    texts: read.playbooks.flatMap(({ report, value }) =>
      report === null ? [] : templateTexts(report, value?.steps ?? []),
    ),
    mails: read.playbooks.flatMap(({ report, value }) =>
      report === null ? [] : namedMails(report, value?.steps ?? [], value?.topic ?? null),
    ),
    checked: soundOnly(declared, ones, read.company?.source.text ?? ''),
  };
  if (declared === null || !isSound(problems)) return { release: null, problems, ...found };
  const defaults = buildCompany(declared.value as CompanySource, declared.resolved);
  const playbooks = inOrder(ones.flatMap((one) => (one === null ? [] : [one.build(defaults)])));
  const launches = read.launches.map((launch) => buildLaunch(launch, defaults));
  const release: Release = {
    id: hashOfAll(sources),
    company: defaults.company,
    playbooks,
    byName: new Map(playbooks.map((playbook) => [playbook.name, playbook])),
    launches: new Map(launches.map((launch) => [launch.name, launch])),
  };
  return { release, problems, ...found };
}
