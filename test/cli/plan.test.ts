/** plan, deploy, releases and rollback, as people use them one after the other. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployCommand } from '../../scripts/deploy.ts';
import { planCommand } from '../../scripts/plan.ts';
import { releasesCommand } from '../../scripts/releases.ts';
import { rollbackCommand } from '../../scripts/rollback.ts';
import { workRuns } from '../../engine/store/runs.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { testFolder } from '../support/folder.ts';
import { COMPANY, openStaffed, sourcesOf, type Staffed } from '../support/staff.ts';

const CARE = `title: Care
topic: service
trigger: { manual: true }
steps:
  - email: care/hello
  - wait: 2 days
    id: pause
  - email: care/tips
`;
const OLD = `topic: service
trigger: { manual: true }
steps: [ { wait: 1 month }, { email: care/hello } ]
`;
const BIRTHDAY = `topic: news
trigger: { date: customer.birthday }
steps: [ { email: care/hello } ]
`;
const MONDAYS = `topic: news
trigger: { schedule: FREQ=WEEKLY;BYDAY=MO }
steps: [ { email: care/hello } ]
`;
const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/care.yaml': CARE,
  'playbooks/old.yaml': OLD,
  'playbooks/birthday.yaml': BIRTHDAY,
  'templates/care/hello.hbs': 'Hello',
  'templates/care/tips.hbs': 'Tips',
};
/** The fingerprint of everything that a plan must leave alone. */
const UNTOUCHED = `select (select count(*) from audit) as audits, (select count(*) from releases) as releases,
  (select release_seq from engine) as seq, (select sum(xmin::text::bigint) from enrolments) as enrolments,
  (select sum(xmin::text::bigint) from customers) as customers, (select count(*) from timers) as timers`;

