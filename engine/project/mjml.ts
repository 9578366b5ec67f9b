/**
 * Runs MJML in a thread of its own: it is loaded only where there is a mail in MJML (a second), bounded in time and memory, and
 * answers whoever waits for it, since checking a company's files is one synchronous step. Whoever waits hears no events, so a second
 * thread, which does nothing else, watches over the first and says when that has ended.
 */
import { createRequire } from 'node:module';
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { MjmlConverter, MjmlResult } from '../message/mjml.ts';

/** How far MJML may go. */
export interface MjmlLimits {
  /** A mail takes some 50 ms; the first waits for MJML to be loaded, on a busy machine for seconds. */
  readonly patienceMs: number;
  readonly memoryMb: number;
}

const LIMITS: MjmlLimits = { patienceMs: 60_000, memoryMb: 512 };
/** Mails whose HTML is kept, so that a release that is compiled again, and a file that is saved again, cost nothing. */
const KEPT = 500;

/** MJML reads `.mjmlconfig` of the working folder when it is loaded, and code that this names: here there is none. */
const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
process.cwd = () => '/nonexistent';
let core;
const load = () => {
  core = require(workerData.core);
  const preset = require(workerData.preset);
  core.assignComponents(core.components, preset.components);
  const validator = require(workerData.validator);
  validator.assignDependencies(validator.dependencies, preset.dependencies);
};
const convert = async (document) => {
  if (core === undefined) load();
  const { html, errors } = await core.default(document, { validationLevel: 'soft', ignoreIncludes: true });
  return { html, mistakes: errors.map(({ line, tagName, message }) => ({ line, tagName, message })) };
};
parentPort.on('message', async (document) => {
  let result;
  try {
    result = await convert(document);
  } catch (error) {
    result = { failure: String(error && error.message || error).slice(0, 500) };
  }
  parentPort.postMessage(result);
});
`;

/** One question at a time: whoever asks waits for the answer. */
const WATCH_SCRIPT = `
const { parentPort, workerData, Worker } = require('node:worker_threads');
const { script, memoryMb, ...data } = workerData;
let worker = null;
let asked = null;
const answer = (result) => {
  if (asked === null) return;
  const { port, signal } = asked;
  asked = null;
  port.postMessage(result);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
};
const ended = (started, failure) => {
  if (worker !== started) return;
  worker = null;
  answer({ failure });
};
const start = () => {
  const limits = { maxOldGenerationSizeMb: memoryMb };
  const started = new Worker(script, { eval: true, workerData: data, resourceLimits: limits });
  started.on('message', answer);
  started.on('error', (error) => {
    const isMemory = error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    ended(started, isMemory ? 'it needs more than ' + memoryMb + ' MB of memory' : 'its thread ended: ' + String(error).slice(0, 500));
  });
  started.on('exit', (code) => ended(started, 'its thread ended (exit code ' + code + ')'));
  return started;
};
parentPort.on('message', ({ document, signal, port }) => {
  asked = { signal, port };
  worker ??= start();
  worker.postMessage(document);
});
`;

/** Makes HTML of an MJML document, blocking this thread meanwhile. */
export const convertMjml: MjmlConverter = openMjml(LIMITS);

/** MJML within these limits. Its threads begin with the first mail, and do not keep a program from ending. */
export function openMjml(limits: MjmlLimits): MjmlConverter {
  const kept = new Map<string, MjmlResult>();
  let watch: Worker | null = null;
  return (document) => {
    const known = kept.get(document);
    if (known !== undefined) return known;
    watch ??= startWatch(limits);
    const result = ask(watch, document, limits);
    if (result === 'late') {
      void watch.terminate();
      watch = null;
      return { failure: `it took longer than ${limits.patienceMs / 1000} seconds` };
    }
    // What failed for want of time or memory may go well another time.
    if ('failure' in result) return result;
    if (kept.size >= KEPT) kept.clear();
    kept.set(document, result);
    return result;
  };
}

function ask(watch: Worker, document: string, { patienceMs }: MjmlLimits): MjmlResult | 'late' {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1: here, port2: there } = new MessageChannel();
  watch.postMessage({ document, signal, port: there }, [there]);
  try {
    return Atomics.wait(signal, 0, 0, patienceMs) === 'timed-out' ? 'late' : answerOn(here);
  } finally {
    here.close();
  }
}

function answerOn(port: MessagePort): MjmlResult {
  const answer: { readonly message: MjmlResult } | undefined = receiveMessageOnPort(port);
  if (answer === undefined) throw new Error('the thread that runs MJML said that it was done, and gave nothing');
  return answer.message;
}

function startWatch({ memoryMb }: MjmlLimits): Worker {
  const { resolve } = createRequire(import.meta.url);
  const workerData = {
    script: SCRIPT,
    memoryMb,
    core: resolve('mjml-core'),
    preset: resolve('mjml-preset-core'),
    validator: resolve('mjml-validator'),
  };
  const started = new Worker(WATCH_SCRIPT, { eval: true, workerData });
  started.unref();
  return started;
}
