/** `perennial unknown`: mails of which nobody knows whether the server took them, and settling them by hand. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { countDoubtful, listDoubtful, type DoubtCounts, type DoubtfulSend } from '../engine/store/doubt.ts';
import { settleDoubtful, VERDICTS, type SettledByHand, type Verdict } from '../engine/store/settle-doubt.ts';
import { count } from './check/format.ts';
import {
  actCommand,
  answer,
  bareCommand,
  staffCommand,
  type ActOptions,
  type Answer,
  type StaffOptions,
} from './support/staff.ts';
import { shellWord } from './support/shell-word.ts';
import { harmless, processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;

/** The command, with its parts `list` and `settle`. Exit code 1 when something could not be settled. */
export function unknownCommand(terminal: Terminal = processTerminal()): Command {
  // Without options of its own: `perennial unknown --json` is `perennial unknown list --json`.
  const unknown = bareCommand('unknown', 'see and settle mails of which nobody knows whether the server took them');
  unknown.addCommand(listCommand(terminal), { isDefault: true });
  unknown.addCommand(settleCommand(terminal));
  return unknown;
}

interface ListOptions extends StaffOptions {
  readonly limit: number;
}

function listCommand(terminal: Terminal): Command {
  return staffCommand('list', 'show mails in doubt: those that wait for a person first')
    .option('--limit <number>', 'at most so many', readLimit, DEFAULT_LIMIT)
    .action(async (options: ListOptions) =>
      answer(terminal, { ...options, readOnly: true }, async ({ db }) => {
        const items = await listDoubtful(db, options);
        const counts = await countDoubtful(db);
        const json = { counts, items: items.map((item) => ({ ref: refOf(item.id), ...item })) };
        return { json, text: listText(items, counts, terminal) };
      }),
    );
}

function listText(items: readonly DoubtfulSend[], counts: DoubtCounts, terminal: Terminal): string {
  const total = counts.waits + counts.assumed;
  if (total === 0) return 'No mail is in doubt.\n';
  const head = ['what', `since (${terminal.zone.name})`, 'customer', 'where', 'what was done', 'Message-ID'];
  const rows = items.map((item) => [
    refOf(item.id),
    localTime(item.at, terminal.zone),
    harmless(item.customer),
    `${item.playbook} at ${item.step}`,
    doneText(item),
    item.messageId ?? '-',
  ]);
  const more = total > items.length ? `and ${total - items.length} more: --limit shows them\n` : '';
  return (
    `${table([head, ...rows])}${more}` +
    `${count(total, 'mail')} in doubt: ${counts.waits} waiting for a person, ${counts.assumed} taken as sent.\n` +
    'Look for the Message-ID at the mail server, then: perennial unknown settle ID --as sent|failed|resend --by NAME --reason TEXT\n'
  );
}

function doneText({ doubt, resends }: DoubtfulSend): string {
  const before = resends === 0 ? '' : `sent again ${resends === 1 ? 'once' : `${resends} times`}, then `;
  return doubt === 'waits' ? `${before}held` : `${before}taken as sent`;
}

interface SettleOptions extends ActOptions {
  readonly as: Verdict;
}

function settleCommand(terminal: Terminal): Command {
  return actCommand('settle', 'say what became of mails in doubt; their playbooks go on where they wait for it')
    .argument('<what...>', 'such as send:12, as "perennial unknown" shows them', collectIds)
    .addOption(
      new Option('--as <verdict>', 'sent: the server took it; failed: it did not; resend: send it again')
        .choices([...VERDICTS])
        .makeOptionMandatory(),
    )
    .action(async (ids: readonly number[], options: SettleOptions) =>
      answer(terminal, options, async ({ db, cache }) => {
        const { as, by, reason } = options;
        return settledAnswer(await settleDoubtful(db, cache, ids, as, { by, reason }), as);
      }),
    );
}

function settledAnswer(results: readonly SettledByHand[], as: Verdict): Answer {
  const failed = results.some(({ outcome }) => outcome !== 'settled');
  const json = { as, results: results.map((result) => ({ ref: refOf(result.id), ...result })) };
  return { json, text: results.map((result) => `${settledText(result, as)}\n`).join(''), failed };
}

function settledText(result: SettledByHand, as: Verdict): string {
  const name = refOf(result.id);
  switch (result.outcome) {
    case 'settled':
      if (as === 'resend') return `${name} will be sent again now, under the same Message-ID.`;
      return `${name} counts as ${as}${result.was === 'waits' ? ', and its playbook goes on' : ''}.`;
    case 'not in doubt':
      return `${name} is not in doubt. See "perennial unknown".`;
    case 'customer held':
      return `The customer of ${name} is held as well: nothing was done. Retry or drop customer:${result.customerId} first, see "perennial held".`;
    case 'gone on':
      return (
        `${name} cannot be sent again: "${result.playbook}" has gone on since, or is over, so nothing was done. ` +
        'Settle it as failed, and send what is missing by a playbook: ' +
        `perennial trigger PLAYBOOK --customer ${harmless(shellWord(result.customerKey))} --by NAME --reason TEXT`
      );
  }
}

function refOf(id: number): string {
  return `send:${id}`;
}

function collectIds(text: string, earlier: readonly number[] | undefined): readonly number[] {
  // No longer than numbers are exact: 10^16 would be another mail.
  const [, id] = /^(?:send:)?([1-9]\d{0,14})$/.exec(text.trim()) ?? [];
  if (id === undefined) throw new InvalidArgumentError('Expected send:ID, as "perennial unknown" shows it.');
  return [...(earlier ?? []), Number(id)];
}

function readLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_LIMIT}.`);
}
