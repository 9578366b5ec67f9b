/** `perennial move`: everything into another database, such as from the embedded one to a server. */
import { Option, type Command } from 'commander';
import type pg from 'pg';
import { openConnection } from '../engine/store/database.ts';
import {
  cancelMove,
  MOVE_SESSION,
  moveDatabase,
  type CancelRequest,
  type MoveCancelled,
  type Moved,
} from '../engine/store/whole/move.ts';
import { ConfigError, readConfig, type Config } from '../workers/config.ts';
import { count } from './check/format.ts';
import { databaseName, serverName, withConnection } from './support/connection.ts';
import { databaseAway } from './support/database-away.ts';
import { actCommand, type ActOptions, type Answer } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { programVersion } from './support/version.ts';
import { answerOf } from './support/whole.ts';

interface Options extends ActOptions {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly cancel?: boolean;
  readonly targetGone?: boolean;
}

/** The command. Exit code 0 when all is in the new database (or would be), 1 when not, 2 when used wrongly. */
export function moveCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand('move', 'move everything into another, empty database, with the fleet stopped');
  return command
    .addOption(new Option('--to <url>', 'the new database, as DATABASE_URL will name it'))
    .option('--dry-run', 'copy everything as a trial and take it back')
    .option('--cancel', 'give up a move to --to that was cut short, where not all has arrived there')
    .option('--target-gone', 'with --cancel, instead of --to: that database is gone for good')
    .action(async (options: Options) => {
      const { to, cancel = false, targetGone = false } = options;
      if ((to === undefined) === !(cancel && targetGone) || (targetGone && !cancel)) {
        const message =
          'error: say where to with --to; with --cancel where it was to go, or --target-gone where that database is gone for good';
        command.error(message, { exitCode: 2 });
      }
      await answerOf(terminal, options, async () => (cancel ? giveUp(options, to ?? null) : move(options, to ?? '')));
    });
}

/** Opens the database that `--to` names. An answer: why that cannot be. */
async function withTarget(
  project: string,
  to: string,
  work: (url: string, into: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const { database } = readTarget(project, to);
  if (database.kind !== 'external')
    return { json: { outcome: 'no url' }, text: 'Nothing was done: --to names no database.\n', failed: true };
  let into: pg.Client;
  try {
    into = await openConnection(database.url, MOVE_SESSION);
  } catch (error) {
    const words = databaseAway(error, '--to');
    if (words === null) throw error;
    return { json: { outcome: 'no connection', message: words }, text: `Nothing was done. ${words}\n`, failed: true };
  }
  try {
    return await work(database.url, into);
  } finally {
    await into.end();
  }
}

/** The new URL is held to what DATABASE_URL is held to. @throws ConfigError that calls it `--to`. */
function readTarget(project: string, to: string): Config {
  try {
    return readConfig({ ...process.env, DATABASE_URL: to }, project);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.problems.map((problem) =>
        problem.variable === 'DATABASE_URL' ? { ...problem, variable: '--to' } : problem,
      ),
    );
  }
}

async function giveUp({ project, by, reason }: Options, to: string | null): Promise<Answer> {
  return withConnection(project, MOVE_SESSION, async ({ client }) => {
    const cancelled = async (target: CancelRequest['target']): Promise<Answer> =>
      givenUp(await cancelMove(client, { target, by, reason }));
    if (to === null) return cancelled('gone');
    return withTarget(project, to, async (url, into) => cancelled({ name: serverName(url), client: into }));
  });
}

function givenUp(cancelled: MoveCancelled): Answer {
  const failed = (text: string): Answer => ({ json: cancelled, text: `Nothing was done: ${text}\n`, failed: true });
  switch (cancelled.outcome) {
    case 'cancelled':
      return { json: cancelled, text: 'The move is given up: a fleet may start here again.\n' };
    case 'no move':
      return { json: cancelled, text: 'No move is under way here.\n', failed: true };
    case 'other target':
      return failed(`${otherTarget(cancelled.to)} Name that one, or say --target-gone where it is gone for good.`);
    case 'arrived':
      return failed(
        'all has arrived there, and a fleet may start on it. The same "perennial move" without --cancel finishes the move. ' +
          'To stay here, see that no fleet has worked there, drop that database, and say --cancel --target-gone.',
      );
    case 'at work':
      return failed(`${cancelled.signs.join(', ')}. Wait for it, or end it.`);
  }
}

function otherTarget(to: string | null): string {
  return `a move to ${to ?? 'another database'} was cut short, and all may be there already.`;
}

async function move({ project, by, reason, dryRun = false }: Options, to: string): Promise<Answer> {
  return withConnection(project, MOVE_SESSION, async ({ client, config }) =>
    withTarget(project, to, async (url, into) => {
      const names = { from: databaseName(config), to: serverName(url) };
      const moved = await moveDatabase(client, into, { ...names, version: await programVersion(), by, reason, dryRun });
      return described(moved, names, config);
    }),
  );
}

interface Names {
  readonly from: string;
  readonly to: string;
}

function described(moved: Moved, names: Names, config: Config): Answer {
  const json = { ...moved, ...names };
  switch (moved.outcome) {
    case 'at work': {
      const signs = moved.signs.map((sign) => `  - ${sign}\n`).join('');
      const text = `Nothing was done: a fleet works on ${names.from}.\n${signs}Stop all of its processes (SIGTERM drains them), and try again.\n`;
      return { json, text, failed: true };
    }
    case 'same database':
      return { json, text: 'Nothing was done: --to is the database that everything is in already.\n', failed: true };
    case 'not recovered':
      return {
        json,
        text: 'Nothing was done: this database was restored from a backup. Run "perennial recovered" first.\n',
        failed: true,
      };
    case 'moved before':
      return {
        json,
        text: `Nothing was done: everything was moved from here to ${moved.to ?? 'another database'} before.\n`,
        failed: true,
      };
    case 'other target': {
      const text =
        `Nothing was done: ${otherTarget(moved.to)} Two fleets would send every mail twice. ` +
        'Finish it with the same --to, or give it up with --cancel and that --to first.\n';
      return { json: { ...json, to: moved.to }, text, failed: true };
    }
    case 'completed':
      return {
        json,
        text: `All had arrived in ${names.to} before that move was cut short: now it is done.\n${nextSteps(config)}`,
      };
    case 'moved': {
      const rows = count(
        Object.values(moved.rows).reduce((sum, table) => sum + table, 0),
        'row',
      );
      const text = moved.dryRun
        ? `Dry run, nothing was changed: ${rows} went from ${names.from} into ${names.to} and were taken back.\n`
        : `Moved ${rows} from ${names.from} to ${names.to}, counted on both sides.\nWhat was left behind stays as it is, and no fleet starts on it any more.\n${nextSteps(config)}`;
      return { json, text };
    }
  }
}

/** What the embedded database brought along by itself, and a server does not. */
function nextSteps({ database, writeKey }: Config): string {
  if (database.kind === 'external')
    return 'Next: set DATABASE_URL to the new database for every process, and start the fleet.\n';
  return [
    'Next, for every process:',
    '  export DATABASE_URL=…                                        # the new database',
    ...(writeKey === null
      ? ['  export PERENNIAL_WRITE_KEY="$(cat .perennial/write-key)"      # the key that your shop has']
      : []),
    '  export PERENNIAL_PUBLIC_URL=https://…                        # where readers reach the role "public"',
    'Keys of DKIM stay in .perennial/dkim, or go into PERENNIAL_DKIM_KEYS. Files are followed no more: "perennial deploy" changes what runs.',
    '',
  ].join('\n');
}
