/**
 * Ends a process whose event loop is blocked: it can neither work nor look at itself, so a thread of its own listens to its
 * heart. The thread counts beats and reads no clock, so a process that was stopped as a whole has missed nothing.
 */
import { Worker } from 'node:worker_threads';

/** A beat, and a look at it, this often within the limit. */
const BEATS = 12;
const MEMORY_MB = 16;

/** Runs in the thread. It writes the line itself: what writes the log is blocked as well. */
const SCRIPT = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const beats = new Int32Array(workerData.beats);
let last = -1;
let silent = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  silent = now === last ? silent + 1 : 0;
  last = now;
  if (silent < workerData.looks) return;
  const line = { level: 60, time: Date.now(), ...workerData.base, limitMs: workerData.limitMs, msg: workerData.message };
  try {
    writeSync(2, JSON.stringify(line) + '\\n');
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}, workerData.everyMs);
`;

const MESSAGE =
  'ended by the watchdog: the event loop has been blocked; what was open is found by the others, start it again';

/** Starts beating and listening; `base` is what every line of the log has. `stop` ends both. */
export function startHeartbeat(limitMs: number, base: Readonly<Record<string, unknown>>): { stop(): Promise<void> } {
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const everyMs = limitMs / BEATS;
  const heart = setInterval(() => Atomics.add(counter, 0, 1), everyMs);
  heart.unref();
  const listener = new Worker(SCRIPT, {
    eval: true,
    workerData: { beats, looks: BEATS, everyMs, limitMs, base, message: MESSAGE },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    // What traces or loads TypeScript in this process has nothing to do there.
    execArgv: [],
    env: {},
  });
  listener.unref();
  return {
    stop: async () => {
      clearInterval(heart);
      await listener.terminate();
    },
  };
}
