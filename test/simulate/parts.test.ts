/** An input that is too large for memory gives what it would give in memory, and leaves nothing behind. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compileProject } from '../../engine/playbook/compile.ts';
import type { Release } from '../../engine/playbook/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { writeDiff, writeDiffJson } from '../../scripts/simulate/diff.ts';
import { withFiles, type FileLimits } from '../../scripts/simulate/files.ts';
import { writeCustomer, writeJson, writeReport, writeTimeline } from '../../scripts/simulate/output.ts';
import { openProgress } from '../../scripts/simulate/progress.ts';
import { testFolder } from '../support/folder.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const HELLO = `title: Hello
topic: news
trigger: { event: order.placed }
steps:
  - email: hello/one
  - wait: 1 day
  - email: hello/two
`;
const SOURCES = {
  'perennial.yaml': `${COMPANY}caps:\n  - { at_most: 2, per: 4 days }\n`,
  'playbooks/hello.yaml': HELLO,
  'templates/hello/one.hbs': 'one',
  'templates/hello/two.hbs': 'two',
};
const [from, until] = [parseInstant('2026-03-01T00:00:00Z'), parseInstant('2026-03-20T00:00:00Z')];

function releaseOf(sources: Readonly<Record<string, string>>): Release {
  const { release, problems } = compileProject(sourcesOf(sources));
  if (release === null) throw new Error(JSON.stringify(problems));
  return release;
}

const before = releaseOf(SOURCES);
const after = releaseOf({ ...SOURCES, 'playbooks/hello.yaml': HELLO.replace('1 day', '30 hours') });

type Row = Readonly<Record<string, unknown>>;
type Rows = readonly (Row | string)[];

function write(file: string, rows: Rows): string {
  writeFileSync(file, rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''));
  return file;
}

/** A folder with the two files and one for what is put aside. */
interface Place {
  readonly customers: string;
  readonly events: string;
  readonly parent: string;
}

async function place(): Promise<Place> {
  const dir = await testFolder();
  const parent = join(dir, 'aside');
  mkdirSync(parent);
  return { customers: join(dir, 'customers.jsonl'), events: join(dir, 'events.jsonl'), parent };
}

const VIEWS = ['json', 'timeline', 'report', 'diff', 'diff --json'] as const;

/** What is printed, with the message of an input that is refused. */
async function printed(
  view: (typeof VIEWS)[number] | 'customer',
  { customers, events }: Place,
  limits: FileLimits,
  only: string | null = null,
): Promise<string> {
  let text = '';
  const take = async (more: string): Promise<void> => {
    text += more;
  };
  const progress = openProgress({ stream: { write: () => true }, now: () => 0 });
  const looks = { width: 80, heading: (title: string) => title };
  const sides = { before: 'before', after: 'after', files: [] };
  const releases = view.startsWith('diff') ? [before, after] : [after];
  try {
    await withFiles(
      { customers, events, from, until, only },
      releases,
      async (source) => {
        await take(`${source.customers} customers\n`);
        if (view === 'json') await writeJson(source, take, progress);
        else if (view === 'timeline') await writeTimeline(source, take, progress);
        else if (view === 'report') await writeReport(source, null, { write: take, progress, looks });
        else if (view === 'diff') await writeDiff(source, sides, { write: take, progress, looks });
        else if (view === 'customer') await writeCustomer(source, only ?? '', take);
        else await writeDiffJson(source, take, progress);
      },
      limits,
    );
  } catch (error) {
    return `${text}${(error as Error).name}: ${(error as Error).message}`;
  }
  return text;
}

const customerRows = fc
  .uniqueArray(fc.constantFrom('ada', 'bob', 'cem', 'dot', 'eve', 'fay', 'a\tb', 'shared@example.com'), {
    minLength: 1,
  })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({
          id: fc.constant(id),
          email: fc.constantFrom(null, 'shared@example.com', 'Shared@EXAMPLE.com', 'no address', `${id}@example.com`),
          suppressed: fc.integer({ min: 0, max: 7 }).map((one) => one === 0),
          timezone: fc.constantFrom('Europe/Berlin', 'Asia/Tokyo', null),
        }),
      ),
    ),
  );

const input = customerRows.chain((customers) =>
  fc.record({
    customers: fc.constant(customers),
    events: fc.array(
      fc.record({
        id: fc.oneof(fc.constantFrom('1', '2', 'e\t3', 'e\n4'), fc.uuid()),
        customer: fc.constantFrom(...customers.map(({ id }) => id)),
        event: fc.constantFrom('order.placed', 'other'),
        at: fc.integer({ min: -1, max: 12 }).map((turn) => new Date(from + turn * 20 * 3_600_000).toISOString()),
        data: fc.record({ total: fc.constantFrom(1, 'größer\u2028') }),
      }),
      { maxLength: 25 },
    ),
    partBytes: fc.integer({ min: 1, max: 500 }),
    only: fc.constantFrom('ada', 'shared@example.com', 'no-address', 'adda'),
  }),
);

