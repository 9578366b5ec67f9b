/** `perennial why`: from the record, why a customer is or is not in a playbook, or did or did not get a mail. */
import { Option, type Command } from 'commander';
import { fromLocal, startOfDay } from '../engine/time/local.ts';
import { parseInstant, parseLocalDate, parseLocalDateTime, TimeSyntaxError } from '../engine/time/text.ts';
import type { Instant, Zone } from '../engine/time/types.ts';
import { businessNow } from '../engine/store/database.ts';
import { findCustomer } from '../engine/store/people.ts';
import { explain, type Explained } from '../engine/why/explain.ts';
import { compileSources } from '../workers/parts.ts';
import { zoneOfCustomer } from './support/customer-zone.ts';
import { answer, nearestText, notFound, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';
import { answerText } from './why/text.ts';

interface Options extends StaffOptions {
  readonly step?: string;
  readonly at?: string;
}

/** The command. Exit code 0 when the question was answered, 1 for unknown names, 2 when used wrongly. */
export function whyCommand(terminal: Terminal = processTerminal()): Command {
  const command: Command = staffCommand(
    'why',
    'say why a customer is or is not in a playbook, or did or did not get a mail',
  )
    .argument('<id-or-email>', "the customer's id or e-mail address")
    .argument('<playbook>', 'the name of the playbook')
    .option('--step <id>', 'ask about one step: its id, or the template of its mail')
    .addOption(new Option('--at <time>', "ask about this time; without an offset, in the customer's zone"));
  return command.action(async (typed: string, playbook: string, options: Options) =>
    answer(terminal, options, async (context) => {
      const found = await findCustomer(context.db, typed);
      if (found.outcome !== 'found') return notFound(found, typed);
      const { id, key } = found.customer;
      const zone = await zoneOfCustomer(context, id);
      const at = options.at === undefined ? null : readTime(options.at, zone, await businessNow(context.db));
      if (at === 'unreadable') {
        command.error(
          `error: --at "${harmless(options.at ?? '')}" is no time: write 2026-03-02, 2026-03-02T09:15 or 2026-03-02T09:15:00Z`,
          { exitCode: 2 },
        );
      }
      const step = options.step ?? null;
      const question = { customerId: id, playbook, step, at };
      const explained = await explain(context.db, { cache: context.cache, compile: compileSources }, question);
      return described(explained, { customer: key, playbook, step, terminal });
    }),
  );
}

const DAY_MS = 86_400_000;

/** A day means its end, or now where that is earlier. */
function readTime(text: string, zone: Zone, now: Instant): Instant | 'unreadable' {
  const endOf = (start: Instant, end: Instant): Instant => (start > now ? end : Math.min(end, now));
  const reads: readonly (() => Instant)[] = [
    () => parseInstant(text),
    () => fromLocal(parseLocalDateTime(text), zone),
    () => {
      const day = parseLocalDate(text);
      return endOf(startOfDay(day, zone), fromLocal({ ...day, ms: DAY_MS - 1 }, zone));
    },
  ];
  for (const read of reads) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof TimeSyntaxError)) throw error;
    }
  }
  return 'unreadable';
}

function described(
  explained: Explained,
  asked: {
    readonly customer: string;
    readonly playbook: string;
    readonly step: string | null;
    readonly terminal: Terminal;
  },
): Answer {
  const { customer, playbook, step, terminal } = asked;
  switch (explained.outcome) {
    case 'answered':
      return { json: { ...explained, customer, playbook, step }, text: answerText(explained, terminal) };
    case 'unknown playbook': {
      const text = `There is no playbook "${harmless(playbook)}".\n${nearestText(explained.nearest)}`;
      return { json: explained, text, failed: true };
    }
    case 'in the future': {
      const text =
        'The time of --at has not come yet: the record knows nothing of it. See "perennial simulate --live".\n';
      return { json: explained, text, failed: true };
    }
    case 'unknown step': {
      const { nearest, steps } = explained;
      const known = nearest.length > 0 ? nearestText(nearest) : `Its steps: ${steps.map(harmless).join(', ')}\n`;
      const text = `The playbook "${harmless(playbook)}" has no step "${harmless(step ?? '')}".\n${known}`;
      return { json: explained, text, failed: true };
    }
  }
}
