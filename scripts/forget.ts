/** `perennial forget`: erases a customer, for good. */
import type { Command } from 'commander';
import { forget, type Forgotten } from '../engine/store/forget.ts';
import { count } from './check/format.ts';
import { processAsk, type Ask } from './support/ask.ts';
import { actCommand, answer, notFound, personText, type ActOptions, type Answer } from './support/staff.ts';
import { harmless, processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

interface Options extends ActOptions {
  readonly sharing?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** The command. Exit code 0 when they were erased (or before, or would be), 1 when not, 2 when used wrongly. */
export function forgetCommand(terminal: Terminal = processTerminal(), ask: Ask | null = processAsk()): Command {
  const command = actCommand('forget', 'erase a customer for good; what counts mails stays, and names nobody');
  return command
    .argument('<id-or-email>', "the customer's id or e-mail address")
    .option('--sharing', 'also everybody who has the same address')
    .option('--dry-run', 'say what would be erased, and change nothing')
    .option('--yes', 'do not ask for the id to be typed again')
    .action(async (customer: string, options: Options) => {
      const { sharing = false, dryRun = false, yes = false, by, reason } = options;
      const request = { customer, sharing, by, reason };
      if (!dryRun && !yes && ask === null) {
        const message = 'error: nobody sits at a terminal to type the id again: give --yes, or --dry-run to look first';
        command.error(message, { exitCode: 2 });
      }
      await answer(terminal, options, async ({ db }) => {
        const say = (forgotten: Forgotten): Answer => describe(forgotten, customer, terminal);
        if (dryRun) return say(await forget(db, { ...request, dryRun: true }));
        if (!yes && ask !== null) {
          const foreseen = await forget(db, { ...request, dryRun: true });
          if (foreseen.outcome !== 'forgotten') return say(foreseen);
          if (!(await confirmed(foreseen, say(foreseen).text, ask))) return notConfirmed();
        }
        return say(await forget(db, { ...request, dryRun: false }));
      });
    });
}

async function confirmed(
  { customer }: Extract<Forgotten, { readonly outcome: 'forgotten' }>,
  text: string,
  ask: Ask,
): Promise<boolean> {
  const typed = await ask(`${text}This cannot be undone. To erase, type the id again: `);
  return typed.trim() === customer.key;
}

function notConfirmed(): Answer {
  return { json: { outcome: 'not confirmed' }, text: 'That is not the id: nothing was erased.\n', failed: true };
}

function describe(forgotten: Forgotten, typed: string, terminal: Terminal): Answer {
  switch (forgotten.outcome) {
    case 'unknown':
    case 'ambiguous':
      return notFound(forgotten, typed);
    case 'erased before': {
      const text = `"${harmless(typed)}" was erased on ${localTime(forgotten.at, terminal.zone)}: nothing is kept.\n`;
      return { json: forgotten, text };
    }
    case 'shared': {
      const rows = forgotten.others.map(({ key, email }) => [key, email ?? '']);
      const text =
        `Nothing was erased: others have the address of ${personText(forgotten.customer)}.\n${table(rows, '  ')}` +
        'If they are the same person, --sharing erases them as well; otherwise give one of them another address first.\n';
      return { json: forgotten, text, failed: true };
    }
    case 'forgotten':
      return { json: forgotten, text: forgottenText(forgotten) };
  }
}

function forgottenText(done: Extract<Forgotten, { readonly outcome: 'forgotten' }>): string {
  const { customer, customers, counts, playbooks, handed, dryRun } = done;
  const names = playbooks.map((name) => `"${name}"`).join(', ');
  const others = customers.filter(({ id }) => id !== customer.id).map(personText);
  const head = dryRun
    ? `Dry run, nothing was changed. Customer ${personText(customer)} would be erased`
    : `Customer ${personText(customer)} is erased`;
  const more = others.length === 0 ? '' : `, and with them ${others.join(', ')}`;
  const things = (['events', 'suppressions'] as const).map((thing) => count(counts[thing], thing.slice(0, -1)));
  const emptied = (['enrolments', 'mails', 'tasks', 'webhooks'] as const).map((thing) =>
    count(counts[thing], thing.slice(0, -1)),
  );
  const late = handed === 0 ? '' : `${count(handed, 'mail')} past recall: on the way to the mail server.\n`;
  return (
    `${head}${more}.\n${names === '' ? '' : `What ends: ${names}.\n`}${late}` +
    `What is deleted: profile, facts, ${things.join(', ')}.\n` +
    `What is emptied, so that totals stay: ${emptied.join(', ')}, ${counts['audit entries']} in the audit record.\n` +
    'Keyed hashes of id and address stay: no import and no event brings them back.\n'
  );
}