describe('a change of the playbooks', () => {
  let staffed: Staffed;
  let project: string;
  const databaseUrl = process.env['DATABASE_URL'];
  const run = async (make: Parameters<typeof runCommand>[0], ...args: readonly string[]): Promise<Printed> =>
    runCommand(make, args, project);
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const { path: file, text } of sourcesOf(files)) {
      await mkdir(path.dirname(path.join(project, file)), { recursive: true });
      await writeFile(path.join(project, file), text);
    }
  };
  beforeAll(async () => {
    // A Wednesday.
    staffed = await openStaffed('2026-03-04T12:00:00Z');
    process.env['DATABASE_URL'] = staffed.db.url;
    process.env['PERENNIAL_PUBLIC_URL'] = 'https://mail.sample.example';
    project = await testFolder();
    await write(FILES);
  });
  afterAll(async () => {
    if (databaseUrl === undefined) delete process.env['DATABASE_URL'];
    else process.env['DATABASE_URL'] = databaseUrl;
    delete process.env['PERENNIAL_PUBLIC_URL'];
    await staffed.close();
  });

  it('is planned, deployed, listed and taken back', async () => {
    const first = await run(planCommand);
    expect(first).toMatchObject({
      code: 0,
      out: expect.stringMatching(/nothing is deployed yet\n\nPlaybooks\n {2}\+ birthday +new\n/),
    });
    expect(await run(deployCommand, '--by', 'mia', '--note', 'the first')).toMatchObject({ code: 0 });
    expect((await run(planCommand, '--days', '0')).out).toMatch(/^Release \w{12} runs already: nothing changes\.\n/);

    await staffed.customers(['ada', 'bob', 'cy']);
    await staffed.customers(['dee'], { birthday: '1990-03-06' });
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    const byHand = { vars: {}, by: 'mia', reason: 'test', dryRun: false };
    for (const [customer, playbook] of [
      ['ada', 'care'],
      ['bob', 'old'],
      ['cy', 'old'],
    ] as const) {
      await triggerPlaybook(staffed.db, staffed.cache, { ...byHand, customer, playbook });
    }

    // A move that leaves ada behind, a playbook that goes with two under way, and a new one.
    await write({
      'playbooks/care.yaml': CARE.replace('- email: care/hello', '- email: care/hello\n    id: first').replace(
        'topic',
        'in_flight: move\ntopic',
      ),
    });
    await write({
      'playbooks/mondays.yaml': MONDAYS,
      'perennial.yaml': `# Ours\n${COMPANY.replace('3 days', '2 days')}`,
    });
    await rm(path.join(project, 'playbooks/old.yaml'));
    const [before] = await staffed.rows(UNTOUCHED);
    const planned = await run(planCommand);
    expect(await staffed.rows(UNTOUCHED)).toEqual([before]);
    expect(planned.code).toBe(2);
    expect(planned.out.replaceAll(/\b[0-9a-f]{12}\b/g, 'ID'))
      .toBe(`Release ID; now runs ID (mia, 2026-03-04 12:00 Europe/London)

Playbooks
  ~ care     changed; in_flight: move
      1 customer at "hello": LEFT BEHIND
  + mondays  new
  - old      gone; starts nobody any more
      2 customers at "wait-1": finish as they began

perennial.yaml
  ~ defaults

Who would enter in the next 7 days, from 2026-03-04 12:00 Europe/London
  4 customers, all of them, if nothing happens but what is due: no orders, no visits.
  playbook  total  03-06  03-09
  birthday      1      1      0
  mondays       4      0      4

Needs a decision
  ! "care" moves 1 who stand on the step "hello", which is gone (ada): deploy refuses
  ! "old" is gone, and 2 under way in it will finish it; to end them, "perennial cancel old" each, or keep it with \`in_flight: drain\` until they are through
`);
    const asJson = JSON.parse((await run(planCommand, '--json')).out) as Record<string, unknown>;
    expect(asJson).toMatchObject({
      playbooks: [
        { name: 'care', inFlight: 'move' },
        { name: 'mondays', newTrigger: true },
        { name: 'old', inFlight: null },
      ],
      entries: {
        from: expect.stringMatching(/^2026-03-.*Z$/),
        playbooks: [
          { playbook: 'birthday', byDay: { '2026-03-06': 1 } },
          { playbook: 'mondays', total: 4 },
        ],
      },
      decisions: [
        { kind: 'left behind', refused: true },
        { kind: 'removed playbook', refused: false },
      ],
    });

    const refused = await run(deployCommand, '--by', 'mia');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was changed.\n  "care" moves 1') });
    expect(await staffed.rows(UNTOUCHED)).toEqual([before]);
    await write({
      'playbooks/care.yaml': CARE.replace('- email: care/hello', '- email: care/hello\n    id: first').replace(
        'topic',
        'in_flight: move\nrenamed: { hello: first }\ntopic',
      ),
    });
    const deployed = await run(deployCommand, '--by', 'leo');
    expect(deployed.out).toMatch(/1 customer at "hello": go on at "first"\n[^]*Release \w{12} runs now\.\n$/);

    const back = await run(rollbackCommand, '--by', 'mia', '--reason', 'too many mails');
    expect(back).toMatchObject({ code: 0, out: expect.stringMatching(/\+ old +new\n[^]*runs now\.\n$/) });
    const listed = (await run(releasesCommand)).out
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
      .replaceAll(/ {2}commit \w+(?: and changes not committed)?/g, '');
    expect(listed).toBe(`* ID  2026-03-04 13:00  mia  rollback  (runs now)
    too many mails
    + old, ~ care, - mondays
  ID  2026-03-04 13:00  leo
    + mondays, ~ care, - old
  ID  2026-03-04 13:00  mia
    the first
    + birthday, + care, + old
`);
    const actions = await staffed.rows<{ what: string }>(
      `select action || ' ' || by as what from audit where playbook is null order by id`,
    );
    expect(actions.map(({ what }) => what)).toEqual(['deploy mia', 'deploy leo', 'rollback mia']);

    // Nothing ran before the first; a release that is named is gone forward to.
    expect(await run(rollbackCommand, '--reason', 'x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('No release ran before'),
    });
    expect(await run(rollbackCommand, 'zzz', '--reason', 'x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no release "zzz"'),
    });
    const [, second] = (
      JSON.parse((await run(releasesCommand, '--json')).out) as { deployments: { releaseId: string }[] }
    ).deployments;
    expect(await run(rollbackCommand, second?.releaseId.slice(0, 10) ?? '', '--reason', 'again')).toMatchObject({
      code: 0,
    });
    expect(await staffed.rows('select release_id from engine')).toEqual([{ release_id: second?.releaseId }]);
  });

  it('says what is wrong with the files, and plans nothing', async () => {
    await write({ 'playbooks/care.yaml': CARE.replace('care/tips', 'care/tisp') });
    const mistaken = await run(planCommand);
    expect(mistaken).toMatchObject({ code: 1, out: '' });
    expect(mistaken.err).toMatch(/care\.yaml:8:12 error[^]*nothing was planned/);
  });
});
