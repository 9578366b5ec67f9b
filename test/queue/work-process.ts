// Works on a lane; says when a job has begun, and never ends it.
import process from 'node:process';
import { pino } from 'pino';
import { openQueue, type QueueLocation } from '../../engine/queue/queue.ts';

const [location = ''] = process.argv.slice(2);
const backend = JSON.parse(location) as QueueLocation;
const queue = await openQueue({ backend, log: pino({ level: 'silent' }), lockMs: 500 });
queue.work(
  'bulk',
  (ids) => {
    process.stdout.write(`${ids.join(',')}\n`);
    return new Promise(() => undefined);
  },
  { concurrency: 1 },
);
process.stdout.write('working\n');
process.stdin.once('end', () => process.exit(0)).resume();
