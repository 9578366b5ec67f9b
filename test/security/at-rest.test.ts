/** What lies on the machine: who may read it, and files that are made to do harm. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import { cutRecords, type RawRecord } from '../../engine/ingest/file/records.ts';
import { dkimCommand } from '../../scripts/dkim.ts';
import { RejectsFile } from '../../engine/ingest/file/rejects.ts';
import { openSource } from '../../engine/ingest/file/source.ts';
import { InboxWriter } from '../../engine/mail/inbox/store.ts';
import { compileProject } from '../../engine/playbook/compile.ts';
import { parseYaml } from '../../engine/playbook/yaml/parse.ts';
import { readProject } from '../../engine/project/read.ts';
import { writeKeyOf } from '../../workers/write-key.ts';
import { runCommand } from '../support/command.ts';
import { testFolder } from '../support/folder.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);

describe('files of a project', () => {
  it('keys, mails and lines about customers are for their owner only', async () => {
    const dir = await testFolder();
    const home = path.join(dir, '.perennial');
    await writeKeyOf({ writeKey: null, database: { kind: 'embedded', dir: home } });
    const inbox = await InboxWriter.open(path.join(home, 'inbox'));
    inbox.add(Buffer.from('Subject: x\r\n\r\nx\r\n'));
    const rejects = new RejectsFile(path.join(dir, 'customers.jsonl.rejects.jsonl'));
    await rejects.add([{ line: 1, reason: 'r', text: 'ada@example.com' }]);
    await rejects.close();
    await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
    await runCommand(dkimCommand, ['create', 's2026', '--domain', 'hearth.example'], dir);
    const [mail = ''] = await readdir(path.join(home, 'inbox'));
    const files = [
      '.perennial/write-key',
      `.perennial/inbox/${mail}`,
      '.perennial/dkim/s2026.pem',
      path.basename(rejects.path),
    ];
    for (const file of files) expect([file, await modeOf(path.join(dir, file))]).toEqual([file, '600']);
    for (const folder of [home, path.join(home, 'inbox'), path.join(home, 'dkim')]) {
      expect([folder, await modeOf(folder)]).toEqual([folder, '700']);
    }
  });

  it('a name that leads out of the project makes no key there', async () => {
    const dir = await testFolder();
    await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
    const program = path.join(import.meta.dirname, '../../bin/perennial.js');
    for (const selector of ['../../evil', '/tmp/evil']) {
      const args = [program, 'dkim', 'create', selector, '--domain', 'hearth.example', '--project', dir];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect([status, stderr]).toEqual([2, expect.stringContaining('small letters, digits and hyphens')]);
    }
    expect(await readdir(dir)).toEqual(['perennial.yaml']);
  });

  it('a project whose path has odd parts is that folder, and reads nothing beside it', async () => {
    const dir = await testFolder();
    await mkdir(path.join(dir, 'company', 'playbooks'), { recursive: true });
    await writeFile(path.join(dir, 'company', 'perennial.yaml'), COMPANY);
    await writeFile(path.join(dir, 'secret.yaml'), 'secret: 1');
    const sources = await readProject(path.join(dir, 'company', '..', 'company', '.', 'playbooks', '..'));
    expect(sources.map((source) => source.path)).toEqual(['perennial.yaml']);
  });
});

describe('bombs', () => {
  it('aliases of aliases are refused before they are followed', () => {
    const levels = Array.from(
      { length: 40 },
      (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(', ')}]`,
    );
    const text = `l0: &l0 [lol]\n${levels.join('\n')}\n`;
    const { problems } = parseYaml({ path: 'playbooks/x.yaml', text });
    expect(problems[0]).toMatchObject({ code: 'yaml-alias', line: 1 });
    const { release, problems: found } = compileProject(sourcesOf({ 'perennial.yaml': text }));
    expect(release).toBeNull();
    expect(found.length).toBeLessThan(250);
  });

  it('a small file that is 256 MB when it is unpacked costs its line, and no memory', async () => {
    const dir = await testFolder();
    const file = path.join(dir, 'customers.jsonl.gz');
    // Parts of a gzip file are decompressed one after the other: RFC 1952 section 2.2.
    const part = gzipSync(Buffer.alloc(16 * 1024 * 1024, 0x61));
    const good = gzipSync(Buffer.from('\n{"id":"ada"}\n'));
    await writeFile(file, Buffer.concat([...Array<Buffer>(16).fill(part), good]));
    expect((await stat(file)).size).toBeLessThan(512 * 1024);
    const before = process.memoryUsage().rss;
    const source = await openSource(file, Readable.from([]));
    const records: RawRecord[] = [];
    for await (const record of cutRecords(source.read(0), { kind: 'lines' })) records.push(record);
    expect(records.map(({ line, fault, text }) => [line, fault === null, text.length])).toEqual([
      [1, false, 1_000],
      [2, true, 12],
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(160 * 1024 * 1024);
  });
});
