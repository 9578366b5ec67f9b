/** `perennial start` and `perennial work`: the engine, whole or in part, until it is told to stop. */
import { Command, InvalidArgumentError } from 'commander';
import { CloseError } from '../workers/closing.ts';
import { readConfig, type Config } from '../workers/config.ts';
import { NothingToRun, startEngine, type Engine } from '../workers/engine.ts';
import { ROLES, type Role } from '../workers/fleet.ts';
import { errorFields, openLog, type Logger } from '../workers/log.ts';
import { within } from '../workers/monitoring/within.ts';
import { noteStart } from '../workers/start-file.ts';
import { formatProblems } from './check/format.ts';

/** A process manager kills after this long; what is not drained by then is found by the others. */
const DRAIN_MS = 30_000;
/** Within what is left until a kill, which docs/operations.md says comes after 35 s. */
const ABANDON_MS = 4_000;
/**
 * Between everything being closed and the end of the process there is nothing left to wait for, but for ioredis: it keeps
 * the process for 2 s after each look at a Sentinel.
 */
const LEFT_OPEN_MS = 4_000;

/** sysexits.h: an error within the program. */
const STUCK_EXIT = 70;

interface Options {
  readonly project: string;
  readonly metricsPort?: number;
  readonly roles: readonly Role[];
}

/** `perennial start`: all roles in one process. */
export function startCommand(version: string): Command {
  return runningCommand('start', 'run the engine: scheduler, workers and intake in one process').action(
    async (options: Omit<Options, 'roles'>) => run({ ...options, roles: ROLES }, version),
  );
}

/** `perennial work --roles …`: one process of a fleet. */
export function workCommand(version: string): Command {
  return runningCommand('work', 'run some roles of the engine, as one process of a fleet')
    .requiredOption('--roles <list>', `which, parted by commas: ${ROLES.join(', ')}`, parseRoles)
    .action(async (options: Options) => run(options, version));
}

function runningCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--project <dir>', 'the company folder', '.')
    .option('--metrics-port <port>', 'serve /healthz, /readyz and /metrics there; 0 for any free port', parsePort);
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a whole number from 0 to 65535.');
}

function parseRoles(text: string): readonly Role[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is no role. Expected some of: ${ROLES.join(', ')}.`);
  }
  return ROLES.filter((role) => names.includes(role));
}

async function run({ project, roles, metricsPort }: Options, version: string): Promise<void> {
  const read = readConfig(process.env, project);
  const config = metricsPort === undefined ? read : { ...read, metricsPort };
  const isWhole = roles.length === ROLES.length;
  // With a database of their own, companies run as many as they like, on as many machines.
  if (!isWhole || config.database.kind !== 'embedded') return runEngine(config, roles, version);
  const forget = await noteStart(config.projectDir);
  try {
    await runEngine(config, roles, version);
  } finally {
    await forget();
  }
}

async function runEngine(config: Config, roles: readonly Role[], version: string): Promise<void> {
  const log = openLog({ level: config.logLevel, name: roles.length === ROLES.length ? 'start' : roles.join('+') });
  const stop = stopSignal();
  const followFiles = config.database.kind === 'embedded';
  let engine: Engine;
  try {
    engine = await startEngine({
      config,
      log,
      roles,
      followFiles,
      watch: {
        version,
        onStuck: (stuck) => {
          log.fatal(
            { ...stuck, limitMs: config.watchdogMs },
            'ended by the watchdog: it has work and does nothing; what was open is found by the others, start it again',
          );
          process.exit(STUCK_EXIT);
        },
      },
      onProblems: (problems, sources) => {
        process.stderr.write(formatProblems(problems, { colour: process.stderr.isTTY, sources }));
      },
    });
  } catch (error) {
    if (!(error instanceof NothingToRun)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  for (const note of engine.notes) log.info(note);
  log.info({ roles, files: followFiles ? 'followed' : 'by "perennial deploy" only' }, 'running');
  const signal = await stop;
  log.info({ signal }, 'draining: what runs is finished, nothing new begins');
  const deadline = setTimeout(() => {
    log.warn({ afterMs: DRAIN_MS }, 'not drained in time; the others will find what is left');
    void abandon(engine, log).finally(() => process.exit(1));
  }, DRAIN_MS);
  try {
    await engine.close();
    log.info('stopped');
  } catch (error) {
    // Each of its errors is in the log already.
    if (!(error instanceof CloseError)) throw error;
    log.error({ error: error.message }, 'stopped, but not in order');
    process.exitCode = 1;
  } finally {
    clearTimeout(deadline);
  }
  // Whatever keeps the process is a mistake, but one that must not keep the machine from going down.
  setTimeout(() => {
    log.error({ open: process.getActiveResourcesInfo() }, 'stopped, but something was left open: please report it');
    process.exit();
  }, LEFT_OPEN_MS).unref();
}

/** An embedded PostgreSQL would outlive the process; whoever starts next finds one that could not be stopped, and takes it over. */
async function abandon({ parts }: Engine, log: Logger): Promise<void> {
  try {
    await within(ABANDON_MS, parts.abandon());
  } catch (error) {
    log.warn(errorFields(error), 'the embedded PostgreSQL may still run; the next start takes it over');
  }
}

/** The first signal begins to drain; a second one ends at once. */
async function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(130);
        stopping = true;
        resolve(signal);
      });
    }
  });
}
