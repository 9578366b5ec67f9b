/** docs/playbooks.md says what the program does: its examples compile, its tables are made from the schema, its claims hold. */
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { FUNCTIONS, METHODS } from '../../engine/playbook/cel/functions.ts';
import { LOOPS } from '../../engine/playbook/cel/loops.ts';
import { CUSTOMER_FIELDS } from '../../engine/playbook/declarations.ts';
import type { Problem, SourceFile } from '../../engine/playbook/problem.ts';
import { checkSources } from '../../engine/project/check.ts';
import { BLOCK_HELPERS, VALUE_HELPERS } from '../../engine/message/helpers.ts';
import { utc } from '../../engine/time/zone.ts';
import { PAGES } from '../../scripts/docs/pages.ts';
import { mistakesIn, PROBES } from './forms.ts';
import { examplesOf, readPage, type Example } from './pages.ts';

const PAGE = readPage('docs/playbooks.md');
const EXAMPLES = examplesOf(PAGE);
const YAML = EXAMPLES.filter(({ language }) => language === 'yaml');
const TEMPLATES = EXAMPLES.filter(({ language }) => language === 'handlebars').map(({ info, text }): SourceFile => ({
  path: info,
  text,
}));

/** The file that an example is, by its first line; null for a part of a playbook. */
function pathOf({ text }: Example): string | null {
  return /^# (\S+\.yaml)\n/.exec(text)?.[1] ?? null;
}

const COMPANY = YAML.find((example) => pathOf(example) === 'perennial.yaml')?.text ?? '';
const BASE = { topic: 'news', trigger: { event: 'order.placed' }, steps: [{ tag: 'x' }] };

/** A part of a playbook, made whole: a list is its steps, a map some of its keys. */
function completed(text: string): string {
  const part = parse(text) as object;
  return JSON.stringify({ ...BASE, ...(Array.isArray(part) ? { steps: part } : part) });
}

/** The company of the page, these files, and a template or playbook for every mail or start that they name. */
function check(files: readonly SourceFile[]): ReturnType<typeof checkSources> {
  const named = files.flatMap(({ text }) => [...text.matchAll(/\bemail"?: ?"?([a-z-]+\/[a-z-]+)/g)]);
  const templates = [...new Set(named.map(([, name = '']) => name))].map((name) => ({
    path: `templates/${name}.hbs`,
    text: `---\nsubject: Sample\n---\n<p>${name.startsWith('checkin/') ? '{{survey_url 1}}' : 'Sample'}</p>`,
  }));
  const started = files.flatMap(({ text }) => [...text.matchAll(/\bstart"?: ?"?([a-z-]+)/g)]);
  const playbooks = started.map(([, name = '']) => ({ path: `playbooks/${name}.yaml`, text: JSON.stringify(BASE) }));
  const given = new Map(
    [...templates, ...playbooks, { path: 'perennial.yaml', text: COMPANY }, ...files].map((f) => [f.path, f]),
  );
  return checkSources([...given.values()]);
}

function said(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
}

/** What an example holds at a key of the tables, such as `caps[].per` or `topics.NAME.title`. */
function heldAt(value: unknown, path: readonly string[]): boolean {
  const [first = '', ...rest] = path;
  if (path.length === 0) return value !== undefined;
  if (typeof value !== 'object' || value === null) return false;
  const name = first.replace(/\[\]$/, '');
  const found = name === 'NAME' ? Object.values(value) : [(value as Readonly<Record<string, unknown>>)[name]];
  const items = first.endsWith('[]')
    ? found.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
    : found;
  return items.some((item) => heldAt(item, rest));
}

/** All maps within a value, itself included. */
function mapsIn(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(mapsIn);
  return Array.isArray(value) ? inside : [value, ...inside];
}

/** The values of the examples that a generated table is about. */
function described(section: string): readonly object[] {
  const all = YAML.map((example) => ({ path: pathOf(example), value: parse(example.text) as object }));
  const playbooks = all
    .filter(({ path }) => path === null || /^playbooks\/[^/]+\.yaml$/.test(path))
    .map(({ value }) => value);
  const [part, kind = ''] = section.split(' ');
  if (section === 'perennial.yaml') return all.filter(({ path }) => path === section).map(({ value }) => value);
  if (section === 'launch')
    return all.filter(({ path }) => path?.startsWith('playbooks/launches/')).map(({ value }) => value);
  if (section === 'playbook') return playbooks;
  const triggers = playbooks.flatMap((value) => ('trigger' in value ? [value.trigger as object] : []));
  if (part === 'trigger') return triggers.filter((trigger) => Object.keys(trigger)[0] === kind);
  const steps = playbooks.flatMap((value) =>
    mapsIn('steps' in value ? value.steps : Array.isArray(value) ? value : []),
  );
  return section === 'every step' ? steps : steps.filter((step) => kind in step);
}

