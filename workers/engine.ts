/** A whole engine in one process: the parts, the ways out, the roles, and the watch over the company's files. */
import { ProjectError } from '../engine/project/read.ts';
import { checkProject } from '../engine/project/check.ts';
import { watchProject, type ProjectWatch } from '../engine/project/watch.ts';
import { StoreError } from '../engine/store/errors.ts';
import { deployRelease, type Deployed } from '../engine/store/releases.ts';
import type { Problem, SourceFile } from '../engine/playbook/problem.ts';
import type { Config } from './config.ts';
import { closeEach, type Closer } from './closing.ts';
import { startFleet, type Fleet, type Role } from './fleet.ts';
import { errorFields, type Logger } from './log.ts';
import { openOutgoing, type Outgoing } from './outgoing.ts';
import { compileSources, openParts, type Parts } from './parts.ts';
import { notesFor, requireSettings } from './needs.ts';
import { requireDkimKeys } from './signing.ts';
import { openMonitor, type Monitor, type WatchOptions } from './monitoring/open.ts';
import { startPublic, type PublicServer } from './public.ts';

/** An engine that runs. */
export interface Engine {
  readonly parts: Parts;
  readonly fleet: Fleet;
  /** Of the public server; null without that role. */
  readonly publicUrl: string | null;
  /** Where this process tells how it is; null when it is not watched. */
  readonly monitorUrl: string | null;
  /** What a person should know about this start, a sentence each. */
  readonly notes: readonly string[];
  /** Drains and closes; twice is once. @throws CloseError when something could not be ended; all was tried. */
  close(): Promise<void>;
}

/** How to start. */
export interface EngineOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly roles: readonly Role[];
  /** Deploys the company's files at the start and whenever they change. Only for an embedded database. */
  readonly followFiles: boolean;
  /** Serves health and metrics, and ends the process when it is stuck. Default: neither. */
  readonly watch?: Omit<WatchOptions, 'roles'>;
  /** Told of mistakes in the files; the engine goes on with the release it has. */
  readonly onProblems?: (problems: readonly Problem[], sources: readonly SourceFile[]) => void;
}

/** The company's files have mistakes and nothing has been deployed before, so there is nothing to run. */
export class NothingToRun extends Error {
  override readonly name = 'NothingToRun';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('The company files have mistakes, and no earlier release is deployed: mend them and start again.');
    this.problems = problems;
  }
}

