/** Reads and checks the tests of playbooks. docs/testing-playbooks.md. */
import { layOut, isTest, nameOf } from '../layout.ts';
import type { Problem, SourceFile } from '../problem.ts';
import { reportOn } from '../read/report.ts';
import { readDocument } from '../read/walk.ts';
import { type PlaybookTestSource, SCHEMAS } from '../schema.ts';
import type { Release } from '../types.ts';
import { parseYaml } from '../yaml/parse.ts';
import { readTest } from './read.ts';
import type { PlaybookTest } from './types.ts';

/** One file of tests. Without `tests`, at least one of its problems is an error, or the playbooks have mistakes. */
export interface TestFile {
  readonly path: string;
  readonly tests: readonly PlaybookTest[] | null;
  readonly problems: readonly Problem[];
}

/** All tests of a company folder. */
export interface CompiledTests {
  readonly files: readonly TestFile[];
  readonly problems: readonly Problem[];
}

/**
 * Checks the tests among the sources. Without a release only their form is checked: what they name cannot be known.
 * A mistake in one file keeps no other from being run. Never throws for any source.
 */
export function compileTests(sources: readonly SourceFile[], release: Release | null): CompiledTests {
  const layout = layOut(sources.filter(({ path }) => isTest(path)));
  const files = layout.tests.map((source) => compileFile(source, release));
  return { files, problems: [...layout.problems, ...files.flatMap(({ problems }) => problems)] };
}

function compileFile(source: SourceFile, release: Release | null): TestFile {
  const { path } = source;
  const { document, problems } = parseYaml(source);
  if (document === null) return { path, tests: null, problems };
  const report = reportOn(document);
  report.problems.push(...problems);
  const value = readDocument(document, SCHEMAS.test, report);
  const isSound = (): boolean => report.problems.every(({ level }) => level !== 'error');
  // Names are looked up once the form is right: of a half-read test too little is known.
  if (release === null || value === undefined || !isSound()) return { path, tests: null, problems: report.problems };
  const seen = new Set<string>();
  const tests = (value as PlaybookTestSource).tests.map((test) => {
    if (seen.has(test.name)) {
      const message = `there is another test of the name "${test.name}" in this file`;
      report.at(test, 'name', { code: 'duplicate-name', message, fix: 'say what is different about this one' });
    }
    seen.add(test.name);
    return readTest({ report, release }, test, path, nameOf(path));
  });
  return { path, tests: isSound() ? tests : null, problems: report.problems };
}
