import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { ComposedMail } from '../../engine/message/compose.ts';
import { compileTemplates } from '../../engine/message/templates.ts';
import { advance } from '../../engine/store/advance.ts';
import { openReleaseCache } from '../../engine/store/context.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import type { Transport } from '../../engine/mail/transport.ts';
import { claimSizeFor } from '../../workers/claim-size.ts';
import { deliver } from '../../workers/delivering.ts';
import { openMetrics } from '../../workers/monitoring/metrics.ts';
import { openDeliveryMeter } from '../../workers/monitoring/meter.ts';
import { openPacing } from '../../workers/pacing.ts';
import { openRenderErrors } from '../../workers/render-errors.ts';
import { openRoom } from '../../workers/room.ts';
import { openSettling } from '../../workers/settling.ts';
import { compileSources, COMPANY, openStaffed, type Staffed } from '../support/staff.ts';

const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/sorry.yaml': 'topic: service\ntrigger: { manual: true }\nsteps:\n  - email: sorry\n',
  'templates/sorry.hbs': 'Sorry',
};

let staffed: Staffed;
beforeAll(async () => {
  staffed = await openStaffed('2026-03-02T12:00:00Z');
  await staffed.deploy(FILES);
});
afterAll(async () => {
  await staffed.close();
});

describe('a mail that cannot be composed for a reason nobody foresaw', () => {
  it('is held with its error instead of being claimed for ever', async () => {
    const [id = 0] = await staffed.customers(['ada']);
    const { db } = staffed;
    const by = { by: 'mia', reason: 'test', vars: {}, dryRun: false };
    await triggerPlaybook(db, staffed.cache, { customer: 'ada', playbook: 'sorry', ...by });
    await advance(db, staffed.cache, [id]);
    // A release that lost its templates is no error of rendering: it is a bug.
    const cache = openReleaseCache((sources) => ({
      ...compileSources(sources),
      templates: compileTemplates([]).templates,
    }));
    const logged: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
    const hints = { send: async () => true };
    const settling = openSettling({ db, cache, hints, log, onSettled: () => undefined });
    const transport: Transport = {
      server: 'sink.test:25',
      conversations: 0,
      isServersTurn: false,
      deliver: () => Promise.reject(new Error('nothing may be delivered')),
      verify: async () => undefined,
      stop: () => undefined,
      close: async () => undefined,
    };
    const parts = {
      db,
      cache,
      hints,
      handOver: { handOver: async () => false, accepted: async () => undefined, close: async () => undefined },
      holding: { claimed: () => undefined, begin: () => undefined, end: () => undefined, close: async () => undefined },
      settling,
      transports: { transactional: transport, bulk: transport },
      claimSize: claimSizeFor(1, 1),
      room: openRoom(1),
      desk: openRoom(1),
      pacing: openPacing({ db, log }),
      isDraining: () => false,
      links: null,
      provider: null,
      key: { id: 1, secret: new Uint8Array(32) },
      signer: { sign: async (mail: ComposedMail) => ({ kind: 'ready' as const, mail }) },
      renderErrors: openRenderErrors(db, log),
      meter: openDeliveryMeter(openMetrics(), 'smtp', () => undefined),
      log,
    };
    expect(await deliver(parts, 'transactional', [id])).toBe(1);
    expect(await staffed.rows('select status, held_error from sends')).toEqual([
      { status: 'planned', held_error: 'the release has no template "sorry"' },
    ]);
    expect(await deliver(parts, 'transactional', [id])).toBe(0);
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged[0]?.['err'])).toContain('composeSend');
  });
});
