/** The parts of one deliver worker that sends one mail at a time, for tests of what it does with the server's words. */
import type { Logger } from 'pino';
import type { ComposedMail } from '../../engine/message/compose.ts';
import type { Transport } from '../../engine/mail/transport.ts';
import type { ReleaseCache } from '../../engine/store/context.ts';
import type { Database } from '../../engine/store/database.ts';
import type { HandOver } from '../../engine/store/hand.ts';
import { claimSizeFor } from '../../workers/claim-size.ts';
import type { DeliveryParts } from '../../workers/delivering.ts';
import { openMetrics } from '../../workers/monitoring/metrics.ts';
import { openDeliveryMeter } from '../../workers/monitoring/meter.ts';
import { openPacing } from '../../workers/pacing.ts';
import { openRenderErrors } from '../../workers/render-errors.ts';
import { openRoom } from '../../workers/room.ts';
import { openSettling } from '../../workers/settling.ts';

/** Opens them; hints go nowhere, hand-overs are not renewed, mails are not signed. */
export function deliveryParts(of: {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly transport: Transport;
  readonly handOver: HandOver;
  readonly log: Logger;
}): DeliveryParts {
  const { db, cache, transport, handOver, log } = of;
  const hints = { send: async () => true };
  return {
    db,
    cache,
    hints,
    handOver,
    holding: { claimed: () => undefined, begin: () => undefined, end: () => undefined, close: async () => undefined },
    settling: openSettling({ db, cache, hints, log, onSettled: () => undefined }),
    transports: { transactional: transport, bulk: transport },
    claimSize: claimSizeFor(1, 1),
    room: openRoom(1),
    desk: openRoom(1),
    isDraining: () => false,
    links: null,
    provider: null,
    key: { id: 1, secret: new Uint8Array(32) },
    signer: { sign: async (mail: ComposedMail) => ({ kind: 'ready' as const, mail }) },
    pacing: openPacing({ db, log }),
    renderErrors: openRenderErrors(db, log),
    meter: openDeliveryMeter(openMetrics(), 'smtp', () => undefined),
    log,
  };
}
