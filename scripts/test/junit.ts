/** Results in the XML that CI servers read (JUnit's, as Jenkins and GitLab take it): a test suite for each file. */
import type { Problem } from '../../engine/playbook/problem.ts';
import type { Zone } from '../../engine/time/types.ts';
import { byFile, formatFailure } from './report.ts';
import type { TestResult } from './run.ts';

/** A file whose tests did not run. */
export interface UnusableFile {
  readonly path: string;
  readonly problems: readonly Problem[];
}

/** XML 1.0 has no way to write other control characters, nor halves of surrogate pairs. */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function clean(text: string): string {
  return text.replaceAll(UNWRITABLE, '\uFFFD');
}

function inText(text: string): string {
  return clean(text).replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? '');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const text = clean(String(value)).replaceAll(/[&<>"\n\r\t]/g, (character) => ESCAPES[character] ?? '');
      return ` ${name}="${text}"`;
    })
    .join('');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function element(name: string, values: Readonly<Record<string, string | number>>, content: string): string {
  return content === '' ? `<${name}${attributes(values)}/>` : `<${name}${attributes(values)}>${content}</${name}>`;
}

function testCase(result: TestResult, zone: Zone): string {
  const { test, passed, error, tookMs } = result;
  const classname = test.playbook ?? test.file;
  const values = { name: test.name, classname, file: test.file, line: test.line, time: seconds(tookMs) };
  const text = passed ? '' : formatFailure({ colour: false }, result, zone);
  const message = error ?? 'the timeline is another than expected';
  const failure = passed ? '' : element('failure', { message, type: 'timeline' }, inText(`\n${text}`));
  return `    ${element('testcase', values, failure)}\n`;
}

function suite(file: string, results: readonly TestResult[], zone: Zone): string {
  const values = {
    name: file,
    tests: results.length,
    failures: results.filter(({ passed }) => !passed).length,
    errors: 0,
    time: seconds(results.reduce((sum, { tookMs }) => sum + tookMs, 0)),
  };
  return `  ${element('testsuite', values, `\n${results.map((one) => testCase(one, zone)).join('')}  `)}\n`;
}

function unusableSuite({ path, problems }: UnusableFile): string {
  const text = problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`).join('\n');
  const error = element('error', { message: 'the file has mistakes', type: 'mistakes' }, inText(text));
  const only = element('testcase', { name: 'the file can be read', classname: path, file: path, time: '0.000' }, error);
  const values = { name: path, tests: 1, failures: 0, errors: 1, time: '0.000' };
  return `  ${element('testsuite', values, `\n    ${only}\n  `)}\n`;
}

/** The whole document. `zone` is the company's. */
export function junitXml(results: readonly TestResult[], unusable: readonly UnusableFile[], zone: Zone): string {
  const suites = [...[...byFile(results)].map(([file, own]) => suite(file, own, zone)), ...unusable.map(unusableSuite)];
  const values = {
    name: 'perennial test',
    tests: results.length + unusable.length,
    failures: results.filter(({ passed }) => !passed).length,
    errors: unusable.length,
    time: seconds(results.reduce((sum, { tookMs }) => sum + tookMs, 0)),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', values, `\n${suites.join('')}`)}\n`;
}
