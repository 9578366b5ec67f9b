/** What changes between two revisions of a company's playbooks. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { readRevision } from '../../engine/project/revision.ts';
import { openComparison } from '../../engine/simulate/compare.ts';
import type { ReaderRun } from '../../engine/simulate/reader-run.ts';
import type { OrderedLine } from '../../engine/journey/draft.ts';
import { writeDiff, writeDiffJson } from '../../scripts/simulate/diff.ts';
import { withFiles } from '../../scripts/simulate/files.ts';
import { openProgress } from '../../scripts/simulate/progress.ts';
import { readRevisions } from '../../scripts/simulate/revisions.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { testFolder } from '../support/folder.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const HELLO = `title: Hello
topic: news
trigger: { event: order.placed }
steps:
  - wait: 2 days
  - email: hello/one
  - wait: 1 day
  - email: hello/two
`;
const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/hello.yaml': HELLO,
  'templates/hello/one.hbs': 'one',
  'templates/hello/two.hbs': 'two',
};
const CUSTOMERS = `{"id":"ada","email":"ada@example.com","timezone":"Asia/Tokyo"}
{"id":"bob","email":"bob@example.com"}
{"id":"cem","email":"cem@example.com","tags":["quiet"]}
`;
const EVENTS = ['ada', 'bob', 'cem']
  .map((id) => `{"id":"${id}","customer":"${id}","event":"order.placed","at":"2026-03-02T09:15:00Z","data":{}}\n`)
  .join('');

function write(dir: string, files: Readonly<Record<string, string>>): void {
  for (const { path, text } of sourcesOf(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

function git(dir: string, ...args: readonly string[]): void {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
  execFileSync('git', [...who, ...args], { cwd: dir, stdio: 'pipe' });
}

/** A repository with the company in a folder of it, committed as `first`. */
function repository(dir: string): string {
  const company = join(dir, 'company');
  write(company, FILES);
  writeFileSync(join(dir, 'customers.jsonl'), CUSTOMERS);
  writeFileSync(join(dir, 'events.jsonl'), EVENTS);
  git(dir, 'init', '-q');
  git(dir, 'add', '-A');
  git(dir, 'commit', '-qm', 'first');
  git(dir, 'tag', 'first');
  return company;
}

async function diff(dir: string, revisions: string, json = false): Promise<string> {
  const { before, after, sides } = await readRevisions(join(dir, 'company'), revisions);
  const [from, until] = [parseInstant('2026-03-01T00:00:00Z'), parseInstant('2026-03-20T00:00:00Z')];
  const files = { customers: join(dir, 'customers.jsonl'), events: join(dir, 'events.jsonl') };
  let text = '';
  const take = async (more: string): Promise<void> => {
    text += more;
  };
  const progress = openProgress({ stream: { write: () => true }, now: () => 0 });
  const looks = { width: 80, heading: (title: string) => title.toUpperCase() };
  await withFiles({ ...files, from, until, only: null }, [before, after], async (source) =>
    json ? writeDiffJson(source, take, progress) : writeDiff(source, sides, { write: take, progress, looks }),
  );
  return text.replaceAll(/\(([0-9a-f]{8})\)/g, '(COMMIT)');
}

