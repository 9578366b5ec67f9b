/** `perennial feedback`: what mail providers reported by their webhooks, and which domains refuse mail. */
import type { Command } from 'commander';
import { listRefusingDomains } from '../engine/store/feedback.ts';
import { countEvents, type ProviderCount } from '../engine/store/provider-events.ts';
import { refusalsText } from './bounces/text.ts';
import { answer, staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

/** The command. */
export function feedbackCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('feedback', 'count what mail providers reported by their webhooks').action(
    async (options: StaffOptions) => {
      await answer(terminal, { ...options, readOnly: true }, async ({ db }) => {
        const counts = await countEvents(db);
        const refusingDomains = await listRefusingDomains(db);
        if (options.json !== true) terminal.err(refusalsText(refusingDomains));
        return { json: { counts, refusingDomains }, text: countsText(counts, terminal) };
      });
    },
  );
}

const OUTCOMES: Readonly<Record<ProviderCount['outcome'], string>> = {
  suppressed: 'suppressed an address',
  recorded: 'recorded with the mail',
  'known before': 'known before',
  'no matter': 'delays, nothing to do',
  'not ours': 'about no mail of ours',
};

function countsText(counts: readonly ProviderCount[], terminal: Terminal): string {
  if (counts.length === 0) {
    return 'No provider has reported anything. docs/operations.md says how to set their webhooks up.\n';
  }
  return table([
    ['provider', 'events', 'what they came to', 'last'],
    ...counts.map(({ provider, count, outcome, lastAt }) => [
      provider,
      String(count),
      OUTCOMES[outcome],
      localTime(lastAt, terminal.zone),
    ]),
  ]);
}
