/** A company folder on disk: read whole, checked, watched, and reported on by the command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkProject, checkSources } from '../../engine/project/check.ts';
import { ProjectError, readProject, readSources, UnreadableSources } from '../../engine/project/read.ts';
import { type ProjectWatch, watchProject } from '../../engine/project/watch.ts';
import { formatProblems } from '../../scripts/check/format.ts';

const COMPANY = `company: { name: X, address: Y }
mail: { from: x@hearth.example }
topics: { news: { title: News } }
`;
const PLAYBOOK = 'topic: news\ntrigger: { manual: true }\nsteps: [ { email: a/b } ]\n';
const TEMPLATE =
  '---\nsubject: Hello\n---\n<p>Hello</p><a href="{{unsubscribe_url}}">No more</a> {{company.address}}\n';

let dir = '';

function write(path: string, text: string | Buffer): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'perennial-project-'));
  write('perennial.yaml', COMPANY);
  write('playbooks/one.yaml', PLAYBOOK);
  write('templates/a/b.hbs', TEMPLATE);
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('reading a company folder', () => {
  it('takes sources only, sorted, with forward slashes', async () => {
    write('playbooks/launches/aurora.yaml', 'title: A\npublic_at: 2026-01-01T10:00\n');
    write('playbooks/README.md', '# not a source');
    write('playbooks/.one.yaml.swp', 'not a source');
    write('templates/a/.b.hbs', 'not a source');
    write('customers.yaml', 'not a source');
    expect((await readProject(dir)).map(({ path }) => path)).toEqual([
      'perennial.yaml',
      'playbooks/launches/aurora.yaml',
      'playbooks/one.yaml',
      'templates/a/b.hbs',
    ]);
  });

  it('a folder without playbooks and templates is a company', async () => {
    rmSync(join(dir, 'playbooks'), { recursive: true });
    rmSync(join(dir, 'templates'), { recursive: true });
    expect((await checkProject(dir)).problems).toEqual([]);
  });

  it('names the folder that is not there', async () => {
    const missing = readProject(join(dir, 'nowhere'));
    await expect(missing).rejects.toThrow(ProjectError);
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT', message: expect.stringContaining('--project') });
  });

  it('refuses what cannot be a source, each with its reason, and reads the rest', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'perennial-outside-'));
    try {
      writeFileSync(join(outside, 'secret.yaml'), 'topic: news');
      symlinkSync(join(outside, 'secret.yaml'), join(dir, 'playbooks/secret.yaml'));
      symlinkSync(join(dir, 'playbooks/nowhere'), join(dir, 'playbooks/broken.yaml'));
      symlinkSync(join(dir, 'playbooks/one.yaml'), join(dir, 'playbooks/same.yaml'));
      write('playbooks/latin.yaml', Buffer.from([0x74, 0x3a, 0x20, 0xe9]));
      write('playbooks/large.yaml', `# ${'x'.repeat(256 * 1024)}`);
      const { sources, problems } = await readSources(dir);
      expect(sources.map(({ path }) => path)).toEqual([
        'perennial.yaml',
        'playbooks/one.yaml',
        'playbooks/same.yaml',
        'templates/a/b.hbs',
      ]);
      expect(problems.map(({ file, code }) => `${file} ${code}`).sort()).toEqual([
        'playbooks/broken.yaml unreadable',
        'playbooks/large.yaml too-large',
        'playbooks/latin.yaml not-utf-8',
        'playbooks/secret.yaml outside',
      ]);
      await expect(readProject(dir)).rejects.toThrow(UnreadableSources);
      expect((await checkProject(dir)).release).toBeNull();
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });

  it('a file without permission is a problem, where permissions hold', async () => {
    chmodSync(join(dir, 'playbooks/one.yaml'), 0);
    const { problems } = await readSources(dir);
    // Nothing is forbidden to root.
    expect(problems.map(({ code }) => code)).toEqual(process.getuid?.() === 0 ? [] : ['unreadable']);
  });
});

describe('checking', () => {
  it('puts playbooks and templates together: a mistake in either leaves no release', async () => {
    const sources = await readProject(dir);
    const sound = checkSources(sources);
    expect(sound.problems).toEqual([]);
    expect(sound.release?.playbooks).toHaveLength(1);
    expect(sound.templates.names).toEqual(['a/b']);
    const broken = sources.map((source) =>
      source.path.endsWith('.hbs') ? { ...source, text: `${TEMPLATE}{{#if}}` } : source,
    );
    const { release, problems } = checkSources(broken);
    expect(release).toBeNull();
    expect(problems[0]?.file).toBe('templates/a/b.hbs');
  });
});

/** A watch whose changes can be awaited one by one. */
async function watching(): Promise<{
  readonly watch: ProjectWatch;
  readonly next: () => Promise<void>;
  readonly errors: Error[];
}> {
  const errors: Error[] = [];
  let count = 0;
  let seen = 0;
  let wake = (): void => undefined;
  const watch = await watchProject(dir, {
    onChange: () => {
      count++;
      wake();
    },
    onError: (error) => void errors.push(error),
  });
  const next = async (): Promise<void> => {
    if (count === seen) await new Promise<void>((done) => (wake = done));
    seen = count;
  };
  return { watch, next, errors };
}

