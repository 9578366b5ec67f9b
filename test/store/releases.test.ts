import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { workRuns } from '../../engine/store/runs.ts';
import { loadSources } from '../../engine/store/releases.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { COMPANY, openStaffed, sourcesOf, type Staffed } from '../support/staff.ts';

const HELLO = `title: Hello
topic: service
trigger: { manual: true }
steps:
  - email: hello/first
  - wait: 3 days
  - email: hello/second
`;
const BIRTHDAY = `title: Birthday
topic: news
trigger: { date: customer.birthday, every: year }
steps:
  - email: hello/first
`;
const EARLY = `title: Early
topic: news
trigger: { launch: any, before: 3 days }
steps:
  - email: hello/first
`;
const TEMPLATES = { 'templates/hello/first.hbs': 'Hello', 'templates/hello/second.hbs': 'Again' };
const BASE = { 'perennial.yaml': COMPANY, 'playbooks/hello.yaml': HELLO, ...TEMPLATES };
const START = '2026-03-01T00:00:00Z';

describe('deployRelease', () => {
  let staffed: Staffed;
  beforeAll(async () => {
    staffed = await openStaffed(START);
  });
  afterAll(async () => {
    await staffed.close();
  });
  beforeEach(async () => {
    await staffed.at(START);
    await staffed.db.query(`truncate customers, runs, timers, enrolments, sends, audit cascade`);
    await staffed.db.query('update engine set release_id = null');
    await staffed.db.query('truncate releases, playbooks cascade');
  });
  const runs = async (): Promise<unknown[]> =>
    staffed.rows(
      `select p.name, r.kind, r.launch, r.status, to_char(r.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as due
       from runs r join playbooks p on p.id = r.playbook_id order by r.kind, p.name, r.due_at`,
    );
  const armedFrom = async (name: string): Promise<string> => {
    const [row] = await staffed.rows<{ at: number }>('select armed_from as at from playbooks where name = $1', [name]);
    return new Date(row?.at ?? NaN).toISOString();
  };

  it('stores by content, names what changed, and changes nothing for the same content', async () => {
    const first = await staffed.deploy(BASE, 'mia');
    expect(first).toMatchObject({ outcome: 'deployed', changed: true, added: ['hello'], altered: [], removed: [] });
    expect(await staffed.deploy(BASE)).toMatchObject({ outcome: 'deployed', changed: false, added: [] });
    const next = {
      ...BASE,
      'playbooks/hello.yaml': HELLO.replace('3 days', '4 days'),
      'playbooks/birthday.yaml': BIRTHDAY,
    };
    expect(await staffed.deploy(next)).toMatchObject({ changed: true, added: ['birthday'], altered: ['hello'] });
    expect(await staffed.deploy(BASE)).toMatchObject({
      releaseId: first.releaseId,
      altered: ['hello'],
      removed: ['birthday'],
    });

    const sources = await loadSources(staffed.db, first.releaseId);
    expect(sources).toEqual([...sourcesOf(BASE)].sort((a, b) => (a.path < b.path ? -1 : 1)));
    const [engine] = await staffed.rows('select release_id, release_seq from engine');
    expect(engine).toMatchObject({ release_id: first.releaseId });
    const audits = await staffed.rows<{ by: string }>(`select by from audit where action = 'deploy' order by id`);
    expect(audits.map((row) => row.by)).toEqual(['mia', 'test', 'test']);
  });

  it('leaves tests of playbooks out: with other tests, nothing is deployed', async () => {
    const first = await staffed.deploy(BASE);
    const tested = { ...BASE, 'playbooks/hello.test.yaml': 'tests: []' };
    expect(await staffed.deploy(tested)).toMatchObject({ releaseId: first.releaseId, changed: false });
    const next = { ...tested, 'playbooks/hello.yaml': HELLO.replace('3 days', '4 days') };
    const { releaseId } = await staffed.deploy(next);
    const paths = (await loadSources(staffed.db, releaseId)).map(({ path }) => path);
    expect(paths).toEqual(['perennial.yaml', 'playbooks/hello.yaml', ...Object.keys(TEMPLATES)]);
  });

  it('arms triggers of time from their deploy on, and anew only when the rule or the zone changes', async () => {
    await staffed.customers(['ada'], { birthday: '1990-03-05' });
    const withBirthday = { ...BASE, 'playbooks/birthday.yaml': BIRTHDAY };
    await staffed.deploy(withBirthday);
    expect(await armedFrom('birthday')).toBe('2026-03-01T00:00:00.000Z');
    expect(await runs()).toEqual([
      { name: 'birthday', kind: 'arm', launch: '', status: 'planned', due: '2026-03-01 00:00' },
    ]);
    expect(await workRuns(staffed.db, staffed.cache, { chunk: 10 })).toEqual({
      customers: 1,
      finished: 1,
      more: false,
    });
    expect(await staffed.rows('select due_at as due from timers')).toEqual([
      { due: Date.parse('2026-03-05T09:00:00Z') },
    ]);

    await staffed.at('2026-03-02T00:00:00Z');
    await staffed.deploy({ ...withBirthday, 'playbooks/birthday.yaml': BIRTHDAY.replace('Birthday', 'Greeting') });
    expect(await armedFrom('birthday')).toBe('2026-03-01T00:00:00.000Z');
    expect(await runs()).toHaveLength(1);

    const elsewhere = COMPANY.replace('Europe/London', 'Europe/Berlin');
    await staffed.deploy({ ...withBirthday, 'perennial.yaml': elsewhere });
    expect(await armedFrom('birthday')).toBe('2026-03-01T00:00:00.000Z');
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    expect(await staffed.rows('select due_at as due from timers')).toEqual([
      { due: Date.parse('2026-03-05T08:00:00Z') },
    ]);

    await staffed.at('2026-03-03T00:00:00Z');
    await staffed.deploy({
      ...withBirthday,
      'playbooks/birthday.yaml': BIRTHDAY.replace('every: year', 'every: year, at: "12:00"'),
    });
    expect(await armedFrom('birthday')).toBe('2026-03-03T00:00:00.000Z');
  });

  it('starts nothing for what came due while a playbook was away', async () => {
    await staffed.customers(['ada'], { birthday: '1990-03-05' });
    const withBirthday = { ...BASE, 'playbooks/birthday.yaml': BIRTHDAY };
    await staffed.deploy(withBirthday);
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    await staffed.deploy(BASE);
    await staffed.at('2026-03-06T00:00:00Z');
    await staffed.deploy(withBirthday);
    await workRuns(staffed.db, staffed.cache, { chunk: 10 });
    expect(await staffed.rows('select * from enrolments')).toEqual([]);
    expect(await staffed.rows('select due_at as due from timers')).toEqual([
      { due: Date.parse('2027-03-05T09:00:00Z') },
    ]);
  });

  it('plans launches that are to come, re-dates them, and starts nothing for those that are past', async () => {
    const launch = (day: string): string => `title: Lamp\npublic_at: 2026-${day}T10:00\n`;
    const files = { ...BASE, 'playbooks/early.yaml': EARLY, 'playbooks/launches/lamp.yaml': launch('03-20') };
    await staffed.deploy({ ...files, 'playbooks/launches/old.yaml': launch('03-02') });
    const planned = (due: string): object => ({
      name: 'early',
      kind: 'launch',
      launch: 'lamp',
      status: 'planned',
      due,
    });
    expect(await runs()).toEqual([planned('2026-03-17 10:00')]);
    await staffed.deploy({ ...files, 'playbooks/launches/lamp.yaml': launch('03-25') });
    expect(await runs()).toEqual([planned('2026-03-22 10:00')]);
    await staffed.at('2026-03-23T00:00:00Z');
    // Due and not yet begun: the same launch in another release is still asked.
    await staffed.deploy({ ...files, 'playbooks/launches/lamp.yaml': `${launch('03-25')}price: 10\n` });
    expect(await runs()).toEqual([planned('2026-03-22 10:00')]);
    await staffed.deploy(BASE);
    expect(await runs()).toEqual([]);
  });

  it('refuses to take away a template that a live enrolment can still reach, and says whose', async () => {
    await staffed.customers(['ada', 'bob']);
    await staffed.deploy(BASE);
    const request = { playbook: 'hello', vars: {}, by: 'mia', reason: 'test', dryRun: false };
    for (const customer of ['ada', 'bob']) await triggerPlaybook(staffed.db, staffed.cache, { ...request, customer });
    const onlyFirst = {
      'perennial.yaml': COMPANY,
      'playbooks/hello.yaml': HELLO.replace('  - wait: 3 days\n  - email: hello/second\n', ''),
      'templates/hello/first.hbs': 'Hello',
    };
    const refused = await staffed.deploy(onlyFirst);
    expect(refused).toMatchObject({
      outcome: 'refused',
      needed: [{ template: 'hello/second', playbook: 'hello', enrolments: 2, customers: ['ada', 'bob'] }],
    });
    expect(await staffed.rows('select count(*) as n from releases')).toEqual([{ n: 1 }]);

    await staffed.db.query(`update enrolments set status = 'complete', ended_at = now(), step = null, due_at = null`);
    expect(await staffed.deploy(onlyFirst)).toMatchObject({ outcome: 'deployed', altered: ['hello'] });
  });
});
