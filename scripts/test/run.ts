/** Runs tests of playbooks, and says how long each took. */
import type { TemplateSet } from '../../engine/message/templates.ts';
import { sampleSurvey } from '../../engine/message/survey.ts';
import type { PlaybookTest } from '../../engine/playbook/tests/types.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { judge, type Row } from '../../engine/simulate/tests/judge.ts';
import { type Render, runTest } from '../../engine/simulate/tests/run.ts';
import { NOBODYS_LINKS, renderFor } from '../../workers/composing.ts';

/** What came of one test. */
export interface TestResult {
  readonly test: PlaybookTest;
  readonly passed: boolean;
  readonly rows: readonly Row[];
  /** Why it did not run to its end; null when it did. */
  readonly error: string | null;
  readonly tookMs: number;
}

/** Runs tests one after the other. `clock` gives milliseconds from any beginning. */
export function runTests(
  tests: readonly PlaybookTest[],
  release: Release,
  templates: TemplateSet,
  clock: () => number,
): readonly TestResult[] {
  const render: Render = ({ profile, enrolment, send, at }, running) => {
    const survey = send.ask === null ? null : sampleSurvey(send.ask);
    const mail = { profile, enrolment, release: running, templates, template: send.template, now: at };
    return renderFor({ ...mail, survey, links: NOBODYS_LINKS }).rendered;
  };
  return tests.map((test) => {
    const started = clock();
    const run = runTest(test, release, render);
    const verdict = run.ended ? judge(test, run.lines) : { passed: false, rows: [] };
    return { test, ...verdict, error: run.ended ? null : run.error, tookMs: clock() - started };
  });
}

/** Whether a test is meant by one of the filters: parts of its file's name or its own, in any case; none means all. */
export function isWanted({ file, name }: PlaybookTest, filters: readonly string[]): boolean {
  const words = `${file} ${name}`.toLowerCase();
  return filters.length === 0 || filters.some((filter) => words.includes(filter.toLowerCase()));
}
