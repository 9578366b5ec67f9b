/**
 * Runs MJML in a thread of its own: it is loaded only where there is a mail in MJML (a second), bounded in time and memory, and
 * answers whoever waits for it, since checking a company's files is one synchronous step.
 */
import { createRequire } from 'node:module';
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { MjmlResult } from '../message/mjml.ts';

/** A mail takes some 50 ms; the first waits for MJML to be loaded, on a busy machine for seconds. */
const PATIENCE_MS = 60_000;
const MEMORY_MB = 512;
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
parentPort.on('message', async ({ document, signal, port }) => {
  let result;
  try {
    result = await convert(document);
  } catch (error) {
    result = { failure: String(error && error.message || error).slice(0, 500) };
  }
  port.postMessage(result);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});
`;

let worker: Worker | null = null;
const kept = new Map<string, MjmlResult>();

/** Makes HTML of an MJML document, blocking this thread meanwhile. */
export function convertMjml(document: string): MjmlResult {
  const known = kept.get(document);
  if (known !== undefined) return known;
  const result = ask(document);
  if (kept.size >= KEPT) kept.clear();
  kept.set(document, result);
  return result;
}

function ask(document: string): MjmlResult {
  worker ??= startWorker();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1: here, port2: there } = new MessageChannel();
  worker.postMessage({ document, signal, port: there }, [there]);
  try {
    if (Atomics.wait(signal, 0, 0, PATIENCE_MS) === 'timed-out') {
      stopWorker();
      return { failure: `it took longer than ${PATIENCE_MS / 1000} seconds` };
    }
    return answerOn(here);
  } finally {
    here.close();
  }
}

function answerOn(port: MessagePort): MjmlResult {
  const answer: { readonly message: MjmlResult } | undefined = receiveMessageOnPort(port);
  if (answer === undefined) throw new Error('the thread that runs MJML said that it was done, and gave nothing');
  return answer.message;
}

function startWorker(): Worker {
  const { resolve } = createRequire(import.meta.url);
  const workerData = {
    core: resolve('mjml-core'),
    preset: resolve('mjml-preset-core'),
    validator: resolve('mjml-validator'),
  };
  const started = new Worker(SCRIPT, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB } });
  // It must not keep a command from ending.
  started.unref();
  // Whoever waits for its answer is told by the time that passes; the next one gets a new thread.
  started.on('error', () => {
    if (worker === started) worker = null;
  });
  return started;
}

function stopWorker(): void {
  void worker?.terminate();
  worker = null;
}
