/** `perennial suppressions`: to whom no mail goes, and why. */
import { ALL_TOPICS } from '../engine/journey/attempt.ts';
import { InvalidArgumentError, type Command } from 'commander';
import { listSuppressions, type SuppressionList } from '../engine/store/suppressions.ts';
import { answer, notBlank, staffCommand, type StaffOptions } from './support/staff.ts';
import { processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

interface Options extends StaffOptions {
  readonly source?: string;
  readonly topic?: string;
  readonly limit: number;
}

const DEFAULT_LIMIT = 100;
const REASON_WIDTH = 70;

/** The command. */
export function suppressionsCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('suppressions', 'show to whom no mail goes, the latest first')
    .argument('[part]', 'only addresses that contain this, such as ada@ or @example.com')
    .option('--source <name>', 'only from there: staff, complaint, bounce, unsubscribe, import …', notBlank)
    .option('--topic <name>', 'only of this topic; "*" for those of everything', notBlank)
    .option('--limit <n>', 'at most so many', readLimit, DEFAULT_LIMIT)
    .action(async (part: string | undefined, options: Options) =>
      answer(terminal, options, async ({ db }) => {
        const { source = null, topic: scope = null, limit } = options;
        const list = await listSuppressions(db, { part: part ?? null, source, scope, limit });
        return { json: { total: list.total, suppressions: list.entries }, text: listText(list, terminal) };
      }),
    );
}

function listText({ total, entries }: SuppressionList, terminal: Terminal): string {
  if (entries.length === 0) return 'Nobody is suppressed like this.\n';
  const rows = entries.map((entry) => [
    entry.address,
    entry.scope === '*' ? 'everything' : entry.scope === ALL_TOPICS ? 'all topics' : entry.scope,
    localTime(entry.at, terminal.zone),
    entry.source,
    entry.customers.join(', '),
    short(entry.reason ?? ''),
  ]);
  const head = ['address', 'what', `since (${terminal.zone.name})`, 'source', 'customers', 'reason'];
  const more = total > entries.length ? `and ${total - entries.length} more: --limit ${total} shows them\n` : '';
  return `${table([head, ...rows])}${more}`;
}

function short(reason: string): string {
  return reason.length > REASON_WIDTH ? `${reason.slice(0, REASON_WIDTH - 1)}…` : reason;
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1 on.');
}
