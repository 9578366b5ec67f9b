/** `perennial recovered`: going on with a database that was restored from a backup, so that nothing goes out twice. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { DoubtPolicy } from '../engine/store/restored.ts';
import { recover, type InDoubt, type Recovered } from '../engine/store/recovered.ts';
import { parseInstant, TimeSyntaxError } from '../engine/time/text.ts';
import type { Instant } from '../engine/time/types.ts';
import { count } from './check/format.ts';
import { actCommand, answer, type ActOptions, type Answer } from './support/staff.ts';
import { processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

const POLICIES: Readonly<Record<string, DoubtPolicy>> = { 'assume-sent': 'assume_sent', hold: 'hold', own: 'own' };

interface Options extends ActOptions {
  readonly backupAt?: Instant;
  readonly until?: Instant;
  readonly mail: string;
  readonly nothingSent?: boolean;
  readonly restoredInPlace?: boolean;
  readonly dryRun?: boolean;
}

/** The command. Exit code 0 when a fleet may start (or would), 1 when not, 2 when used wrongly. */
export function recoveredCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand(
    'recovered',
    'after a restore: say which mails may have gone out, so that none goes out twice',
  );
  return command
    .option('--backup-at <time>', 'when the backup was begun; "perennial restore" knows it', instant)
    .option('--until <time>', 'when the lost fleet sent its last mail at the latest; by default now', instant)
    .addOption(
      new Option(
        '--mail <what>',
        'what is done about mail that may have gone out: own is what each playbook says in `unknown`',
      )
        .choices(Object.keys(POLICIES))
        .default('assume-sent'),
    )
    .option('--nothing-sent', 'no fleet has worked since the backup was begun: nothing is in doubt')
    .option(
      '--restored-in-place',
      'it was restored by other means to where it was (point-in-time recovery, a snapshot, an older .perennial), which nothing in it shows',
    )
    .option('--dry-run', 'say what would be in doubt, and change nothing')
    .action(async (options: Options) => {
      const { by, reason, dryRun = false, nothingSent = false, restoredInPlace = false } = options;
      const [backupAt, until] = [options.backupAt ?? null, options.until ?? null];
      if (nothingSent && (backupAt !== null || until !== null)) {
        command.error('error: with --nothing-sent no time is in doubt: leave --backup-at and --until out', {
          exitCode: 2,
        });
      }
      const mail = POLICIES[options.mail] ?? 'assume_sent';
      const said = { backupAt, until, mail, nothingSent, restoredInPlace, by, reason, dryRun };
      await answer(terminal, options, async ({ db, site }) =>
        described(await recover(db, { ...said, site }), terminal),
      );
    });
}

function instant(text: string): Instant {
  try {
    return parseInstant(text);
  } catch (error) {
    if (error instanceof TimeSyntaxError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function described(recovered: Recovered, terminal: Terminal): Answer {
  switch (recovered.outcome) {
    case 'at work': {
      const signs = recovered.signs.map((sign) => `  - ${sign}\n`).join('');
      return {
        json: recovered,
        text: `Nothing was done: a fleet works on this database.\n${signs}Stop it, or wait, and try again.\n`,
        failed: true,
      };
    }
    case 'not restored': {
      const text =
        'Nothing was done: nothing here says that this database was restored or copied. It is where its fleet has worked, and all of its mail that is due\n' +
        'would be given up as `unknown`. If it was restored to the same place by other means (point-in-time recovery, a snapshot of the disk or the machine,\n' +
        'an older .perennial put back), say so with --restored-in-place.\n';
      return { json: recovered, text, failed: true };
    }
    case 'no backup time': {
      const text =
        'Nothing was done: nobody knows when this copy was made. Say it with --backup-at, as 2026-03-02T09:15:00Z (rather too early than too late),\n' +
        'or --nothing-sent when no fleet has worked since.\n';
      return { json: recovered, text, failed: true };
    }
    case 'bad times': {
      const [backupAt, until, now] = [recovered.backupAt, recovered.until, recovered.now].map((at) =>
        localTime(at, terminal.zone),
      );
      const text = `Nothing was done: the backup (${backupAt}) must come before --until (${until}), and that must not be after now (${now}).\n`;
      return { json: recovered, text, failed: true };
    }
    case 'recovered':
      return { json: recovered, text: recoveredText(recovered, terminal) };
  }
}

const DONE: Readonly<Record<DoubtPolicy, string>> = {
  assume_sent: 'What would have gone out by then is taken as sent: on record as `unknown`, and not sent again.',
  hold: 'What would have gone out by then is on record as `unknown` and stands in "perennial held" until a person decides.',
  own: 'What would have gone out by then is on record as `unknown`, and each playbook decides: `resend`, the default of transactional mail, sends it AGAIN.',
};

function recoveredText(done: Extract<Recovered, { readonly outcome: 'recovered' }>, terminal: Terminal): string {
  const head = done.dryRun ? 'Dry run, nothing was changed.\n' : 'Recovered: a fleet may start on this database.\n';
  if (done.doubt === null) return `${head}Nothing is in doubt: as you say, no fleet has worked since the backup.\n`;
  const { backupAt, until, mail } = done.doubt;
  return [
    head,
    `Mail that was due by ${localTime(until, terminal.zone)} (${terminal.zone.name}) may have gone out after the backup of ${localTime(backupAt, terminal.zone)}.\n`,
    `${DONE[mail]}\n`,
    ...concerned(done.playbooks),
    done.launches === 0 ? '' : `Launches in that time: ${done.launches}. Their first mails are in doubt as well.\n`,
    'Mail that came due later goes out. Events of that time may be sent in again: what they bring of that time is in doubt as well.\n',
    'Not here is what came in after the backup: events, profiles, opt-outs, suppressions, whom you forgot, what was deployed. See docs/operations.md.\n',
    done.freeCodes === 0 ? '' : `${count(done.freeCodes, 'coupon code')} free here: some may have been given since.\n`,
  ].join('');
}

function concerned(playbooks: readonly InDoubt[]): readonly string[] {
  if (playbooks.length === 0) return ['No open mail and nobody who waits is concerned.\n'];
  const rows = playbooks.map(({ playbook, mails, handed, waiting }) => [
    playbook,
    String(mails),
    String(handed),
    String(waiting),
  ]);
  const paused = playbooks.filter((one) => one.paused > 0).map((one) => `"${one.playbook}" (${one.paused})`);
  return [
    table([['playbook', 'open mails', 'with a server', 'customers whose turn came'], ...rows], '  '),
    ...(paused.length === 0
      ? []
      : [`Paused, so not in doubt unless somebody resumed it after the backup: ${paused.join(', ')}.\n`]),
  ];
}
