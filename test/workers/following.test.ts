import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine } from '../../workers/engine.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase } from '../support/postgres.ts';
import { COMPANY } from '../support/staff.ts';

const PLAYBOOK = 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: sorry\n';

describe('an engine that follows the company’s files', () => {
  it('says that the earlier release goes on past mistakes, and that all is well once they are mended', async () => {
    const database = await testDatabase();
    const dir = await testFolder();
    for (const folder of ['playbooks', 'templates']) await mkdir(path.join(dir, folder));
    const file = path.join(dir, 'playbooks', 'sorry.yaml');
    await writeFile(path.join(dir, 'perennial.yaml'), COMPANY);
    await writeFile(path.join(dir, 'templates', 'sorry.hbs'), '---\nsubject: Sorry\n---\nSorry');
    await writeFile(file, PLAYBOOK);
    const said: string[] = [];
    let onLine = (): void => undefined;
    const write = (line: string): void => {
      said.push((JSON.parse(line) as { readonly msg: string }).msg);
      onLine();
    };
    const until = async (text: string): Promise<void> => {
      while (!said.some((msg) => msg.includes(text))) await new Promise<void>((resolve) => (onLine = resolve));
    };
    const config = readConfig({ DATABASE_URL: database.url }, dir);
    const problems: string[] = [];
    const engine = await startEngine({
      config,
      log: pino({}, { write }),
      roles: [],
      followFiles: true,
      onProblems: (found) => problems.push(...found.map(({ code }) => code)),
    });
    await writeFile(file, PLAYBOOK.replace('email: sorry', 'email: sory'));
    await until('the earlier release goes on');
    expect(problems).not.toEqual([]);
    await writeFile(file, PLAYBOOK);
    await until('all is well again');
    expect(said.filter((msg) => msg === 'deployed')).toHaveLength(1);

    const { db, cache } = engine.parts;
    await db.query(
      `insert into customers (key, email, address, arrived_at) values ('ada', 'a@example.com', 'a@example.com', now())`,
    );
    const byHand = { customer: 'ada', playbook: 'sorry', vars: {}, by: 'test', reason: 'test', dryRun: false };
    await triggerPlaybook(db, cache, byHand);
    await writeFile(file, `in_flight: move\n${PLAYBOOK}    id: other\n`);
    await until('customers to be moved stand on a step that is gone');
    await engine.close();
    await database.drop();
  });
});
