import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { advance } from '../../engine/store/advance.ts';
import { openHandOver, type HandOver } from '../../engine/store/hand.ts';
import { listPauses, resume } from '../../engine/store/pauses.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import type { Transport } from '../../engine/mail/transport.ts';
import { deliver, type DeliveryParts } from '../../workers/delivering.ts';
import { deliveryParts } from '../support/delivery-parts.ts';
import { COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const playbook = (name: string) => `topic: service\ntrigger: { manual: true }\nsteps:\n  - email: ${name}\n`;
const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/sorry.yaml': playbook('sorry'),
  'playbooks/other.yaml': playbook('other'),
  'playbooks/linked.yaml': playbook('linked'),
  'templates/sorry.hbs': 'Sorry about {{vars.order}}',
  'templates/other.hbs': 'Hello {{vars.order}}',
  'templates/linked.hbs': '<a href="{{link vars.order}}">Your order</a>',
};

let staffed: Staffed;
let handOver: HandOver;
let logged: Record<string, unknown>[];
beforeAll(async () => {
  staffed = await openStaffed('2026-03-02T12:00:00Z');
  await staffed.deploy(FILES);
  handOver = openHandOver(staffed.db);
});
afterAll(async () => {
  await handOver.close();
  await staffed.close();
});
beforeEach(() => {
  logged = [];
});

/** One process: what it has counted itself is its own. */
function openProcess(): DeliveryParts {
  const { db, cache } = staffed;
  const log = pino({}, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
  const transport: Transport = {
    server: 'sink.test:25',
    conversations: 1,
    isServersTurn: false,
    deliver: async (_, handedOver) =>
      (await handedOver()) ? { kind: 'accepted', response: '250 ok' } : { kind: 'withheld' },
    verify: async () => undefined,
    stop: () => undefined,
    close: async () => undefined,
  };
  return deliveryParts({ db, cache, transport, handOver, log });
}

let made = 0;
let minutes = 0;

async function passMinute(): Promise<void> {
  minutes += 1;
  await staffed.at(new Date(Date.UTC(2026, 2, 2, 12, minutes)).toISOString());
}

/** So many customers get the playbook's mail, which lacks its variable unless `order` is given. */
async function send(parts: DeliveryParts, name: string, count: number, order?: string): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    made += 1;
    const [id = 0] = await staffed.customers([`customer-${made}`]);
    const vars = order === undefined ? {} : { order };
    const by = { by: 'mia', reason: 'test', vars, dryRun: false };
    await triggerPlaybook(staffed.db, staffed.cache, { customer: `customer-${made}`, playbook: name, ...by });
    await advance(staffed.db, staffed.cache, [id]);
    await deliver(parts, 'transactional', [id]);
    await passMinute();
  }
}

const paused = async () => (await listPauses(staffed.db)).map(({ scope }) => scope);

describe('ten mails in a row that cannot be written for the same reason', () => {
  it('pause their playbook, on record and in the log, and no other', async () => {
    const parts = openProcess();
    await send(parts, 'sorry', 9);
    await send(parts, 'other', 9);
    await send(parts, 'other', 1, 'A-1');
    expect(await paused()).toEqual([]);
    await send(parts, 'sorry', 1);
    expect(await listPauses(staffed.db)).toEqual([
      expect.objectContaining({
        scope: 'sorry',
        by: 'perennial',
        reason: '10 mails in a row could not be written: vars.order is printed, but has no value for this customer',
      }),
    ]);
    expect(await staffed.rows(`select by, playbook from audit where action = 'pause'`)).toEqual([
      { by: 'perennial', playbook: 'sorry' },
    ]);
    expect(logged.filter(({ playbook: of }) => of === 'sorry').map(({ msg }) => msg)).toEqual([
      'ten mails in a row could not be written: the playbook is paused',
    ]);
    await send(parts, 'other', 9);
    expect(await paused()).toEqual(['sorry']);
  });

  it('have one reason also where the message quotes what each customer has', async () => {
    const parts = openProcess();
    for (let order = 1; order < 10; order += 1) await send(parts, 'linked', 1, `/orders/${order}`);
    expect(await paused()).toEqual(['sorry']);
    await send(parts, 'linked', 1, '/orders/10');
    expect(await paused()).toEqual(['linked', 'sorry']);
    expect(logged.filter(({ msg }) => msg === 'a mail could not be written').at(-1)).toMatchObject({
      template: 'linked',
      code: 'bad-value',
      path: 'link',
    });
    await resume(staffed.db, staffed.cache, 'linked', 'mia', 'mended');
  });

  it('are counted anew once it is resumed, and over several processes', async () => {
    await resume(staffed.db, staffed.cache, 'sorry', 'mia', 'mended');
    await passMinute();
    await send(openProcess(), 'sorry', 6);
    await send(openProcess(), 'sorry', 3);
    expect(await paused()).toEqual([]);
    await send(openProcess(), 'sorry', 1);
    expect(await paused()).toEqual(['sorry']);
  });

  it('are no longer in a row when another process has written one', async () => {
    await resume(staffed.db, staffed.cache, 'sorry', 'mia', 'mended');
    await passMinute();
    await send(openProcess(), 'sorry', 9);
    await send(openProcess(), 'sorry', 1, 'A-1');
    await send(openProcess(), 'sorry', 9);
    expect(await paused()).toEqual([]);
    await send(openProcess(), 'sorry', 1);
    expect(await paused()).toEqual(['sorry']);
  });
});