/** The keys that the tables name, with their section. */
const KEYS = [...PAGE.matchAll(/<!-- generated: (.+?) -->\n([\s\S]*?)<!-- \/generated/g)].flatMap(
  ([, section = '', table = '']) =>
    [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, key = '']) => [section, key] as const),
);

describe('docs/playbooks.md', () => {
  it.each(PAGES.map(({ path }) => path))(
    '%s has its generated parts as they would be made now (npm run docs)',
    (path) => {
      const page = PAGES.find((one) => one.path === path);
      expect(readPage(path)).toBe(page?.renew(readPage(path)));
    },
  );

  it('has a good number of examples', () => {
    expect(YAML.length).toBeGreaterThan(15);
    expect(TEMPLATES.map(({ path }) => path)).toContain('templates/welcome/hello.hbs');
  });

  it.each(YAML.map((example) => [example.line, example] as const))(
    'the example in line %d has no mistake',
    (_, example) => {
      const path = pathOf(example);
      const file =
        path === null
          ? { path: 'playbooks/example.yaml', text: completed(example.text) }
          : { path, text: example.text };
      const { problems, release } = check([file]);
      expect(said(problems)).toEqual([]);
      expect(release).not.toBeNull();
    },
  );

  it('has an example that is run for every key', () => {
    expect(KEYS.length).toBeGreaterThan(100);
    const without = KEYS.filter(([section, key]) => !described(section).some((value) => heldAt(value, key.split('.'))));
    expect(without.map(([section, key]) => `${section}: ${key}`)).toEqual([]);
  });

  it('its templates have no mistake', () => {
    const { problems, templates } = check(TEMPLATES);
    expect(said(problems)).toEqual([]);
    expect(templates.names).toEqual(['welcome/hello', 'welcome/letter']);
  });

  it('notices an example that has one', () => {
    const wrong = {
      path: 'playbooks/example.yaml',
      text: completed('- email: welcome/hello\n  if: customer.plam == ""\n'),
    };
    expect(said(check([wrong]).problems)).toHaveLength(1);
  });

  it('says what each condition is for a customer of whom nothing is known', () => {
    const [, table = ''] = /<!-- conditions -->([\s\S]*)<!-- \/conditions -->/.exec(PAGE) ?? [];
    const rows = [...table.matchAll(/^\| `(.+?)` +\| (true|false) +\|$/gm)].map(([, source = '', is]) => ({
      source,
      is,
    }));
    expect(rows.length).toBeGreaterThan(15);
    const files = rows.map(({ source }, index) => ({
      path: `playbooks/c${index}.yaml`,
      text: JSON.stringify({ ...BASE, audience: source }),
    }));
    const { release, problems } = check(files);
    expect(said(problems)).toEqual([]);
    const customer = { email: 'ada@example.com', orders: 0, spent: 0, tags: [] };
    const scope = { customer, vars: {}, now: Date.parse('2026-03-02T09:00:00Z'), zone: utc };
    const found = rows.map(({ source }, index) => ({
      source,
      is: String(release?.byName.get(`c${index}`)?.audience?.test(scope)),
    }));
    expect(found).toEqual(rows);
  });

  it.each([
    ['function', [...FUNCTIONS.keys(), 'has'].map((name) => `\`${name}(`)],
    ['method', [...METHODS.keys(), 'matches', ...LOOPS].map((name) => `\`.${name}(`)],
    ['field of a customer', [...CUSTOMER_FIELDS.keys()].map((name) => `\`${name}\``)],
    ['helper', [...VALUE_HELPERS.keys(), ...BLOCK_HELPERS].map((name) => `\`${name}\``)],
  ])('names every %s', (_, names) => {
    expect(names.filter((name) => !PAGE.includes(name))).toEqual([]);
  });

  it('has every form of trigger and step, and all of them are carried out', () => {
    const headings = [...PAGE.matchAll(/<!-- generated: (trigger|step) (\S+) -->/g)].map(
      ([, part, name]) => `${part} ${name}`,
    );
    const asked = PROBES.filter(({ part }) => part !== 'key').map(({ part, name }) => `${part} ${name}`);
    expect(headings.sort()).toEqual(asked.sort());
    expect(PROBES.flatMap(mistakesIn)).toEqual([]);
  });
});
