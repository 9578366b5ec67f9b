/** `perennial check` for people, for automation, and with a database. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { z } from 'zod';
import { utc } from '../../engine/time/zone.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { checkCommand } from '../../scripts/check.ts';
import { COMPANY, compileSources, openStaffed } from '../support/staff.ts';

const WARNED = 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: a/b\n    if: "false"\n';
let dir = '';

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'perennial-check-'));
  write('perennial.yaml', COMPANY);
  write('playbooks/one.yaml', WARNED);
  write('templates/a/b.hbs', '---\nsubject: Hello\n---\nHello\n');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function check(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const printed = { code: 0, out: '' };
  const command = checkCommand({
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.out += text),
    colour: false,
    zone: utc,
    setExitCode: (code) => void (printed.code = code),
  });
  const program = new Command('perennial').version('1.2.3').addCommand(command);
  await program.parseAsync(['check', '--project', dir, ...args], { from: 'user' });
  return printed;
}

/** The parts of SARIF 2.1.0 that are used, as its schema has them: nothing else may be there. */
const text = z.strictObject({ text: z.string().min(1) });
const level = z.enum(['none', 'note', 'warning', 'error']);
const place = z.strictObject({
  physicalLocation: z.strictObject({
    artifactLocation: z.strictObject({ uri: z.string().regex(/^(?:[\w.~-]|%[0-9A-F]{2}|\/)+$/) }),
    region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
  }),
});
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.literal('perennial'),
          version: z.string(),
          rules: z.array(
            z.strictObject({
              id: z.string().min(1),
              shortDescription: text.optional(),
              defaultConfiguration: z.strictObject({ level }).optional(),
            }),
          ),
        }),
      }),
      columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0),
          level,
          message: text,
          locations: z.array(place),
        }),
      ),
    }),
  ]),
});

describe('perennial check', () => {
  it('fails with errors only, and with warnings where it is strict', async () => {
    expect(await check()).toMatchObject({ code: 0, out: expect.stringContaining('1 warning in 1 file') });
    expect((await check('--strict')).code).toBe(1);
    write('playbooks/one.yaml', WARNED.replace('"false"', 'customer.plan != "a" || customer.plan != "b"'));
    expect(await check('--strict')).toMatchObject({ code: 0, out: expect.stringContaining('1 hint in 1 file') });
    write('playbooks/one.yaml', WARNED.replace('service', 'servce'));
    expect((await check()).code).toBe(1);
  });

  it('goes on checking the others where one cannot be read', async () => {
    write('playbooks/broken.yaml', `steps: ${'['.repeat(20_000)}`);
    const { code, out } = await check('--json');
    expect(code).toBe(1);
    const said = (JSON.parse(out) as readonly { readonly file: string; readonly code: string }[]).map(
      (problem) => `${problem.file} ${problem.code}`,
    );
    expect(said).toEqual(['playbooks/broken.yaml too-deep', 'playbooks/one.yaml never-true']);
  });

  it('writes SARIF 2.1.0, its results pointing at its rules', async () => {
    write('playbooks/two.yaml', WARNED.replace('service', 'servce'));
    const log = sarif.parse(JSON.parse((await check('--format', 'sarif')).out));
    const [{ tool, results }] = log.runs;
    expect(tool.driver.version).toBe('1.2.3');
    expect(results.map((result) => [result.ruleId, result.level])).toEqual([
      ['never-true', 'warning'],
      ['unknown-topic', 'error'],
    ]);
    expect(results.map(({ ruleId, ruleIndex }) => tool.driver.rules[ruleIndex]?.id === ruleId)).toEqual([true, true]);
    expect(new Set(tool.driver.rules.map(({ id }) => id)).size).toBe(tool.driver.rules.length);
    const [first] = results;
    expect(first?.locations[0]?.physicalLocation.region).toEqual({ startLine: 5, startColumn: 10 });
    expect(decodeURIComponent(first?.locations[0]?.physicalLocation.artifactLocation.uri ?? '')).toMatch(
      /perennial-check-\w+\/playbooks\/one\.yaml$/,
    );
  });

  it('writes commands for GitHub, each on one line and escaped', async () => {
    write('playbooks/one.yaml', WARNED.replace('service', '"100%, or: more"'));
    const { out } = await check('--format', 'github');
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(out).toMatch(
      /^::error file=[^:,]*playbooks\/one\.yaml,line=1,col=8,title=bad-value::[^\n]*100%25, or: more[^\n]*\n$/,
    );
    write('playbooks/one.yaml', WARNED);
    expect((await check('--format', 'github')).out).toMatch(/^::warning .*%0A→ /);
  });

  it('asks the database who is under way on steps that are gone', async () => {
    const staffed = await openStaffed('2026-03-01T12:00:00Z');
    const before = process.env['DATABASE_URL'];
    try {
      process.env['DATABASE_URL'] = staffed.db.url;
      const sources = [
        { path: 'perennial.yaml', text: COMPANY },
        { path: 'playbooks/one.yaml', text: 'trigger: { manual: true }\nsteps:\n  - wait: 3 days\n    id: pause\n' },
      ];
      await deployRelease(staffed.db, compileSources, sources, { author: 'test', note: null, gitCommit: null });
      await staffed.customers(['ada', 'bob']);
      await staffed.rows(
        `insert into enrolments (customer_id, playbook_id, version_id, status, due_at, started_at, entry_key, step)
         select c.id, v.playbook_id, v.id, 'active', now(), now(), c.key, 'pause' from customers c, playbook_versions v`,
      );
      write('playbooks/one.yaml', sources[1]!.text);
      expect(await check('--database')).toMatchObject({ code: 0, out: expect.stringContaining('No mistakes') });
      const renamed = 'trigger: { manual: true }\nin_flight: move\nsteps:\n  - wait: 3 days\n    id: paus\n';
      write('playbooks/one.yaml', renamed);
      const { code, out } = await check('--database');
      expect(code).toBe(1);
      expect(out).toContain('2 customers are at the step `pause`, which is gone');
      expect(out).toContain('write `renamed: { pause: paus }`');
      write('playbooks/one.yaml', `${renamed}renamed: { pause: paus }\n`);
      expect((await check('--database')).out).not.toContain('removed-step');
      // Once that ran, a further new name follows from it.
      const text = `${renamed}renamed: { pause: paus }\n`;
      const next = [
        { path: 'perennial.yaml', text: COMPANY },
        { path: 'playbooks/one.yaml', text },
      ];
      await deployRelease(staffed.db, compileSources, next, { author: 'test', note: null, gitCommit: null });
      const further = 'trigger: { manual: true }\nin_flight: move\nsteps:\n  - wait: 3 days\n    id: rest\n';
      write('playbooks/one.yaml', further);
      expect((await check('--database')).out).toContain('2 customers are at the step `paus`, which is gone');
      write('playbooks/one.yaml', `${further}renamed: { paus: rest }\n`);
      expect((await check('--database')).out).toContain('No mistakes');
    } finally {
      if (before === undefined) delete process.env['DATABASE_URL'];
      else process.env['DATABASE_URL'] = before;
      await staffed.close();
    }
  });
});
