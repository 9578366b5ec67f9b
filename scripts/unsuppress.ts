/** `perennial unsuppress`: takes a suppression back. */
import type { Command } from 'commander';
import { unsuppressByHand, type UnsuppressedByHand } from '../engine/store/suppress-by-hand.ts';
import { EVERYTHING } from '../engine/store/suppress.ts';
import type { SuppressionEntry } from '../engine/store/suppressions.ts';
import { count } from './check/format.ts';
import { addresseeText, entryText, erasedReader, mailOf, noAddressee } from './suppress/text.ts';
import { actCommand, answer, notBlank, type ActOptions, type Answer } from './support/staff.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends ActOptions {
  readonly topic?: string;
  readonly despite?: string;
}

/** The command. Exit code 0 when it was taken back, 1 when not, 2 when used wrongly. */
export function unsuppressCommand(terminal: Terminal = processTerminal()): Command {
  return actCommand('unsuppress', 'take a suppression back, so that mail may go to the address again')
    .argument('<address-or-customer>', "an e-mail address, or a customer's id")
    .option('--topic <name>', 'the suppression of this topic; "*topics" for that of all topics', notBlank)
    .option(
      '--despite <source>',
      'also one that staff did not make: complaint, bounce, unsubscribe, preferences, import …; or erasure: lets in again whoever was erased',
      notBlank,
    )
    .action(async (target: string, options: Options) =>
      answer(terminal, options, async ({ db }) => {
        const { topic = null, despite = null, by, reason } = options;
        const outcome = await unsuppressByHand(db, { target, topic, despite, by, reason });
        return describe(outcome, target, topic ?? '*', terminal);
      }),
    );
}

function describe(outcome: UnsuppressedByHand, typed: string, scope: string, terminal: Terminal): Answer {
  switch (outcome.outcome) {
    case 'unknown':
    case 'no address':
      return noAddressee(outcome, typed);
    case 'erased': {
      const advice = 'If they came back and want mail, --despite erasure lets this id or address in again.\n';
      return erasedReader(outcome.at, advice, terminal);
    }
    case 'erasure lifted': {
      const text = `"${harmless(typed)}" may come in again. What was erased does not come back.\n`;
      return { json: outcome, text };
    }
    case 'not erased':
      return { json: outcome, text: `Nobody was erased as "${harmless(typed)}".\n`, failed: true };
    case 'not suppressed': {
      const who = addresseeText(outcome.address, outcome.customers);
      const text = `${capital(mailOf(scope))} to ${who} is not suppressed.\n${othersText(outcome.others, terminal)}`;
      return { json: outcome, text, failed: true };
    }
    case 'not ours to undo':
      return { json: outcome, text: notOurs(outcome, terminal), failed: true };
    case 'unsuppressed':
      return { json: outcome, text: takenBack(outcome, terminal) };
  }
}

/** Why it is not for staff alone to say, by source. */
const WHY: Readonly<Record<string, string>> = {
  complaint:
    'They reported our mail as spam. Another mail to them harms the delivery to everybody, and may be unlawful.',
  bounce:
    'The mail server said that the address takes no mail. Mailing dead addresses harms the delivery to everybody.',
  import: 'It came with imported data: somebody has said no elsewhere.',
};
const THEIR_OWN = 'They said no themselves: only they can take that back.';

function notOurs(
  { entry, address, customers }: Extract<UnsuppressedByHand, { readonly outcome: 'not ours to undo' }>,
  terminal: Terminal,
): string {
  const why = (Object.hasOwn(WHY, entry.source) ? WHY[entry.source] : undefined) ?? THEIR_OWN;
  return (
    `Not changed: ${mailOf(entry.scope)} to ${addresseeText(address, customers)} is suppressed ${entryText(entry, terminal)}.\n` +
    `${why}\nIf you have their word, or know that the address works again: --despite ${harmless(entry.source)}\n`
  );
}

function takenBack(
  done: Extract<UnsuppressedByHand, { readonly outcome: 'unsuppressed' }>,
  terminal: Terminal,
): string {
  const { entry, address, customers, waiting, others } = done;
  const may = `${capital(mailOf(entry.scope))} to ${addresseeText(address, customers)} may go out again. What was skipped stays so.\n`;
  const goes = waiting === 0 ? '' : `${count(waiting, 'mail')} of it will go out when due.\n`;
  return `${may}${goes}${entry.scope === EVERYTHING ? '' : CONSENT}${othersText(others, terminal)}`;
}

const CONSENT = 'A topic that readers have to agree to still needs their consent.\n';

function othersText(others: readonly SuppressionEntry[], terminal: Terminal): string {
  return others.map((entry) => `Still suppressed: ${mailOf(entry.scope)}, ${entryText(entry, terminal)}.\n`).join('');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
