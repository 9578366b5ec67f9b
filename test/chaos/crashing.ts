/**
 * The main file of a worker that kills itself at a named point of the protocol: the parts of the real one, put together
 * with somebody who looks on. Arguments: what to do, as JSON, and the company folder.
 */
import process from 'node:process';
import type { Transport } from '../../engine/mail/transport.ts';
import type { HintQueue } from '../../engine/queue/queue.ts';
import { readConfig } from '../../workers/config.ts';
import { startFleet } from '../../workers/fleet.ts';
import { openLog } from '../../workers/log.ts';
import { openOutgoing } from '../../workers/outgoing.ts';
import { openParts } from '../../workers/parts.ts';
import type { Crash, CrashPoint } from './crash.ts';

const [order = '{}', folder = ''] = process.argv.slice(2);
const crash = JSON.parse(order) as Crash;
let passes = 0;

/** The process is here; the last time it may be. */
function pass(point: CrashPoint): void {
  if (point !== crash.point) return;
  passes += 1;
  if (passes >= crash.atPass) process.kill(process.pid, 'SIGKILL');
}

/** Only what concerns that customer counts, if one is named. */
function isMeant(to: string): boolean {
  return crash.address === undefined || to === crash.address;
}

function watchTransport(transport: Transport): Transport {
  return {
    get server() {
      return transport.server;
    },
    get conversations() {
      return transport.conversations;
    },
    get isServersTurn() {
      return transport.isServersTurn;
    },
    verify: async () => transport.verify(),
    stop: () => transport.stop(),
    close: async () => transport.close(),
    deliver: async (mail, handOver) => {
      const meant = isMeant(mail.envelope.to);
      if (meant) pass('after-claim');
      const outcome = await transport.deliver(mail, async () => {
        const handed = await handOver();
        // What is left of the message is written as soon as this resolves; of one that was handed over ahead, at its turn.
        if (handed && meant) setImmediate(pass, 'after-last-byte');
        return handed;
      });
      if (outcome.kind === 'accepted' && meant) {
        pass('after-250');
        accepted += 1;
      }
      return outcome;
    },
  };
}

/** Accepted mails that count and whose outcome may not be recorded yet. */
let accepted = 0;

function watchQueue(queue: HintQueue): HintQueue {
  return {
    outstanding: async (lane) => queue.outstanding(lane),
    close: async () => queue.close(),
    hint: async (lane, ids) => {
      pass('before-enqueueing');
      return queue.hint(lane, ids);
    },
    work: (lane, handler, options) => queue.work(lane, handler, options),
  };
}

const config = readConfig(process.env, folder);
const log = openLog({ level: 'info', name: 'crashing' });
const parts = await openParts(config, log);
const { transports } = await openOutgoing(parts);
const watched = { transactional: watchTransport(transports.transactional), bulk: watchTransport(transports.bulk) };
startFleet({ ...parts, queue: watchQueue(parts.queue) }, ['advance', 'deliver'], watched, {
  onClaiming: (ids) => {
    if (crash.customer === undefined || ids.includes(crash.customer)) pass('before-claim');
  },
  onSettling: () => {
    if (accepted > 0) pass('before-recording');
  },
});
log.info('running');
