/** `perennial pause` and `perennial resume`: hold a playbook or all of them, and let go again without a flood. */
import { InvalidArgumentError, type Command } from 'commander';
import { ALL, pause, resume, type Resumed } from '../engine/store/pauses.ts';
import { count } from './check/format.ts';
import { onePlaybookOrAll, unknownPlaybook } from './support/scope.ts';
import { actCommand, answer, type ActOptions, type Answer } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

interface PauseOptions extends ActOptions {
  readonly all?: boolean;
}

interface ResumeOptions extends PauseOptions {
  readonly spread?: number;
}

const MINUTE_MS = 60_000;

/** `perennial pause`. Exit code 1 when it was paused already or the playbook is unknown. */
export function pauseCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand(
    'pause',
    'hold a playbook: nothing in it goes on and no mail goes out; customers still enter',
  );
  return command
    .argument('[playbook]', 'the name of the playbook')
    .option('--all', 'every playbook')
    .action(async (name: string | undefined, options: PauseOptions) => {
      const playbook = onePlaybookOrAll(command, name, options.all);
      await answer(terminal, options, async ({ db }) => {
        const unknown = playbook === null ? null : await unknownPlaybook(db, playbook);
        if (unknown !== null) return unknown;
        const changed = await pause(db, playbook ?? ALL, options.by, options.reason);
        const outcome = changed ? 'paused' : 'already paused';
        const text = `${nameOf(playbook)} ${changed ? 'now paused' : 'paused already'}.\n`;
        return { json: { outcome, playbook }, text, failed: !changed };
      });
    });
}

/** `perennial resume`. Exit code 1 when it was not paused, or is still held by `--all`. */
export function resumeCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand('resume', 'let a paused playbook go on: what is late is skipped, the rest is spread');
  return command
    .argument('[playbook]', 'the name of the playbook')
    .option('--all', 'what was paused with --all')
    .option('--spread <minutes>', 'over how long to spread what is due; by default 10 minutes for 10,000', minutes)
    .action(async (name: string | undefined, options: ResumeOptions) => {
      const playbook = onePlaybookOrAll(command, name, options.all);
      await answer(terminal, options, async ({ db, cache }) => {
        const unknown = playbook === null ? null : await unknownPlaybook(db, playbook);
        if (unknown !== null) return unknown;
        const spread = options.spread === undefined ? {} : { spreadMs: options.spread * MINUTE_MS };
        return describe(await resume(db, cache, playbook ?? ALL, options.by, options.reason, spread), playbook);
      });
    });
}

function minutes(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 10_080) return value;
  throw new InvalidArgumentError('Expected minutes, 0 to 10080 (a week).');
}

function nameOf(playbook: string | null): string {
  return playbook === null ? 'All playbooks are' : `Playbook "${playbook}" is`;
}

function describe(resumed: Resumed, playbook: string | null): Answer {
  switch (resumed.outcome) {
    case 'not paused':
      return { json: resumed, text: `${nameOf(playbook)} not paused.\n`, failed: true };
    case 'still paused': {
      const { by, reason } = resumed.by;
      const text =
        `The pause of "${playbook ?? ALL}" is lifted, but all playbooks are paused by ${by}: ${reason}.\n` +
        'Nothing goes on until "perennial resume --all".\n';
      return { json: resumed, text, failed: true };
    }
    case 'resumed':
      return { json: resumed, text: `${nameOf(playbook)} resumed.\n${spreadText(resumed)}` };
  }
}

function spreadText({ sends, enrolments, late, spreadMs }: Extract<Resumed, { readonly outcome: 'resumed' }>): string {
  const over = spreadMs === 0 ? 'at once' : `spread over ${count(Math.ceil(spreadMs / MINUTE_MS), 'minute')}`;
  const goesOn =
    sends + enrolments === 0
      ? 'Nothing was waiting.'
      : `${count(sends, 'mail')} and ${count(enrolments, 'enrolment')} had been held back: they go on ${over}.`;
  return `${goesOn}\n${late === 0 ? '' : `${late} overdue for too long: their mails are skipped as late.\n`}`;
}