describe('a comparison', () => {
  it('says who gets which mails more, fewer, earlier or later', async () => {
    const dir = await testFolder();
    const company = repository(dir);
    const quiet = `  - { email: hello/two, if: "!('quiet' in customer.tags)" }\n  - email: hello/three\n`;
    const steps = HELLO.replace('2 days', '36 hours')
      .replace('1 day\n', '2 days\n')
      .replace('  - email: hello/two\n', quiet);
    write(company, { 'playbooks/hello.yaml': steps, 'templates/hello/three.hbs': 'three' });
    expect(await diff(dir, 'first')).toBe(`1 Mar 2026 to 19 Mar 2026, in Europe/London: 3 customers.
Before: first (COMMIT). After: the company folder as it is.
Files that differ: playbooks/hello.yaml, templates/hello/three.hbs.

Something changes for 3 of 3 customers.
                         mails
  before                     6
  after                      8
    unchanged                0
    only after               3  to 3 customers
    only before              1  to 1 customer
    earlier than before      3  to 3 customers
    later than before        2  to 2 customers

BY PLAYBOOK AND STEP
                before  after  more  fewer  earlier  later  on average
  hello  one         3      3     0      0        3      0  12 h 0 min earlier
  hello  three       0      3     3      0        0      0
  hello  two         3      2     0      1        0      2  12 h 0 min later

EXAMPLES, IN THE CUSTOMERS' OWN TIME
                    before              after
  ada  hello one    Wed 4 Mar 18:15  →  Wed 4 Mar 06:15  12 h 0 min earlier
  bob  hello one    Wed 4 Mar 09:15  →  Tue 3 Mar 21:15  12 h 0 min earlier
  ada  hello two    Thu 5 Mar 18:15  →  Fri 6 Mar 06:15  12 h 0 min later
  bob  hello two    Thu 5 Mar 09:15  →  Thu 5 Mar 21:15  12 h 0 min later
  ada  hello three  not at all       →  Fri 6 Mar 06:15
  bob  hello three  not at all       →  Thu 5 Mar 21:15
  cem  hello two    Thu 5 Mar 09:15  →  not at all
`);
    const rows = (await diff(dir, 'first', true))
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as unknown);
    expect(rows).toHaveLength(9);
    const cem = { customer: 'cem', playbook: 'hello' };
    const [tuesday, thursday] = ['2026-03-03T21:15:00.000Z', '2026-03-05T21:15:00.000Z'];
    const [wednesday, before] = ['2026-03-04T09:15:00.000Z', '2026-03-05T09:15:00.000Z'];
    expect(rows.slice(-3)).toEqual([
      { change: 'earlier', ...cem, step: 'one', template: 'hello/one', before: wednesday, after: tuesday },
      { change: 'fewer', ...cem, step: 'two', template: 'hello/two', before, after: null },
      { change: 'more', ...cem, step: 'three', template: 'hello/three', before: null, after: thursday },
    ]);
    git(dir, 'add', '-A');
    git(dir, 'commit', '-qm', 'second');
    expect(await diff(dir, 'HEAD..first', true)).toContain('"change":"fewer","customer":"ada"');
    expect(await diff(dir, 'HEAD')).toContain('Everybody gets the same 8 mails at the same times.');
  });

  it('knows a mail again whose step has another id', async () => {
    const dir = await testFolder();
    const company = repository(dir);
    const renamed = HELLO.replace('email: hello/two', 'email: hello/two\n    id: last').replace('1 day', '2 days');
    write(company, { 'playbooks/hello.yaml': renamed.replace('steps:', 'renamed: { two: last }\nsteps:') });
    const lines = (await diff(dir, 'first', true)).trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(
      ['ada', 'bob', 'cem'].map((customer) =>
        expect.objectContaining({ change: 'later', customer, step: 'last', template: 'hello/two' }),
      ),
    );
  });

  it('reads a revision as the folder would be read, and says what is wrong', async () => {
    const dir = await testFolder();
    await expect(readRevision(dir, 'HEAD')).rejects.toMatchObject({ code: 'no-repository' });
    const company = repository(dir);
    const { sources, problems } = await readRevision(company, 'first');
    expect(problems).toEqual([]);
    expect(sources).toEqual(sourcesOf(FILES));
    await expect(readRevision(company, 'nowhere')).rejects.toMatchObject({ code: 'unknown-revision' });
    await expect(readRevision(company, '--all')).rejects.toMatchObject({ code: 'unknown-revision' });
    await expect(readRevision(join(dir, 'absent'), 'first')).rejects.toMatchObject({ code: 'no-git' });
    await expect(readRevision(dir, 'first')).rejects.toMatchObject({ code: 'no-company' });
    symlinkSync('../perennial.yaml', join(company, 'playbooks/link.yaml'));
    writeFileSync(join(company, 'playbooks/large.yaml'), '#'.repeat(300 * 1024));
    writeFileSync(join(company, 'templates/latin.hbs'), Buffer.from([0x66, 0xfc, 0x72]));
    git(dir, 'add', '-A');
    git(dir, 'commit', '-qm', 'broken');
    const broken = await readRevision(company, 'HEAD');
    expect(new Map(broken.problems.map(({ file, code }) => [file, code]))).toEqual(
      new Map([
        ['playbooks/link.yaml', 'link'],
        ['playbooks/large.yaml', 'too-large'],
        ['templates/latin.hbs', 'not-utf-8'],
      ]),
    );
    await expect(readRevisions(company, 'HEAD')).rejects.toThrow(/HEAD .* have mistakes, so nothing can be compared/);
  });

  it('accounts for every mail, whatever the times', () => {
    const times = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(times, times, (was, is) => {
        const comparing = openComparison();
        const changes = comparing.add(runWith(was), runWith(is));
        const { all } = comparing.totals();
        const { more, fewer, earlier, later } = all.mails;
        expect([all.before, all.after]).toEqual([was.length, is.length]);
        expect(all.before).toBe(all.same + fewer + earlier + later);
        expect(all.after).toBe(all.same + more + earlier + later);
        // Nothing is called moved that is there on both sides, and never is one missing while another is too many.
        expect(Math.min(more, fewer)).toBe(0);
        for (const { before, after } of changes) expect(before).not.toBe(after);
        const rest = [...was];
        for (const { before } of changes) if (before !== null) rest.splice(rest.indexOf(before), 1);
        const added = changes.flatMap(({ after }) => (after === null ? [] : [after]));
        expect([...rest, ...added].sort((a, b) => a - b)).toEqual(is.toSorted((a, b) => a - b));
      }),
    );
  });
});

/** One customer who gets one mail at each of these times. */
function runWith(times: readonly number[]): ReaderRun {
  const lines = times
    .toSorted((a, b) => a - b)
    .map((at): OrderedLine => {
      const line = { at, customer: 'ada', playbook: 'hello', step: 'one', do: 'email', template: 'hello/one' } as const;
      return { line, entryKey: '', item: { at, rank: 0, seq: 0, priority: 0, playbook: 'hello', customer: 'ada' } };
    });
  return { drafts: [{ lines } as unknown as ReaderRun['drafts'][number]], attempts: [] };
}
