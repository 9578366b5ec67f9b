import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { openTransport, type Transport } from '../../engine/mail/transport.ts';
import { advance } from '../../engine/store/advance.ts';
import { listRefusingDomains } from '../../engine/store/feedback.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { listHolds } from '../../engine/store/pace/holds.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { deliver, type DeliveryParts } from '../../workers/delivering.ts';
import { deliveryParts } from '../support/delivery-parts.ts';
import { type Fault, type Sink, type Stage, startSink } from '../support/smtp-sink.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/sorry.yaml': 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: sorry\n',
  'templates/sorry.hbs': 'Sorry',
};

let staffed: Staffed;
let sink: Sink;
let transport: Transport;
let parts: DeliveryParts;
let fault: { readonly stage: Stage; readonly fault: Fault } | null = null;

beforeAll(async () => {
  staffed = await openStaffed('2026-03-02T12:00:00Z');
  await staffed.deploy(FILES);
  sink = await startSink({ fault: (stage) => (stage === fault?.stage ? fault.fault : null) });
  transport = openTransport({ url: sink.url, connections: 1 });
  const { db, cache } = staffed;
  parts = deliveryParts({ db, cache, transport, handOver: openHandOver(db), log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await parts.handOver.close();
  await transport.close();
  await sink.close();
  await staffed.close();
});

async function write(name: string): Promise<number> {
  const [id = 0] = await staffed.customers([name]);
  const by = { by: 'mia', reason: 'test', vars: {}, dryRun: false };
  await triggerPlaybook(staffed.db, staffed.cache, { customer: name, playbook: 'sorry', ...by });
  await advance(staffed.db, staffed.cache, [id]);
  return id;
}

async function mailOf(id: number): Promise<string> {
  const [row] = await staffed.rows<{ status: string; due: string }>(
    `select status, to_char(due_at at time zone 'UTC', 'DD HH24') as due from sends where customer_id = ${id}`,
  );
  return row?.status === 'planned' ? `planned on ${row.due}` : (row?.status ?? 'none');
}

it.each<[string, Stage, string]>([
  ['to a recipient', 'rcpt', '550 5.7.1 listed'],
  ['to a message', 'dot', '550 5.7.26 no DKIM'],
])('tries a mail again, and holds its domain, when the sender is refused %s', async (_, stage, line) => {
  await staffed.at('2026-03-02T12:00:00Z');
  await staffed.db.query('truncate refusing_domains, domain_holds');
  fault = { stage, fault: { do: 'reply', line } };
  const id = await write(`ada-${stage}`);
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('planned on 02 12');
  expect(await listHolds(staffed.db)).toMatchObject([{ domain: 'example.com', because: 'refused', strikes: 1 }]);
  expect(await staffed.rows('select from suppressions')).toEqual([]);

  // The hold outlasts the first wait of a refused mail; said again, it is held for longer.
  await staffed.at('2026-03-02T12:20:00Z');
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('planned on 02 13');
  await staffed.at('2026-03-02T13:20:00Z');
  await deliver(parts, 'transactional', [id]);
  expect(await listHolds(staffed.db)).toMatchObject([{ because: 'refused', strikes: 2 }]);
  expect(await listRefusingDomains(staffed.db)).toMatchObject([{ domain: 'example.com', count: 2 }]);

  fault = null;
  await staffed.at('2026-03-03T12:00:00Z');
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('sent');
});

it('tries a mail again, and holds nobody, when a server does not take the sender’s address', async () => {
  await staffed.at('2026-03-04T12:00:00Z');
  await staffed.db.query('truncate refusing_domains, domain_holds');
  fault = { stage: 'mail', fault: { do: 'reply', line: '550 5.7.1 not you' } };
  const id = await write('bob');
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('planned on 04 12');
  expect(await listHolds(staffed.db)).toEqual([]);
  fault = null;
  await staffed.at('2026-03-04T12:10:00Z');
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('sent');
});

it('gives up a mail that is refused for good', async () => {
  fault = { stage: 'mail', fault: { do: 'reply', line: '552 5.3.4 too big' } };
  const id = await write('cleo');
  await deliver(parts, 'transactional', [id]);
  expect(await mailOf(id)).toBe('failed');
});
