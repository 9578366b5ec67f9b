/** `perennial move`: everything into another database, such as from the embedded one to a server. */
import { Option, type Command } from 'commander';
import { openConnection } from '../engine/store/database.ts';
import { asQueryable } from '../engine/store/whole/fill-database.ts';
import { cancelMove, moveDatabase, type Moved } from '../engine/store/whole/move.ts';
import { readConfig, type Config } from '../workers/config.ts';
import { count } from './check/format.ts';
import { databaseName, serverName, withConnection } from './support/connection.ts';
import { actCommand, type ActOptions, type Answer } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { programVersion } from './support/version.ts';
import { answerOf } from './support/whole.ts';

interface Options extends ActOptions {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly cancel?: boolean;
}

/** The command. Exit code 0 when all is in the new database (or would be), 1 when not, 2 when used wrongly. */
export function moveCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand('move', 'move everything into another, empty database, with the fleet stopped');
  return command
    .addOption(new Option('--to <url>', 'the new database, as DATABASE_URL will name it'))
    .option('--dry-run', 'copy everything as a trial and take it back')
    .option('--cancel', 'give up a move that was cut short; only where nothing works on the new database')
    .action(async (options: Options) => {
      if ((options.to === undefined) === (options.cancel !== true)) {
        command.error('error: say where to with --to, or --cancel: exactly one of the two', { exitCode: 2 });
      }
      await answerOf(terminal, options, async () =>
        options.to === undefined ? cancel(options) : move(options, options.to),
      );
    });
}

async function cancel({ project, by, reason }: Options): Promise<Answer> {
  return withConnection(project, 'perennial move', async ({ client }) => {
    const cancelled = await cancelMove(asQueryable(client), by, reason);
    const text = cancelled ? 'The move is given up: a fleet may start here again.\n' : 'No move is under way here.\n';
    return { json: { outcome: cancelled ? 'cancelled' : 'no move' }, text, failed: !cancelled };
  });
}

async function move({ project, by, reason, dryRun = false }: Options, to: string): Promise<Answer> {
  // The new URL is held to what DATABASE_URL is held to.
  const target = readConfig({ ...process.env, DATABASE_URL: to }, project);
  if (target.database.kind !== 'external')
    return { json: { outcome: 'no url' }, text: 'Nothing was done: --to names no database.\n', failed: true };
  const { url } = target.database;
  return withConnection(project, 'perennial move', async ({ client, config }) => {
    const into = await openConnection(url, 'perennial move');
    try {
      const names = { from: databaseName(config), to: serverName(url) };
      const moved = await moveDatabase(client, into, { ...names, version: await programVersion(), by, reason, dryRun });
      return described(moved, names, config);
    } finally {
      await into.end();
    }
  });
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
