/** `perennial cancel`: ends a customer's way through a playbook, or through all of them. */
import type { Command } from 'commander';
import { cancel, type Cancelled } from '../engine/store/cancel.ts';
import { actCommand, answer, notFound, notWorkable, personText } from './support/staff.ts';
import type { ActOptions, Answer } from './support/staff.ts';
import { onePlaybookOrAll } from './support/scope.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends ActOptions {
  readonly customer: string;
  readonly all?: boolean;
}

/** The command. Exit code 0 when something was ended, 1 when not, 2 when used wrongly. */
export function cancelCommand(terminal: Terminal = processTerminal()): Command {
  const command = actCommand('cancel', "end a customer's way through a playbook; planned mail does not go out");
  return command
    .argument('[playbook]', 'the name of the playbook')
    .option('--all', 'every playbook the customer is in')
    .requiredOption('--customer <id-or-email>', 'whose')
    .action(async (name: string | undefined, options: Options) => {
      const playbook = onePlaybookOrAll(command, name, options.all);
      await answer(terminal, options, async ({ db, cache }) => {
        const { customer, by, reason } = options;
        return describe(await cancel(db, cache, { customer, playbook, by, reason }), playbook, customer);
      });
    });
}

function describe(cancelled: Cancelled, playbook: string | null, typed: string): Answer {
  switch (cancelled.outcome) {
    case 'unknown':
    case 'ambiguous':
      return notFound(cancelled, typed);
    case 'not workable':
      return notWorkable(cancelled.customer);
    case 'nothing active': {
      const where = playbook === null ? 'any playbook' : `"${harmless(playbook)}"`;
      const active = cancelled.active.length === 0 ? '' : `They are in: ${cancelled.active.join(', ')}\n`;
      const text = `Customer ${personText(cancelled.customer)} is not in ${where}.\n${active}`;
      return { json: cancelled, text, failed: true };
    }
    case 'cancelled': {
      const names = cancelled.playbooks.map((name) => `"${name}"`).join(', ');
      const late =
        cancelled.handed === 0
          ? ''
          : `${cancelled.handed === 1 ? '1 mail is' : `${cancelled.handed} mails are`} past recall: on the way to the mail server.\n`;
      return { json: cancelled, text: `Ended for customer ${personText(cancelled.customer)}: ${names}.\n${late}` };
    }
  }
}