/** Starts an engine. What was opened is closed again when something fails on the way. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { config, log, roles } = options;
  const closers: Closer[] = [];
  let monitor: Monitor | null = null;
  const closeAll = async (): Promise<void> => {
    monitor?.is('draining');
    await closeEach(closers.splice(0).reverse(), log);
  };
  try {
    const parts = await openParts(config, log);
    closers.push({ what: 'the database and the queue', close: parts.close });
    if (options.watch !== undefined) {
      const opened = (monitor = await openMonitor(parts, { ...options.watch, roles }));
      closers.push({ what: 'the watch over this process', close: async () => opened.close() });
    }
    if (options.followFiles) {
      closers.push({ what: 'the watch over the files', close: await followFiles(parts, options) });
    }
    const settings = roles.includes('deliver') ? await settingsFor(parts) : [];
    const outgoing = roles.includes('deliver') ? await openOutgoing(parts) : null;
    if (outgoing !== null) closers.push({ what: 'the ways out of mail', close: outgoing.close });
    const fleet = openFleet(parts, roles, outgoing);
    closers.push({ what: 'the fleet', close: fleet.close });
    const watching = monitor?.watch(fleet.activity);
    // A process that drains has a limit of its own.
    if (watching !== undefined) closers.push({ what: 'the watch over its work', close: async () => watching.stop() });
    const server = roles.includes('public') ? await openPublic(parts, fleet) : null;
    if (server !== null) closers.push({ what: 'the public server', close: async () => server.close() });
    const notes = [...(outgoing?.notes ?? []), ...settings];
    monitor?.is('running');
    const urls = { publicUrl: server?.url ?? null, monitorUrl: monitor?.url ?? null };
    return { parts, fleet, ...urls, notes, close: closeAll };
  } catch (error) {
    // What could not be closed is in the log; why it did not start is what matters.
    await closeAll().catch(() => undefined);
    throw error;
  }
}

function openFleet(parts: Parts, roles: readonly Role[], outgoing: Outgoing | null): Fleet {
  const ofFleet = roles.filter((role) => role !== 'public');
  return startFleet(parts, ofFleet, outgoing?.transports ?? null);
}

async function openPublic(parts: Parts, fleet: Fleet): Promise<PublicServer> {
  const { db, cache, config, metrics, log } = parts;
  return startPublic({ db, cache, hints: fleet.hints, config, metrics, log });
}

function warnOfRefusal(
  { needed, leftBehind }: Extract<Deployed, { readonly outcome: 'refused' }>,
  log: Parts['log'],
): void {
  if (needed.length > 0) {
    const templates = needed.map(({ template, playbook }) => `${template} (${playbook})`).join(', ');
    log.warn({ needed: templates }, 'not deployed: customers under way still need templates that are gone');
  }
  for (const { playbook, step, because, enrolments } of leftBehind) {
    const what = because === 'gone' ? 'gone' : 'another kind of step now';
    log.warn(
      { playbook, step, enrolments },
      `not deployed: customers to be moved stand on a step that is ${what}; "perennial plan" says what can be done`,
    );
  }
}

/** Deploys the files as they are, then again after each change, until closed. */
async function followFiles(parts: Parts, options: EngineOptions): Promise<() => Promise<void>> {
  const { log, config } = parts;
  let hasMistakes = false;
  const deploy = async (): Promise<readonly Problem[]> => {
    const { release, problems, sources } = await checkProject(config.projectDir);
    if (problems.length > 0) options.onProblems?.(problems, sources);
    if (release === null) {
      // Before there is one, the start itself says so and ends.
      const current = await currentRelease(parts);
      if (current !== null) log.warn({ release: current.slice(0, 12) }, 'not deployed: the earlier release goes on');
      hasMistakes = true;
      return problems;
    }
    const note = { author: 'file watcher', note: null, gitCommit: null };
    const deployed = await deployRelease(parts.db, compileSources, sources, note);
    if (deployed.outcome === 'refused') {
      warnOfRefusal(deployed, log);
    } else if (deployed.changed) {
      const { releaseId, added, altered, removed } = deployed;
      log.info({ release: releaseId.slice(0, 12), added, altered, removed }, 'deployed');
    } else if (hasMistakes) {
      log.info({ release: deployed.releaseId.slice(0, 12) }, 'all is well again: the files are the release that runs');
    }
    hasMistakes = false;
    return [];
  };
  const problems = await deploy();
  if (problems.length > 0 && (await currentRelease(parts)) === null) throw new NothingToRun(problems);
  const watch: ProjectWatch = await watchProject(config.projectDir, {
    onChange: async () => {
      try {
        await deploy();
      } catch (error) {
        // The folder is gone for a moment while a checkout or an editor replaces it.
        if (!(error instanceof ProjectError)) throw error;
        log.warn(errorFields(error), 'the company files cannot be read; the release goes on');
      }
    },
    onError: (error) => {
      log.error(errorFields(error), 'the company files are not followed any more: restart to follow them again');
    },
  });
  return async () => {
    watch.close();
    await Promise.resolve();
  };
}

/** Notes on what is not set. @throws ConfigError when what runs needs a setting that is missing. */
async function settingsFor({ cache, db, config, log }: Parts): Promise<readonly string[]> {
  try {
    const { release } = await cache.context(db);
    requireSettings(release, config);
    if (config.smtpUrl !== null) await requireDkimKeys(release.company, config);
    return notesFor(release, config);
  } catch (error) {
    // No release yet, or one that does not compile: whoever works on it says so.
    if (!(error instanceof StoreError)) throw error;
    log.debug(errorFields(error), 'what the release needs is not known yet');
    return [];
  }
}

async function currentRelease(parts: Parts): Promise<string | null> {
  const { rows } = await parts.db.query<{ release_id: string | null }>('select release_id from engine');
  return rows[0]?.release_id ?? null;
}
