/** `perennial held`: what stands still because of an error, and what to do about it. */
import { InvalidArgumentError, type Command } from 'commander';
import {
  countHeld,
  formatHeldRef,
  listHeld,
  parseHeldRef,
  type HeldCounts,
  type HeldItem,
  type HeldRef,
} from '../engine/store/held.ts';
import { listRefusingDomains } from '../engine/store/feedback.ts';
import { dropHeld, type Dropped } from '../engine/store/held-drop.ts';
import { retryHeld, type Retried } from '../engine/store/held-retry.ts';
import {
  actCommand,
  answer,
  bareCommand,
  staffCommand,
  type ActOptions,
  type Answer,
  type StaffOptions,
} from './support/staff.ts';
import { refusalsText } from './bounces/text.ts';
import { count } from './check/format.ts';
import { shellWord } from './support/shell-word.ts';
import { processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

/** Shown of an error in a list; `--json` has all of it. */
const ERROR_WIDTH = 90;

/** The command, with its parts `list`, `retry` and `drop`. Exit code 1 when something could not be done. */
export function heldCommand(terminal: Terminal = processTerminal()): Command {
  // Without options of its own: `perennial held --json` is `perennial held list --json`.
  const held = bareCommand('held', 'see, retry or drop what is held because of an error');
  held.addCommand(listCommand(terminal), { isDefault: true });
  held.addCommand(retryCommand(terminal));
  held.addCommand(dropCommand(terminal));
  return held;
}

function listCommand(terminal: Terminal): Command {
  return staffCommand('list', 'show what is held, the oldest first').action(async (options: StaffOptions) =>
    answer(terminal, options, async ({ db }) => {
      const items = await listHeld(db);
      const counts = await countHeld(db);
      const refusingDomains = await listRefusingDomains(db);
      const json = { counts, items: items.map((item) => ({ ref: formatHeldRef(item), ...item })), refusingDomains };
      return { json, text: `${listText(items, counts, terminal)}${refusalsText(refusingDomains)}` };
    }),
  );
}

function listText(items: readonly HeldItem[], counts: HeldCounts, terminal: Terminal): string {
  if (items.length === 0) return 'Nothing is held.\n';
  const total = counts.customer + counts.enrolment + counts.send + counts.event + counts.webhook;
  const rows = items.map((item) => [
    formatHeldRef(item),
    localTime(item.at, terminal.zone),
    item.customer,
    item.step === null ? (item.playbook ?? '') : `${item.playbook ?? ''} at ${item.step}`,
    firstLine(item.error),
  ]);
  const more = total > items.length ? `and ${total - items.length} more\n` : '';
  const head = ['what', `since (${terminal.zone.name})`, 'customer', 'where', 'error'];
  return (
    `${table([head, ...rows])}${more}` +
    `${total} held: ${count(counts.customer, 'customer')}, ${count(counts.enrolment, 'enrolment')}, ${count(counts.send, 'mail')}, ${count(counts.event, 'event')}, ${count(counts.webhook, 'webhook')}.\n` +
    previewHint(items)
  );
}

/** The list says what is missing; the preview says where in which file. */
function previewHint(items: readonly HeldItem[]): string {
  const mail = items.find(({ template, unknown }) => template !== null && !unknown);
  if (mail === undefined) return '';
  const command = `perennial preview ${mail.template ?? ''} --customer ${shellWord(mail.customer)}`;
  return `Where a mail cannot be written, "${command}" shows the line.\n`;
}

function firstLine(error: string): string {
  const line = error.split('\n', 1)[0] ?? '';
  return line.length > ERROR_WIDTH ? `${line.slice(0, ERROR_WIDTH - 1)}…` : line;
}

interface RetryOptions extends ActOptions {
  readonly all?: boolean;
}

function retryCommand(terminal: Terminal): Command {
  const command = actCommand('retry', 'release what is held, to be tried again');
  return command
    .argument('[what...]', 'such as send:12 or customer:7, as "perennial held" shows them', collectRefs)
    .option('--all', 'everything that is held')
    .action(async (refs: readonly HeldRef[] | undefined, options: RetryOptions) => {
      const which = refs ?? [];
      if (which.length > 0 === (options.all === true)) {
        command.error('error: name what to retry, or give --all: exactly one of the two', { exitCode: 2 });
      }
      await answer(terminal, options, async ({ db, cache }) => {
        const { by, reason } = options;
        const results = await retryHeld(db, cache, options.all === true ? 'all' : which, { by, reason });
        return retriedAnswer(results);
      });
    });
}

function retriedAnswer(results: readonly Retried[]): Answer {
  const rows = results.map((result) => [
    formatHeldRef(result.ref),
    result.outcome,
    result.outcome === 'held again' ? firstLine(result.error) : '',
  ]);
  const failed = results.some((result) => result.outcome !== 'released');
  const json = { results: results.map((result) => ({ ...result, ref: formatHeldRef(result.ref) })) };
  return { json, text: results.length === 0 ? 'Nothing is held.\n' : table(rows), failed };
}

function dropCommand(terminal: Terminal): Command {
  return actCommand('drop', 'give up one held thing, so that the rest goes on')
    .argument('<what>', 'such as send:12, as "perennial held" shows it', readRef)
    .action(async (ref: HeldRef, options: ActOptions) => {
      await answer(terminal, options, async ({ db, cache }) => {
        const { by, reason } = options;
        return droppedAnswer(ref, await dropHeld(db, cache, ref, { by, reason }));
      });
    });
}

function droppedAnswer(ref: HeldRef, dropped: Dropped): Answer {
  const name = formatHeldRef(ref);
  switch (dropped.outcome) {
    case 'dropped':
      return { json: { ref: name, ...dropped }, text: `Dropped ${name}.\n` };
    case 'not held':
      return { json: { ref: name, ...dropped }, text: `${name} is not held. See "perennial held".\n`, failed: true };
    case 'customer held': {
      const first = formatHeldRef({ kind: 'customer', id: dropped.customerId });
      const text = `The customer of ${name} is held as well. Retry or drop ${first} first.\n`;
      return { json: { ref: name, ...dropped }, text, failed: true };
    }
  }
}

function readRef(text: string): HeldRef {
  const ref = parseHeldRef(text);
  if (ref !== null) return ref;
  throw new InvalidArgumentError('Expected customer:ID, enrolment:ID, send:ID, event:ID or webhook:ID.');
}

function collectRefs(text: string, earlier: readonly HeldRef[] | undefined): readonly HeldRef[] {
  return [...(earlier ?? []), readRef(text)];
}
