/** A database that was restored: what may have gone out after its backup is found by the rules, and not sent again. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { expireLeases } from '../../engine/store/expire.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { recover, type RecoveryRequest } from '../../engine/store/recovered.ts';
import { suppress } from '../../engine/store/suppress.ts';
import { clear, COMPANY, eventOf, openFleet, START, type Fleet } from './support.ts';

const NIGHT = `title: Night
topic: news
trigger: { event: question.asked }
send_window: { days: any, hours: "08:00-08:30" }
steps:
  - email: thanks/first
`;
const TOLD = `title: Told
topic: news
trigger: { event: call.logged }
steps:
  - webhook: { url: https://crm.example.com/told }
`;
const BACKUP_AT = START;
const LOST_AT = '2026-03-03T12:00:00Z';
const LATER = '2026-03-06T12:00:00Z';
const REQUEST: RecoveryRequest = {
  backupAt: Date.parse(BACKUP_AT),
  until: Date.parse(LOST_AT),
  mail: 'assume_sent',
  nothingSent: false,
  restoredInPlace: true,
  site: null,
  by: 'Mia',
  reason: 'disk lost',
  dryRun: false,
};

describe('after a restore', () => {
  let fleet: Fleet;
  let ada = 0;
  let ben = 0;
  beforeAll(async () => {
    fleet = await openFleet({
      'perennial.yaml': COMPANY.replace('question.asked: {}', 'question.asked: {}\n  call.logged: {}'),
      'playbooks/night.yaml': NIGHT,
      'playbooks/told.yaml': TOLD,
    });
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
    await fleet.db.query(
      `truncate webhook_calls; update engine set doubt_from = null, doubt_until = null, doubt_mail = null, home = null`,
    );
    [ada = 0, ben = 0] = await fleet.customers(['ada', 'ben']);
  });
  /** What a worker does with claims: doubtful ones are settled as such, the others go out. Returns what went out. */
  const work = async (): Promise<readonly string[]> => {
    const sent: string[] = [];
    for (let rounds = 0; rounds < 5; rounds += 1) {
      await fleet.advance([ada, ben]);
      for (const lane of ['transactional', 'bulk'] as const) {
        const claimed = await fleet.claim(lane, [ada, ben]);
        for (const one of claimed.filter(({ doubtAt }) => doubtAt !== null)) {
          await fleet.settle([one], { kind: 'doubtful', at: one.doubtAt ?? Number.NaN });
        }
        const sure = claimed.filter(({ doubtAt }) => doubtAt === null);
        await fleet.hand(sure);
        await fleet.settle(sure, { kind: 'accepted' });
        sent.push(...sure.map(({ profile, send }) => `${profile.id} ${send.step}`));
      }
    }
    return sent;
  };
  const found = async (): Promise<readonly string[]> =>
    (
      await fleet.rows<{ line: string }>(
        `select concat_ws(' ', c.key, s.step, s.status, to_char(s.handed_at at time zone 'utc', 'DD HH24:MI'),
           case when s.held_at is not null then 'held' end) as line
         from sends s join customers c on c.id = s.customer_id order by c.id, s.id`,
      )
    ).map((row) => row.line);

  it('finds a whole way again: what was open, what follows from it, and sends only what came due later', async () => {
    await fleet.event('order.placed', ['ada'], { total: 5 });
    await fleet.at('2026-03-03T11:00:00Z');
    await fleet.event('order.placed', ['ben'], { total: 5 });
    await fleet.at(LATER);
    const dry = await recover(fleet.db, { ...REQUEST, dryRun: true });
    expect(dry).toMatchObject({
      outcome: 'recovered',
      doubt: { backupAt: Date.parse(BACKUP_AT), until: Date.parse(LOST_AT) },
      playbooks: [{ playbook: 'thanks', mails: 2, handed: 0, waiting: 0, paused: 0 }],
    });
    expect(await recover(fleet.db, REQUEST)).toEqual({ ...dry, dryRun: false });
    // Ada's second mail was due at 09:00 of the next day, before the loss; Ben's an hour before noon of the day after it.
    expect(await work()).toEqual(['ben second']);
    expect(await found()).toEqual([
      'ada first unknown 02 09:00',
      'ada second unknown 03 09:00',
      'ben first unknown 03 11:00',
      'ben second sent 06 12:00',
    ]);
    const active = await fleet.rows(`select from enrolments where status = 'active'`);
    expect(active).toEqual([]);
  });

  it('decides as of then: what could not have gone out is put off or skipped as ever', async () => {
    await fleet.event('question.asked', ['ada']);
    await fleet.event('order.placed', ['ben'], { total: 5 });
    await suppress(fleet.db, { address: 'ben@example.com', scope: '*', source: 'staff', reason: null, by: 'test' });
    await fleet.at('2026-03-02T20:00:00Z');
    // The window of the night opens at 08:00 of the next day, which is after the loss.
    await recover(fleet.db, { ...REQUEST, until: Date.parse('2026-03-02T19:00:00Z') });
    // The other playbook that a question starts is transactional and knows no window.
    expect(await work()).toEqual([]);
    await fleet.at('2026-03-03T08:10:00Z');
    expect(await work()).toEqual(['ada first']);
    expect(await found()).toEqual(
      expect.arrayContaining(['ada first unknown 02 09:00', 'ada first sent 03 08:10', 'ben first skipped']),
    );
  });

  it('brings no second mail for an event that comes in again, and sends for new ones', async () => {
    await fleet.at('2026-03-03T13:00:00Z');
    await recover(fleet.db, REQUEST);
    await fleet.take([eventOf('ada', 'order.placed', '2026-03-03T11:30:00Z', { total: 5 })]);
    await fleet.event('order.placed', ['ben'], { total: 5 });
    expect(await work()).toEqual(['ben first']);
    await fleet.at('2026-03-04T13:00:00Z');
    expect(await work()).toEqual(expect.arrayContaining(['ada second', 'ben second']));
    expect((await found())[0]).toBe('ada first unknown 03 11:30');
  });

  it('takes mail that was being handed over at the backup for sent, whatever its playbook says', async () => {
    await fleet.event('question.asked', ['ada']);
    const claimed = await fleet.claim('transactional', [ada]);
    await fleet.hand(claimed);
    await fleet.expireAll();
    await fleet.at(LATER);
    await recover(fleet.db, REQUEST);
    await expireLeases(fleet.db, fleet.cache, 100);
    await work();
    expect(await found()).toEqual(expect.arrayContaining(['ada first unknown 02 09:00']));
  });

  it.each([
    ['hold', [], 'ada first unknown 02 09:00 held'],
    ['own', ['ada first'], 'ada first sent 06 12:00'],
  ] as const)('does with mail in doubt what staff say: %s', async (mail, sent, row) => {
    await fleet.db.query(`insert into pauses (scope, at, by, reason) values ('night', now(), 'test', 'not concerned')`);
    await fleet.event('question.asked', ['ada']);
    await fleet.at(LATER);
    await recover(fleet.db, { ...REQUEST, mail });
    expect(await work()).toEqual(sent);
    expect(await found()).toContain(row);
    if (mail === 'own') return;
    await retryHeld(fleet.db, fleet.cache, 'all', { by: 'Mia', reason: 'the log of the server has none' });
    expect(await work()).toEqual(['ada first']);
  });

  it.each([
    ['assume_sent', 'dropped'],
    ['hold', 'failed held'],
    ['own', 'planned'],
  ] as const)('treats calls of other systems alike: %s', async (mail, state) => {
    await fleet.at('2026-03-03T13:00:00Z');
    await recover(fleet.db, { ...REQUEST, mail });
    await fleet.take([eventOf('ada', 'call.logged', '2026-03-03T11:30:00Z')]);
    await fleet.take([eventOf('ben', 'call.logged', '2026-03-03T12:30:00Z')]);
    const calls = await fleet.rows<{ state: string }>(
      `select concat_ws(' ', status, case when held_at is not null then 'held' end) as state from webhook_calls order by id`,
    );
    expect(calls.map((call) => call.state)).toEqual([state, 'planned']);
  });

  it('never gives a number of a mail again that may be in a link, and puts the act on record', async () => {
    const last = async (): Promise<number> =>
      (await fleet.rows<{ n: number }>(`select nextval(pg_get_serial_sequence('sends', 'id')) as n`))[0]?.n ?? 0;
    const before = await last();
    await fleet.at(LATER);
    await recover(fleet.db, REQUEST);
    const windowSeconds = (Date.parse(LOST_AT) - Date.parse(BACKUP_AT)) / 1_000;
    expect((await last()) - before).toBeGreaterThan(windowSeconds * 10_000);
    const [entry] = await fleet.rows(`select by, action, reason, detail from audit order by id desc limit 1`);
    expect(entry).toMatchObject({
      by: 'Mia',
      action: 'recovered',
      reason: 'disk lost',
      detail: { doubt: { mail: 'assume_sent' } },
    });
  });

  it('asks for what it cannot know, and refuses times that cannot be', async () => {
    expect(await recover(fleet.db, { ...REQUEST, backupAt: null })).toEqual({ outcome: 'no backup time' });
    // Where nothing says that it was restored, all that is due would be given up for nothing.
    const healthy = { ...REQUEST, restoredInPlace: false };
    expect(await recover(fleet.db, healthy)).toEqual({ outcome: 'not restored' });
    expect(await recover(fleet.db, { ...healthy, dryRun: true })).toEqual({ outcome: 'not restored' });
    const now = Date.parse(START);
    await fleet.db.query(`update engine set home = '1/1'`);
    expect(await recover(fleet.db, healthy)).toMatchObject({ outcome: 'bad times', now });
    expect(await recover(fleet.db, REQUEST)).toMatchObject({ outcome: 'bad times', now });
    expect(await recover(fleet.db, { ...REQUEST, nothingSent: true, until: null, backupAt: null })).toMatchObject({
      outcome: 'recovered',
      doubt: null,
    });
    const [engine] = await fleet.rows<{ home: string }>('select home from engine');
    expect(engine?.home).toMatch(/^\d+\/\d+$/);
  });
});
