/** A process whose event loop is blocked as soon as it has said that it runs: for the test of the ear at it. */
import { startHeartbeat } from '../../workers/monitoring/heartbeat.ts';

startHeartbeat(Number(process.argv[2]), { process: 'blocked', pid: process.pid });
process.stdout.write('running\n', () => {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
});
