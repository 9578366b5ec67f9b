/** The floors of the engine: pure rooms import pure rooms, imports point down only, and there are no cycles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');

/** What each room may import, besides itself. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  'engine/time': [],
  'engine/playbook': ['engine/time'],
  'engine/journey': ['engine/time', 'engine/playbook'],
  'engine/message': ['engine/time', 'engine/playbook'],
  'engine/store': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message'],
  'engine/queue': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message'],
  'engine/mail': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message'],
  'engine/project': ['engine/time', 'engine/playbook', 'engine/message'],
  'engine/ingest': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message', 'engine/store'],
  'engine/why': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message', 'engine/store'],
  'engine/simulate': ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message'],
  workers: ['engine'],
  scripts: ['engine', 'workers', 'console'],
  console: ['engine', 'workers'],
};

/** Rooms that do no I/O. `node:crypto` hashes, `node:url` knows punycode; neither reads anything. */
const PURE = ['engine/time', 'engine/playbook', 'engine/journey', 'engine/message'];
const PURE_BUILTINS = new Set(['node:crypto', 'node:url', 'node:buffer']);
/** Libraries that talk to the outside. */
const OUTSIDE = new Set(['pg', 'kysely', 'bullmq', 'ioredis', 'hono', '@hono/node-server', 'smtp-server', 'pino']);

interface Import {
  readonly file: string;
  readonly target: string;
}

function sources(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    return { file, target: name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), name)) : name };
  });
}

function roomOf(file: string): string {
  const parts = file.split('/');
  return parts[0] === 'engine' ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

const files = ['engine', 'workers', 'scripts', 'console'].flatMap(sources);
const imports = files.flatMap(importsOf);

describe('the floors', () => {
  it('reads a good number of sources, so that the rules below have something to judge', () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.length).toBeGreaterThan(300);
  });

  it('knows every room', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in FLOORS))).toEqual([]);
  });

  it('lets imports point down only', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!/^(engine|workers|scripts|console|test|bench)\//.test(target)) return false;
      const from = roomOf(file);
      const to = roomOf(target);
      return from !== to && !(FLOORS[from] ?? []).some((floor) => to === floor || to.startsWith(`${floor}/`));
    });
    expect(wrong).toEqual([]);
  });

  it('keeps pure rooms from the outside and from clocks', () => {
    const pure = (file: string): boolean => PURE.includes(roomOf(file));
    const wrongImports = imports.filter(
      ({ file, target }) =>
        pure(file) && ((target.startsWith('node:') && !PURE_BUILTINS.has(target)) || OUTSIDE.has(target)),
    );
    const clocks = files.filter(
      (file) =>
        pure(file) &&
        /Date\.now\(\)|new Date\(\)|performance\.now\(\)|Math\.random\(\)|process\.env/.test(withoutComments(file)),
    );
    expect({ wrongImports, clocks }).toEqual({ wrongImports: [], clocks: [] });
  });

  it('has no cycles', () => {
    expect(firstCycle()).toBeNull();
  });
});

function withoutComments(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
}

function firstCycle(): readonly string[] | null {
  const graph = new Map<string, string[]>();
  for (const { file, target } of imports) graph.set(file, [...(graph.get(file) ?? []), target]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    done.add(file);
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle !== null) return cycle;
    }
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
