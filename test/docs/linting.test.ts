/** docs/linting.md says what the linter does: every rule has its example, which is run, and finds what the page shows. */
import { describe, expect, it } from '@jest/globals';
import { MAIL_RULES } from '../../engine/message/lint/rules.ts';
import { RULES } from '../../engine/playbook/lint/rules.ts';
import type { Standing } from '../../engine/playbook/lint/rule.ts';
import type { Problem, SourceFile } from '../../engine/playbook/problem.ts';
import { checkSources, lintProject } from '../../engine/project/check.ts';
import { formatProblems } from '../../scripts/check/format.ts';
import { type Example, examplesOf, readPage } from './pages.ts';

const PAGE = readPage('docs/linting.md');
/** As the page says of its last example. */
const STANDING: readonly Standing[] = [{ playbook: 'letters', step: 'second-letter', customers: 12 }];

/** The file that an example is: named in its first line, or after the language. */
function fileOf({ info, text }: Example): SourceFile {
  const path = /^# (\S+\.yaml)\n/.exec(text)?.[1] ?? info.split(' ').at(-1) ?? '';
  return { path, text };
}

const ALL = [...RULES, ...MAIL_RULES].map(({ code }) => code);
const EXAMPLES = examplesOf(PAGE);
const COMPANY = EXAMPLES.map(fileOf).filter(({ path }) => path === 'perennial.yaml');

/** What is said of the company with these examples, and with a template for each mail that has none. */
function checked(examples: readonly Example[]): {
  readonly problems: readonly Problem[];
  readonly sources: readonly SourceFile[];
} {
  const files = examples.map(fileOf);
  const mails = files.flatMap(({ text }) => [...text.matchAll(/email: ([a-z/]+)/g)].map(([, name = '']) => name));
  const templates = [...new Set(mails)].map((name) => ({
    path: `templates/${name}.hbs`,
    text: '---\nsubject: Sample\n---\n<a href="{{unsubscribe_url}}">No more of this</a>, {{company.address}}\n',
  }));
  const all = new Map([...templates, ...COMPANY, ...files].map((file) => [file.path, file]));
  const sources = [...all.values()];
  const project = checkSources(sources);
  const standing = STANDING.filter(({ playbook }) => files.some(({ path }) => path === `playbooks/${playbook}.yaml`));
  const isAsked = examples.some(({ text }) => text.includes('in_flight'));
  return { problems: [...project.problems, ...lintProject(project, isAsked ? standing : null)], sources };
}

/** The examples under a rule's heading. */
function section(rule: string): readonly Example[] {
  const [, text = ''] = new RegExp(`\n### ${rule}\n([\\s\\S]*?)(?=\n### |$(?![\\s\\S]))`).exec(PAGE) ?? [];
  return examplesOf(text);
}

const codes = (problems: readonly Problem[]): readonly string[] => [...new Set(problems.map(({ code }) => code))];

describe('docs/linting.md', () => {
  it('has a chapter for every rule and none besides', () => {
    const headings = [...PAGE.matchAll(/^### (\S+)$/gm)].map(([, name = '']) => name);
    expect(headings).toEqual(ALL);
  });

  it.each(ALL)('%s finds what the page shows, and nothing once it is mended', (rule) => {
    const examples = section(rule);
    const of = (kind: string): readonly Example[] => examples.filter(({ info }) => info.split(' ')[0] === kind);
    const found = checked(of('found'));
    expect(codes(found.problems)).toEqual([rule]);
    const shown = examples.find(({ language }) => language === 'text')?.text;
    expect(shown).toBe(formatProblems(found.problems, { colour: false, sources: found.sources }));
    expect(of('clean').length).toBeGreaterThan(0);
    expect(checked(of('clean')).problems).toEqual([]);
  });

  it('allows what is allowed, and only that', () => {
    const [example] = EXAMPLES.filter(({ info }) => info === 'allowed');
    if (example === undefined) throw new Error('the page shows no allowance');
    expect(checked([example]).problems).toEqual([]);
    const bare = { ...example, text: example.text.replaceAll(/# lint:.*/g, '') };
    expect(codes(checked([bare]).problems)).toEqual(['goal-is-trigger', 'never-true']);
    const wordless = { ...example, text: example.text.replace(/(allow goal-is-trigger):.*/, '$1') };
    expect(codes(checked([wordless]).problems)).toEqual(['bad-allowance', 'goal-is-trigger']);
    const misspelt = {
      ...example,
      text: example.text.replace('goal-is-trigger', 'goal-is-triger'),
    };
    const [bad] = checked([misspelt]).problems;
    expect(bad).toMatchObject({ code: 'bad-allowance', line: 4, column: 1, fix: 'did you mean `goal-is-trigger`?' });
    const unused = { ...example, text: example.text.replace('customer.orders < 0', 'customer.orders > 0') };
    expect(checked([unused]).problems).toMatchObject([{ code: 'unused-allowance', level: 'hint' }]);
    const inText = bare.text.replace('topic: news', 'topic: news\ndescription: |\n  # lint: allow nothing\n');
    expect(codes(checked([{ ...bare, text: inText }]).problems)).toEqual(['goal-is-trigger', 'never-true']);
    const windows = { ...example, text: example.text.replaceAll('\n', '\r\n').replace('\r\n', '\n') };
    expect(checked([windows]).problems).toEqual([]);
  });

  it('allows in a template what is allowed there, and only that', () => {
    const [, example] = EXAMPLES.filter(({ info }) => info.split(' ')[0] === 'allowed');
    if (example === undefined) throw new Error('the page shows no allowance in a template');
    expect(checked([example]).problems).toEqual([]);
    const bare = { ...example, text: example.text.replaceAll(/.*lint:.*\n/g, '') };
    expect(codes(checked([bare]).problems)).toEqual(['long-subject', 'missing-alt']);
    const wordless = { ...example, text: example.text.replace(/(allow missing-alt).* --/, '$1 --') };
    expect(checked([wordless]).problems).toMatchObject([
      { code: 'bad-allowance', line: 5, column: 1, fix: 'say why: `{{!-- lint: allow missing-alt: … --}}`' },
      { code: 'missing-alt', line: 6 },
    ]);
    const unused = { ...example, text: example.text.replace('<img ', '<img alt="" ') };
    expect(checked([unused]).problems).toMatchObject([{ code: 'unused-allowance', line: 5, level: 'hint' }]);
  });
});
