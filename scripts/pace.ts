/** `perennial pace`: how fast mail goes, what waits for that, and domains that are held. */
import { InvalidArgumentError, type Command } from 'commander';
import { liftHold } from '../engine/store/pace/holds.ts';
import { surveyPace } from '../engine/store/pace/survey.ts';
import { paceText } from './pace/text.ts';
import { actCommand, answer, bareCommand, staffCommand, type ActOptions, type StaffOptions } from './support/staff.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';

/** The command, with its parts `show` and `lift`. Exit code 1 when the domain is not held. */
export function paceCommand(terminal: Terminal = processTerminal()): Command {
  // Without options of its own: `perennial pace --json` is `perennial pace show --json`.
  const pace = bareCommand('pace', 'see how fast mail goes and what waits for that; let a held domain go on');
  pace.addCommand(showCommand(terminal), { isDefault: true });
  pace.addCommand(liftCommand(terminal));
  return pace;
}

function showCommand(terminal: Terminal): Command {
  return staffCommand('show', 'show limits, what waits for which, and domains that are held').action(
    async (options: StaffOptions) =>
      answer(terminal, { ...options, readOnly: true }, async ({ db, cache }) => {
        const survey = await surveyPace(db, cache);
        return { json: survey, text: paceText(survey, terminal) };
      }),
  );
}

function liftCommand(terminal: Terminal): Command {
  return actCommand('lift', 'end the hold of a domain: its mail goes on at once')
    .argument('<domain>', 'such as example.com, as "perennial pace" shows it', readDomain)
    .action(async (domain: string, options: ActOptions) => {
      await answer(terminal, options, async ({ db }) => {
        const lifted = await liftHold(db, domain, options.by, options.reason);
        if (lifted.outcome === 'not held') {
          const text = `${harmless(domain)} is not held. See "perennial pace".\n`;
          return { json: { domain, ...lifted }, text, failed: true };
        }
        const text = `${harmless(domain)} is held no longer. Mails that were waiting for it and go on: ${lifted.mails}.\n`;
        return { json: { domain, ...lifted }, text };
      });
    });
}

function readDomain(text: string): string {
  const domain = text.trim().toLowerCase().replace(/^@/, '');
  if (/^[^\s@]+\.[^\s@]+$/.test(domain)) return domain;
  throw new InvalidArgumentError('Expected a domain, such as example.com.');
}
