/** What follows from mails that came back, on a real database with mails that were really handed over. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { signReturnPath } from '../../engine/message/bounce-token.ts';
import { signReaderLink, type SigningKey } from '../../engine/message/link-token.ts';
import { actOnComplaints } from '../../engine/store/complaints.ts';
import { listHolds } from '../../engine/store/pace/holds.ts';
import { listRefusingDomains } from '../../engine/store/feedback.ts';
import { resume } from '../../engine/store/pauses.ts';
import { loadSigningKeys } from '../../engine/store/signing-keys.ts';
import { unsuppress } from '../../engine/store/suppress.ts';
import { takeReturnedMail, type ReturnedMailResult } from '../../workers/returned-mail.ts';
import { clear, openFleet, type Fleet } from '../store/support.ts';
import { realMails } from './real-mails.ts';
import { complaint, dsn, type DsnParts } from './support.ts';

interface Sent extends Record<string, unknown> {
  readonly id: number;
  readonly messageId: string;
}

let fleet: Fleet;
let keys: readonly SigningKey[];
beforeAll(async () => {
  fleet = await openFleet();
  keys = await loadSigningKeys(fleet.db);
});
afterAll(async () => fleet.close());
beforeEach(async () => {
  await clear(fleet);
  await fleet.db.query('truncate audit, refusing_domains');
});

/** Customers who were sent the first mail; the mails, in their order. */
async function sent(...names: readonly string[]): Promise<readonly Sent[]> {
  const ids = await fleet.customers(names);
  await fleet.event('order.placed', names);
  await fleet.deliver('bulk', ids);
  return fleet.rows<Sent>('select id, message_id as "messageId" from sends where handed_at is not null order by id');
}

async function take(raw: Uint8Array, isDryRun = false): Promise<string> {
  return outcomeOf(await takeReturnedMail(fleet.db, keys, raw, { isDryRun }));
}

function outcomeOf(result: ReturnedMailResult): string {
  if (result.kind === 'none') return result.because;
  if (result.kind === 'leave') return result.outcome;
  return result.taken.map(({ outcome, send }) => `${outcome}${send === null ? '' : ` by ${send.proof}`}`).join(', ');
}

async function suppressed(): Promise<readonly Record<string, unknown>[]> {
  return fleet.rows('select address, scope, source, send_id from suppressions order by address');
}

