import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { compileTemplates } from '../../engine/message/templates.ts';
import { checkSources } from '../../engine/project/check.ts';
import { readProject } from '../../engine/project/read.ts';
import { createProject } from '../../scripts/init/create.ts';
import { findPackageRoot } from '../../scripts/init/package-root.ts';

let packageRoot: string;
let folder: string;

beforeAll(async () => {
  packageRoot = await findPackageRoot(import.meta.dirname);
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'perennial-init-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const create = (dir: string, name = 'Marrow & Sons') =>
  createProject({ dir, name, timezone: 'Europe/Berlin', packageRoot });

describe('perennial init', () => {
  it('makes a company that is right from the start', async () => {
    const dir = path.join(folder, 'deep', 'company');
    expect(await create(dir)).toEqual({ kind: 'created' });
    const { release, problems } = checkSources(await readProject(dir));
    expect(problems).toEqual([]);
    expect(release?.playbooks.map(({ name }) => name)).toEqual(['apology', 'welcome-series']);
    expect(release?.company.fields['name']).toBe('Marrow & Sons');
    expect(release?.company.zone.name).toBe('Europe/Berlin');
  });

  it('brings what editors and git need, and nothing else besides', async () => {
    const dir = path.join(folder, 'company');
    await create(dir);
    const names = ['.gitignore', 'README.md', 'perennial.yaml', 'playbooks', 'schemas', 'templates'];
    expect((await readdir(dir)).sort()).toEqual(names);
    expect(await readdir(folder)).toEqual(['company']);
    expect(await readFile(path.join(dir, '.gitignore'), 'utf8')).toContain('.perennial/');
    for (const file of ['perennial.yaml', 'playbooks/welcome-series.yaml', 'playbooks/apology.yaml']) {
      const schema = /^# yaml-language-server: \$schema=(\S+)/.exec(await readFile(path.join(dir, file), 'utf8'))?.[1];
      const schemaFile = path.resolve(dir, path.dirname(file), schema ?? 'missing');
      expect(JSON.parse(await readFile(schemaFile, 'utf8'))).toHaveProperty('$schema');
    }
  });

  it('fills an empty folder and stays in it', async () => {
    expect(await create(folder)).toEqual({ kind: 'created' });
    expect(checkSources(await readProject(folder)).problems).toEqual([]);
    expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/^\.perennial-init/));
  });

  it.each(['Smith, Jones "& Daughters"', "O'Hara: a shop #1", 'Žluťoučký kůň', '- {weird}'])(
    'takes the name %s as it is',
    async (name) => {
      const dir = path.join(folder, 'company');
      await create(dir, name);
      const written = parse(await readFile(path.join(dir, 'perennial.yaml'), 'utf8')) as { company: { name: string } };
      expect(written.company.name).toBe(name);
      expect(checkSources(await readProject(dir)).problems).toEqual([]);
    },
  );

  it('leaves a folder alone that has something in it', async () => {
    await writeFile(path.join(folder, 'notes.txt'), 'mine');
    expect(await create(folder)).toEqual({ kind: 'not-empty', found: ['notes.txt'] });
    expect(await readdir(folder)).toEqual(['notes.txt']);
    expect(await create(path.join(folder, 'notes.txt'))).toEqual({ kind: 'not-a-folder' });
  });

  it('leaves nothing behind when it fails halfway', async () => {
    const broken = path.join(folder, 'package');
    await mkdir(path.join(broken, 'scripts', 'init', 'starter'), { recursive: true });
    const dir = path.join(folder, 'company');
    await expect(createProject({ dir, name: 'A', timezone: 'UTC', packageRoot: broken })).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toEqual(['package']);
  });

  it('finds its sources from the sources, from dist, and not from elsewhere', async () => {
    expect(await findPackageRoot(path.join(packageRoot, 'scripts'))).toBe(packageRoot);
    expect(await findPackageRoot(path.join(packageRoot, 'dist', 'scripts'))).toBe(packageRoot);
    await expect(findPackageRoot(folder)).rejects.toThrow('incomplete');
  });
});

describe('the sample company', () => {
  it('is right, and every letter of it is used', async () => {
    const sources = await readProject(packageRoot);
    const { release, problems } = checkSources(sources);
    expect(problems).toEqual([]);
    const steps = release?.playbooks.flatMap(({ steps }) => [...steps.values()]) ?? [];
    const used = new Set(steps.flatMap((step) => (step.kind === 'email' ? [step.template] : [])));
    expect([...used].sort()).toEqual([...compileTemplates(sources).templates.names].sort());
  });
});
