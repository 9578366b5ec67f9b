/** `perennial suppress`: no mail to an address any more, or none of one topic. */
import type { Command } from 'commander';
import { suppressByHand, type SuppressedByHand } from '../engine/store/suppress-by-hand.ts';
import { count } from './check/format.ts';
import { addresseeText, entryText, erasedReader, mailOf, noAddressee, unknownTopic } from './suppress/text.ts';
import { actCommand, answer, notBlank, type ActOptions, type Answer } from './support/staff.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends ActOptions {
  readonly topic?: string;
}

/** The command. Exit code 0 when it was suppressed, 1 when not (or before), 2 when used wrongly. */
export function suppressCommand(terminal: Terminal = processTerminal()): Command {
  return actCommand('suppress', 'send nothing to an address any more, or nothing of one topic')
    .argument('<address-or-customer>', "an e-mail address, or a customer's id")
    .option('--topic <name>', 'only mail of this topic; "*topics" for all but transactional mail', notBlank)
    .action(async (target: string, options: Options) =>
      answer(terminal, options, async ({ db, cache }) => {
        const { topic = null, by, reason } = options;
        const suppressed = await suppressByHand(db, cache, { target, topic, by, reason });
        return describe(suppressed, target, topic ?? '', terminal);
      }),
    );
}

function describe(suppressed: SuppressedByHand, typed: string, topic: string, terminal: Terminal): Answer {
  switch (suppressed.outcome) {
    case 'unknown':
    case 'no address':
      return noAddressee(suppressed, typed);
    case 'unknown topic':
      return unknownTopic(topic, suppressed.nearest);
    case 'transactional topic': {
      const text =
        `"${harmless(topic)}" is transactional: its mail goes out whatever a reader has unsubscribed from.\n` +
        'Leave out --topic to stop all mail to the address.\n';
      return { json: suppressed, text, failed: true };
    }
    case 'erased':
      return erasedReader(suppressed.at, '', terminal);
    case 'suppressed before': {
      const { address, customers, entry } = suppressed;
      const text = `No change: ${mailOf(entry.scope)} to ${addresseeText(address, customers)} is suppressed ${entryText(entry, terminal)}.\n`;
      return { json: suppressed, text, failed: true };
    }
    case 'suppressed':
      return { json: suppressed, text: suppressedText(suppressed) };
  }
}

function suppressedText(done: Extract<SuppressedByHand, { readonly outcome: 'suppressed' }>): string {
  const { address, customers, scope, waiting, handed } = done;
  const reason = scope === '*' ? 'suppressed' : 'unsubscribed';
  const planned =
    waiting === 0
      ? 'No mail of it waits to go out.\n'
      : `${count(waiting, 'mail')} that would go out: each is skipped at its time, with the reason "${reason}".\n`;
  const late = handed === 0 ? '' : `${count(handed, 'mail')} past recall: on the way to the mail server.\n`;
  const goOn =
    customers.length === 0 ? '' : 'Their playbooks go on, with tasks and webhooks; "perennial cancel" ends them.\n';
  return `Suppressed: ${mailOf(scope)} to ${addresseeText(address, customers)}.\n${planned}${late}${goOn}`;
}