const HARD = { recipient: 'ada@example.com', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' } as const;
const returnPath = (id: number): string => signReturnPath('bounce@sample.example', id, keys[0] as SigningKey);

describe('a hard bounce', () => {
  it('suppresses the address, takes claims back, and keeps the status and the mail on record', async () => {
    const [first] = await sent('ada');
    await fleet.event('question.asked', ['ada']);
    const [{ id } = { id: 0 }] = await fleet.rows<{ id: number }>('select id from customers');
    const claimed = await fleet.claim('transactional', [id]);
    expect(claimed).toHaveLength(1);
    expect(await take(dsn({ ...HARD, to: returnPath(first?.id ?? 0) }))).toBe('suppressed by return path');
    expect(await fleet.hand(claimed)).toEqual([false]);
    expect(await suppressed()).toEqual([
      { address: 'ada@example.com', scope: '*', source: 'bounce', send_id: first?.id },
    ]);
    const [record] = await fleet.rows('select reason from suppressions');
    expect(record?.['reason']).toBe(
      `hard bounce 5.1.1 of ada@example.com: smtp; 550 5.1.1 User unknown (mail ${first?.id} of thanks)`,
    );
    expect(await fleet.rows('select send_id, kind, verdict, status from feedback')).toEqual([
      { send_id: first?.id, kind: 'bounced', verdict: 'hard', status: '5.1.1' },
    ]);
    await fleet.claim('transactional', [id]);
    expect(await fleet.sends()).toContain('ada first skipped suppressed');
  });

  it('counts once, and does not undo what people decided since', async () => {
    const [first] = await sent('ada');
    const raw = dsn({ ...HARD, to: returnPath(first?.id ?? 0) });
    const both = await Promise.all([take(raw), take(raw)]);
    expect(both.sort((a, b) => a.localeCompare(b))).toEqual([
      'known before by return path',
      'suppressed by return path',
    ]);
    const lifted = { address: 'ada@example.com', scope: '*', source: 'staff', reason: null, by: 'mia' };
    expect(await unsuppress(fleet.db, lifted)).toBe('changed');
    expect(await take(raw)).toBe('known before by return path');
    expect(await suppressed()).toEqual([]);
  });

  it('is found by the Message-ID, or by an address that was written to of late, and else concerns nobody', async () => {
    const mails = await sent('ada', 'bob', 'cleo');
    const forwarded: DsnParts = { ...HARD, recipient: 'old@elsewhere.example' };
    const named = { 'Message-ID': mails[1]?.messageId ?? '' };
    expect(await take(dsn({ ...forwarded, returned: named }))).toBe('suppressed by message id');
    expect(await take(dsn({ ...forwarded, original: 'cleo@example.com' }))).toBe('suppressed by address');
    expect(await take(dsn({ ...HARD, returned: { 'X-Perennial-Send': '999999' } }))).toBe('suppressed by address');
    expect((await suppressed()).map(({ address }) => address)).toEqual([
      'ada@example.com',
      'bob@example.com',
      'cleo@example.com',
    ]);
  });

  it('suppresses nobody by forged signs, foreign mails or long after', async () => {
    const [first] = await sent('ada');
    const stranger = { ...HARD, recipient: 'stranger@example.com' };
    const forged = signReturnPath('bounce@sample.example', first?.id ?? 0, { id: 1, secret: Buffer.alloc(32) });
    const returned = {
      'Message-ID': `<send-${first?.id}.0123456789@sample.example>`,
      'X-Perennial-Send': String(first?.id),
    };
    expect(await take(dsn({ ...stranger, to: forged, returned }))).toBe('not ours');
    await fleet.at('2026-03-20T09:00:00Z');
    expect(await take(dsn(HARD))).toBe('not ours');
    expect(await suppressed()).toEqual([]);
  });

  it('is only looked at in a dry run', async () => {
    await sent('ada');
    expect(await take(dsn(HARD), true)).toBe('found by address');
    expect(await suppressed()).toEqual([]);
    expect(await fleet.rows('select from feedback')).toEqual([]);
  });
});

describe('what is no hard bounce', () => {
  it.each<[string, Partial<DsnParts>, string]>([
    ['a delay', { action: 'delayed', status: '4.4.1' }, 'no matter by address'],
    ['a delivery', { action: 'delivered', status: '2.0.0', diagnostic: '250 ok' }, 'recorded by address'],
    ['a full mailbox', { status: '5.2.2', diagnostic: '552 5.2.2 full' }, 'recorded by address'],
    ['a failure of unclear cause', { status: '5.0.0', diagnostic: '554 no' }, 'recorded by address'],
    ['a refusal of the sender', { status: '5.7.1', diagnostic: '550 5.7.1 blocked' }, 'recorded by address'],
  ])('suppresses nobody: %s', async (_what, parts, outcome) => {
    await sent('ada');
    expect(await take(dsn({ ...HARD, ...parts }))).toBe(outcome);
    expect(await suppressed()).toEqual([]);
  });

  it('names the domain that refuses us, and how often, and holds its mail', async () => {
    const mails = await sent('ada', 'bob');
    for (const { id } of mails) {
      await take(dsn({ ...HARD, status: '5.7.26', diagnostic: '550 5.7.26 no DKIM', to: returnPath(id) }));
    }
    expect(await listRefusingDomains(fleet.db)).toMatchObject([{ domain: 'example.com', count: 2, status: '5.7.26' }]);
    // Two reports, one hold: the second is of a mail that was under way.
    expect(await listHolds(fleet.db)).toMatchObject([{ domain: 'example.com', because: 'refused', strikes: 1 }]);
    expect(await sent('eve')).toHaveLength(2);
    expect((await fleet.sends()).at(-1)).toBe('eve first planned');
    await fleet.at('2026-04-01T09:00:00Z');
    expect(await listRefusingDomains(fleet.db)).toEqual([]);
    expect(await listHolds(fleet.db)).toEqual([]);
  });

  it('suppresses when five mails in a row, over ten days and more, all came back', async () => {
    const [id = 0] = await fleet.customers(['ada']);
    const outcomes: string[] = [];
    for (const day of ['02', '05', '08', '11', '14', '17']) {
      await fleet.at(`2026-03-${day}T09:00:00Z`);
      await fleet.event('question.asked', ['ada']);
      await fleet.deliver('transactional', [id]);
      if (day === '02') continue;
      const [latest] = await fleet.rows<Sent>('select max(id) as id from sends');
      outcomes.push(
        await take(dsn({ ...HARD, status: '4.2.2', diagnostic: '452 4.2.2 full', to: returnPath(latest?.id ?? 0) })),
      );
    }
    expect(outcomes.map((outcome) => outcome.split(' ')[0])).toEqual([
      'recorded',
      'recorded',
      'recorded',
      'recorded',
      'suppressed',
    ]);
  });
});

describe('a mail that asks for no more', () => {
  const leave = (token: string): Buffer =>
    Buffer.from(
      `From: Ada <ada@example.com>\r\nTo: bounce@sample.example\r\nSubject: unsubscribe ${token}\r\n\r\nSent.`,
    );

  it('leaves the topic of the mail whose token it holds, from whatever address it comes', async () => {
    const [mail] = await sent('ada');
    const token = signReaderLink(mail?.id ?? 0, keys[0] as SigningKey);
    expect(await take(leave(token), true)).toBe('found');
    expect(await suppressed()).toEqual([]);
    expect(await take(leave(token))).toBe('unsubscribed');
    expect(await suppressed()).toEqual([
      { address: 'ada@example.com', scope: 'news', source: 'unsubscribe', send_id: mail?.id },
    ]);
  });

  it('is left to people when its token is not ours, or the mail comes whatever is chosen', async () => {
    expect(await take(leave('x'.repeat(36)))).toBe('not ours');
    expect(await take(leave('please'))).toBe('no report');
    const ids = await fleet.customers(['bob']);
    await fleet.event('question.asked', ['bob']);
    await fleet.deliver('transactional', ids);
    const [mail] = await fleet.rows<Sent>('select id from sends');
    expect(await take(leave(signReaderLink(mail?.id ?? 0, keys[0] as SigningKey)))).toBe('transactional');
    expect(await suppressed()).toEqual([]);
  });
});

describe('complaints', () => {
  it('suppress the reader, named or not', async () => {
    const [ada, bob] = await sent('ada', 'bob');
    expect(await take(complaint({ 'Message-ID': ada?.messageId ?? '' }))).toBe('suppressed by message id');
    expect(await take(complaint({ 'Return-Path': `<${returnPath(bob?.id ?? 0)}>` }))).toBe('suppressed by return path');
    expect(await take(complaint({ 'Message-ID': ada?.messageId ?? '' }))).toBe('known before by message id');
    expect((await suppressed()).map(({ source }) => source)).toEqual(['complaint', 'complaint']);
  });

  it('warn above 1 and pause from 3 in 1,000 on, but not for the sake of two; a resumed playbook starts anew', async () => {
    const names = Array.from({ length: 4 }, (_, index) => `reader-${index}`);
    const mails = await sent(...names);
    // As many more mails as make 3 complaints 0.15 %: only their number matters.
    await fleet.db.query(
      `insert into sends (enrolment_id, customer_id, playbook_id, step, visit, template, topic, lane, status, first_due_at, due_at, handed_at)
       select enrolment_id, customer_id, playbook_id, step, n, template, topic, lane, 'sent', due_at, due_at, handed_at
       from sends, generate_series(1, 1996) n where sends.id = $1`,
      [mails[0]?.id],
    );
    const complain = async (at: number): Promise<unknown> =>
      take(complaint({ 'Message-ID': mails[at]?.messageId ?? '' }));
    await complain(0);
    await complain(1);
    expect(await actOnComplaints(fleet.db)).toEqual([]);
    await complain(2);
    expect(await actOnComplaints(fleet.db)).toMatchObject([
      { complaints: 3, mails: 2000, rate: 0.0015, outcome: 'warned' },
    ]);
    await fleet.db.query('delete from sends where visit > 0');
    expect(await actOnComplaints(fleet.db)).toMatchObject([{ playbook: 'thanks', mails: 4, outcome: 'paused' }]);
    expect(await actOnComplaints(fleet.db)).toMatchObject([{ outcome: 'paused before' }]);
    expect(await fleet.rows(`select by, action, playbook from audit where action = 'pause'`)).toEqual([
      { by: 'perennial', action: 'pause', playbook: 'thanks' },
    ]);
    await resume(fleet.db, fleet.cache, 'thanks', 'mia', 'looked into it');
    expect(await actOnComplaints(fleet.db)).toEqual([]);
  });
});

describe('2,000 broken reports', () => {
  it('never throw, and suppress nobody whom we did not write to', async () => {
    const [ada] = await sent('ada');
    await fleet.customers(['bob', 'postmaster', 'kijitora']);
    const own = [
      dsn({ ...HARD, to: returnPath(ada?.id ?? 0) }),
      dsn({ ...HARD, recipient: 'bob@example.com' }),
      complaint({ 'Message-ID': '<send-2.x@sample.example>' }, 'abuse', 'bob@example.com'),
    ];
    const originals = [...own, ...(realMails() ?? []).flatMap(({ mails }) => mails)];
    const random = seeded(7);
    for (let n = 0; n < 2_000; n += 1) {
      const original = originals[n % originals.length] ?? Buffer.alloc(0);
      await take(mutated(original, random));
    }
    expect((await suppressed()).map(({ address }) => address)).toEqual(['ada@example.com']);
  });
});

/** Bytes changed, cut out, doubled, or filled with what breaks parsers. */
function mutated(original: Uint8Array, random: () => number): Buffer {
  let bytes = Buffer.from(original);
  const changes = 1 + Math.floor(random() * 8);
  for (let change = 0; change < changes; change += 1) {
    const at = Math.floor(random() * (bytes.length + 1));
    const length = Math.floor(random() * 200);
    const junk = JUNK[Math.floor(random() * JUNK.length)] ?? '';
    const kind = Math.floor(random() * 4);
    if (kind === 0 && at < bytes.length) bytes[at] = Math.floor(random() * 256);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(junk), bytes.subarray(at)]);
  }
  return bytes;
}

const JUNK = [
  '\r\n\r\n',
  '\0',
  '\r\n--b\r\n',
  'Final-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n',
  `To: <bounce+${'a'.repeat(40)}@sample.example>\r\n`,
  'Content-Type: multipart/mixed; boundary=""\r\n',
  '=?utf-8?B?/////?=',
  '<'.repeat(5_000),
  '>'.repeat(5_000),
  'a@'.repeat(2_000),
  '\u{1f600}\ud800',
];

/** Mulberry32: the same changes every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
