/** Topics in front matter, and texts by hand, against the steps that send them. */
import { describe, expect, it } from '@jest/globals';
import { checkSources, lintProject } from '../../engine/project/check.ts';

const COMPANY = `company: { name: X, address: Y }
mail: { from: x@hearth.example }
topics: { news: { title: News }, service: { title: Orders, transactional: true } }
events: { order.placed: { total: number } }
`;
const BODY = '<p>Hello</p><a href="{{unsubscribe_url}}">No more</a> {{company.address}}\n';

function check(steps: string, front: string, more: Readonly<Record<string, string>> = {}) {
  const files = {
    'perennial.yaml': COMPANY,
    'playbooks/one.yaml': `topic: news\ntrigger: { manual: true }\nsteps:\n${steps}`,
    'templates/hello.hbs': `---\nsubject: Hello\n${front}---\n${BODY}`,
    ...more,
  };
  return checkSources(Object.entries(files).map(([path, text]) => ({ path, text })));
}

describe('the topic of a template', () => {
  it.each([
    ["the playbook's", '  - email: hello\n', 'topic: news\n'],
    ["the step's", '  - email: hello\n    topic: service\n', 'topic: service\n'],
    ['none', '  - email: hello\n    topic: service\n', ''],
  ])('%s is right', (_what, steps, front) => {
    const { problems, release } = check(steps, front);
    expect(problems).toEqual([]);
    expect(release).not.toBeNull();
  });

  it("never overrides the step's: another one is refused, at the step", () => {
    const { problems, release } = check('  - email: hello\n', 'topic: service\n');
    expect(release).toBeNull();
    expect(problems).toMatchObject([
      {
        file: 'playbooks/one.yaml',
        line: 4,
        column: 12,
        level: 'error',
        code: 'other-topic',
        message: 'templates/hello.hbs is written for the topic `service` (line 3), and this step sends it for `news`',
        fix: 'write `topic: service` at this step, or send another template',
      },
    ]);
  });

  it('is looked at in every language', () => {
    const german = { 'templates/hello.de.hbs': `---\nsubject: Hallo\ntopic: service\n---\n${BODY}` };
    expect(check('  - email: hello\n', 'topic: news\n', german).problems).toMatchObject([
      { code: 'other-topic', message: expect.stringContaining('templates/hello.de.hbs') },
    ]);
  });

  it("holds for surveys, whose topic is their playbook's", () => {
    const survey = '  - survey: { email: hello, ask: nps, up_to: 3 days }\n';
    const found = check(survey, 'topic: service\n').problems.filter(({ level }) => level === 'error');
    expect(found).toMatchObject([{ code: 'other-topic', fix: expect.stringContaining("playbook's topic") }]);
  });

  it('is one that there is; a misspelling is told once', () => {
    expect(check('  - email: hello\n', 'topic: new\n').problems).toMatchObject([
      { file: 'templates/hello.hbs', line: 3, column: 8, code: 'unknown-topic', fix: 'did you mean `news`?' },
    ]);
  });
});

it('the text by hand of marketing mail says where the company is and how to leave, as its HTML does', () => {
  const linted = (text: string) =>
    lintProject(check('  - email: hello\n', '', { 'templates/hello.txt.hbs': text })).map(({ code, message }) => [
      code,
      message.replace(/^.*: /, ''),
    ]);
  expect(linted('Hello')).toEqual([
    ['no-way-out', 'templates/hello.txt.hbs'],
    ['no-address', 'templates/hello.txt.hbs'],
  ]);
  expect(linted('Hello from {{company.address}}. Leave: {{unsubscribe_url}}')).toEqual([]);
});