describe('an input in parts', () => {
  it('gives the same as in memory, and leaves nothing behind', async () => {
    const at = await place();
    await fc.assert(
      fc.asyncProperty(input, async ({ customers, events, partBytes, only }) => {
        write(at.customers, customers);
        write(at.events, events);
        const limits = { partBytes, parent: at.parent };
        for (const view of VIEWS) {
          expect(await printed(view, at, limits)).toBe(await printed(view, at, {}));
        }
        for (const view of ['customer', 'json'] as const) {
          expect(await printed(view, at, limits, only)).toBe(await printed(view, at, {}, only));
        }
        expect(readdirSync(at.parent)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  const order = (of: Row): Row => ({
    id: 'e1',
    customer: 'ada',
    event: 'order.placed',
    at: '2026-03-02T10:00Z',
    ...of,
  });

  it('keeps of two customers’ events with one id the first, and customers in the order of their file', async () => {
    const at = await place();
    const ids = ['zoe', 'ada', 'mia', 'bob'];
    write(
      at.customers,
      ids.map((id) => ({ id, email: `${id}@example.com` })),
    );
    const orders = ids.map((id) => order({ id, customer: id }));
    write(at.events, [...orders, order({ id: 'zoe', at: '2026-03-02T09:00Z' })]);
    const rows = (await printed('diff --json', at, { partBytes: 20, parent: at.parent })).trim().split('\n').slice(1);
    expect(rows.map((row) => (JSON.parse(row) as Row)['customer'])).toEqual(['ada', 'mia', 'bob']);
  });

  const people = [{ id: 'ada' }, { id: 'bob' }, { id: 'cem' }];
  it.each<readonly [string, Rows, Rows, string | null]>([
    ['customers.jsonl:4: the customer "ada" is on an earlier', [...people, { id: 'ada', tags: 1 }, '{'], ['{'], null],
    ['customers.jsonl:2: "tags" must be', [{ id: 'ada' }, { id: 'bob', tags: 1 }, { id: 'ada' }], [], 'nobody'],
    [
      'events.jsonl:3: the customer "adda" is not among the customers; did you mean "ada"?',
      people,
      ['', order({}), order({ customer: 'adda' }), '{'],
      null,
    ],
    ['events.jsonl:2: "at": "soon" is not an instant', people, [order({}), order({ at: 'soon' })], 'nobody'],
    ['There is no customer with the id or address "ad". Nearest: ada', people, [order({})], 'ad'],
  ])('is refused as in memory: %s', async (message, customers, events, only) => {
    const at = await place();
    write(at.customers, customers);
    write(at.events, events);
    const refused = await printed('report', at, { partBytes: 5, parent: at.parent }, only);
    expect(refused).toContain(message);
    expect(refused).toBe(await printed('report', at, {}, only));
    expect(readdirSync(at.parent)).toEqual([]);
  });

  it('is refused when a file is missing or nothing can be put aside', async () => {
    const at = await place();
    write(at.customers, people);
    expect(await printed('report', at, { partBytes: 1, parent: at.parent })).toContain('events.jsonl cannot be read');
    expect(readdirSync(at.parent)).toEqual([]);
    write(at.events, []);
    const nowhere = await printed('report', at, { partBytes: 1, parent: join(at.parent, 'nowhere') });
    expect(nowhere).toMatch(
      /^SourceError: The temporary folder .*nowhere cannot be used: ENOENT.*TMPDIR names another/,
    );
  });
});

const COMMAND = resolve(import.meta.dirname, '../../bin/perennial.js');

/** The command on a large input, which waits because nobody reads what it prints. */
function start(at: Place): ChildProcessByStdio<null, Readable, null> {
  const files = ['--project', resolve(at.customers, '../company'), '--customers', at.customers, '--events', at.events];
  const args = ['simulate', ...files, '--from', '2026-03-01T00:00:00Z', '--until', '2026-03-20T00:00:00Z', '--json'];
  return spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', TMPDIR: at.parent },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('the temporary folder', () => {
  let at: Place;
  beforeAll(async () => {
    at = await place();
    for (const { path, text } of sourcesOf(SOURCES)) {
      const file = resolve(at.customers, '../company', path);
      mkdirSync(resolve(file, '..'), { recursive: true });
      writeFileSync(file, text);
    }
    const ids = Array.from({ length: 4_000 }, (_, index) => `customer-${index}`);
    const about = 'x'.repeat(5_000);
    write(
      at.customers,
      ids.map((id) => ({ id, email: `${id}@example.com`, about })),
    );
    write(
      at.events,
      ids.map((id) => ({ id, customer: id, event: 'order.placed', at: '2026-03-02T10:00Z' })),
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('goes when %s ends the command', async (signal) => {
    const command = start(at);
    const ended = once(command, 'exit');
    await once(command.stdout, 'readable');
    expect(readdirSync(at.parent)).toHaveLength(1);
    command.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(readdirSync(at.parent)).toEqual([]);
  });

  it('goes when nobody reads on', async () => {
    const command = start(at);
    const ended = once(command, 'exit');
    await once(command.stdout, 'readable');
    command.stdout.destroy();
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(at.parent)).toEqual([]);
  });
});
