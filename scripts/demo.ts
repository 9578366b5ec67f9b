/** `perennial demo`: a year of the sample company through the real pipeline. */
import path from 'node:path';
import { Command } from 'commander';
import { listInbox } from '../engine/mail/inbox/store.ts';
import { startOfDay } from '../engine/time/local.ts';
import { formatInstant, parseLocalDate } from '../engine/time/text.ts';
import type { Instant } from '../engine/time/types.ts';
import { zone } from '../engine/time/zone.ts';
import { setSteppedClock } from '../workers/clock.ts';
import { readConfig, type Config } from '../workers/config.ts';
import { openEmbeddedPostgres } from '../workers/embedded/open.ts';
import { startEngine, type Engine } from '../workers/engine.ts';
import { openLog, type Logger } from '../workers/log.ts';
import { inboxDir, openConfiguredDatabase } from '../workers/parts.ts';
import { replay } from '../workers/replay.ts';
import { emptyDatabase, makeDemoCompany } from './demo/company.ts';
import { loadSample } from './demo/load.ts';
import { openProgress } from './demo/progress.ts';
import { formatSummary, readSummary } from './demo/summary.ts';
import { findPackageRoot } from './init/package-root.ts';
import { generateSample } from './sample/generate.ts';

const CUSTOMERS = 300;
const SEED = 7;

interface Options {
  readonly project: string;
}

/** The command. Exit code 0 only when no mail is in doubt and nothing is held. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('replay a year of 300 sample customers through the real engine, mails into a local inbox')
    .option('--project <dir>', 'where it runs; made anew each time', path.join('.perennial', 'demo'))
    .action(async ({ project: dir }: Options) => {
      // A demonstration touches nobody's servers, whatever the environment says.
      const config = readConfig({ PERENNIAL_PUBLIC_PORT: '0' }, dir);
      const log = openLog({ level: 'warn', name: 'demo' });
      const startedMs = performance.now();
      const stopped = await demonstrate(config, log, dir, startedMs);
      if (!stopped) process.exitCode = 1;
    });
}

async function demonstrate(config: Config, log: Logger, dir: string, startedMs: number): Promise<boolean> {
  const say = (text: string): boolean => process.stdout.write(`${text}\n`);
  say('Perennial demo: Hearth & Home, a sample company with made-up customers.');
  await makeDemoCompany(await findPackageRoot(import.meta.dirname), config.projectDir, inboxDir(config));
  const embedded = await openEmbeddedPostgres({ projectDir: config.projectDir, log });
  try {
    await emptyDatabase(embedded.url);
    const { from, until } = period();
    await standClockAt(config, log, from);
    const roles = ['scheduler', 'advance', 'deliver'] as const;
    const engine = await startEngine({ config, log, roles, followFiles: true });
    try {
      say('Started: PostgreSQL, the queue, scheduler and workers, a local SMTP inbox. Deployed: the sample playbooks.');
      await replayYear(engine, from, until);
      const summary = await readSummary(engine.parts.db);
      say(formatSummary(summary, (performance.now() - startedMs) / 1_000));
      say(await howToRead(inboxDir(config), dir));
      return summary.unknown === 0 && summary.held === 0;
    } finally {
      await engine.close();
    }
  } finally {
    await embedded.close();
  }
}

/** The demonstration's year begins before anything is deployed: triggers look forward from there. */
async function standClockAt(config: Config, log: Logger, from: Instant): Promise<void> {
  const { db, close } = await openConfiguredDatabase(config, log, { max: 1, name: 'perennial demo' });
  try {
    await setSteppedClock(db, from);
  } finally {
    await close();
  }
}

function period(): { readonly from: Instant; readonly until: Instant } {
  const home = zone('Europe/London');
  if (home === null) throw new Error('this machine does not know the zone Europe/London');
  const at = (text: string): Instant => startOfDay(parseLocalDate(text), home);
  return { from: at('2026-01-01'), until: at('2027-01-01') };
}

async function replayYear(engine: Engine, from: Instant, until: Instant): Promise<void> {
  const { parts, fleet } = engine;
  const sample = generateSample({ seed: SEED, customers: CUSTOMERS, from, until });
  const { customers, history, events } = await loadSample(parts, sample, from);
  process.stdout.write(
    `Taken in: ${customers} customers, ${history} earlier events. Replaying ${events.length} events of 2026:\n`,
  );
  const progress = openProgress({ db: parts.db, from, until });
  try {
    await replay({ parts, fleet, events, from, until, onStep: progress.at });
  } finally {
    await progress.close();
  }
}

async function howToRead(inbox: string, dir: string): Promise<string> {
  const mails = await listInbox(inbox);
  const worthReading = mails.findLast((mail) => mail.playbook === 'first-order-anniversary') ?? mails.at(-1);
  if (worthReading === undefined) return 'The inbox is empty.';
  const at = worthReading.at === null ? '' : ` of ${formatInstant(Date.parse(worthReading.at)).slice(0, 10)}`;
  return `Read a mail ("${worthReading.subject}"${at}):\n\n  npm run perennial -- inbox show ${worthReading.number} --project ${dir}\n`;
}