describe('watching', () => {
  it('sees files written, renamed into place, in new folders, and removed', async () => {
    const { watch, next, errors } = await watching();
    try {
      write('playbooks/one.yaml', `${PLAYBOOK}# more`);
      await next();
      write('.saving', COMPANY);
      renameSync(join(dir, '.saving'), join(dir, 'perennial.yaml'));
      await next();
      mkdirSync(join(dir, 'templates/new'));
      await next();
      write('templates/new/c.hbs', TEMPLATE);
      await next();
      rmSync(join(dir, 'templates/new'), { recursive: true });
      await next();
      // As when another branch is checked out: the folder goes and comes at once, and is watched on.
      rmSync(join(dir, 'playbooks'), { recursive: true });
      write('playbooks/two.yaml', PLAYBOOK);
      await next();
      write('playbooks/two.yaml', `${PLAYBOOK}# more`);
      await next();
      expect(errors).toEqual([]);
    } finally {
      watch.close();
    }
  });
});

describe('perennial check', () => {
  const ROOT = resolve(import.meta.dirname, '../..');
  const CLI = join(import.meta.dirname, 'check-process.ts');

  async function run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const loader = join(ROOT, 'test/support/ts-loader.js');
    const child = spawn(process.execPath, ['--no-warnings', '--import', loader, CLI, ...args], { cwd: dir });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out, err };
  }

  it('praises a sound folder', async () => {
    expect(await run('check')).toEqual({ code: 0, out: 'No mistakes in 1 playbook and 1 template\n', err: '' });
    expect(await run('check', '--json', '--project', dir)).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('shows each mistake with its line and what to do, and fails', async () => {
    write('playbooks/one.yaml', 'topic: nws\ntrigger: { manual: true }\nsteps:\n  - email: a/b\n');
    write('playbooks/two.yaml', 'trigger: { manual: true }\nsteps:\n  - exit: x\n  - tag: y\n');
    const { code, out } = await run('check');
    expect(code).toBe(1);
    expect(out).toBe(`playbooks/one.yaml:1:8 error unknown-topic the topic \`nws\` is declared nowhere
    1 | topic: nws
      |        ^^^
       → did you mean \`news\`?

playbooks/two.yaml:4:5 warning unreachable nothing comes here: the step before ends the enrolment
    4 |   - tag: y
      |     ^^^
       → take it out, or move it before what ends the enrolment

1 error, 1 warning in 2 files
`);
    const json = await run('check', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject([
      { line: 1, column: 8, code: 'unknown-topic' },
      { file: 'playbooks/two.yaml', line: 4, level: 'warning' },
    ]);
  });

  it('says when there is no such folder', async () => {
    const { code, out, err } = await run('check', '--project', 'nowhere');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('nowhere cannot be read (ENOENT)');
  });
});

describe('showing problems', () => {
  it('lets no source act upon the terminal, and keeps long lines short', () => {
    const line = `${'x'.repeat(300)}\u001B[31mred\tend`;
    const [problem] = checkSources([
      { path: 'perennial.yaml', text: COMPANY },
      { path: 'playbooks/one.yaml', text: 'a' },
    ]).problems;
    if (problem === undefined) throw new Error('no problem');
    const shown = formatProblems([{ ...problem, file: 'x', line: 1, column: 301 }], {
      colour: false,
      sources: [{ path: 'x', text: line }],
    });
    expect(['\u001B', '\t'].some((control) => shown.includes(control))).toBe(false);
    expect(Math.max(...shown.split('\n').map((each) => each.length))).toBeLessThan(120);
    const [, excerpt = '', caret = ''] = shown.split('\n');
    expect(excerpt[caret.indexOf('^')]).toBe('·');
  });
});
