/** `perennial bounces`: takes in the mails that came back: bounces and complaints. */
import type { Command } from 'commander';
import { actOnComplaints, type ComplaintRate } from '../engine/store/complaints.ts';
import { listRefusingDomains } from '../engine/store/feedback.ts';
import { loadSigningKeys } from '../engine/store/signing-keys.ts';
import { takeReturnedMail } from '../workers/returned-mail.ts';
import { mailsIn, UnreadableMail } from './bounces/files.ts';
import { outcomesText, totalsOf, warningsText, type MailOutcome } from './bounces/text.ts';
import { databaseAway } from './support/database-away.ts';
import type { CommandContext } from './support/database.ts';
import { answer, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends StaffOptions {
  readonly dryRun?: boolean;
}

/**
 * The command. Exit code 1 when the mails cannot be read. From standard input, whatever goes wrong ends with 75, so that a
 * mail server that pipes into it keeps the mail and tries again.
 */
export function bouncesCommand(
  terminal: Terminal = processTerminal(),
  input: NodeJS.ReadableStream = process.stdin,
): Command {
  return staffCommand('bounces', 'take in mails that came back: bounces and complaints')
    .argument('<place>', 'a mail, a mailbox file, a Maildir or another folder of mails; - for standard input')
    .option('--dry-run', 'say what they are, and record nothing')
    .action(async (place: string, options: Options) => {
      try {
        await answer(terminal, options, async (context) => takeIn(context, place, options, input, terminal));
      } catch (error) {
        if (place !== '-') throw error;
        terminal.err(`${databaseAway(error) ?? (error instanceof Error ? error.message : String(error))}\n`);
        terminal.setExitCode(75);
      }
    });
}

async function takeIn(
  { db }: CommandContext,
  place: string,
  options: Options,
  input: NodeJS.ReadableStream,
  terminal: Terminal,
): Promise<Answer> {
  const isDryRun = options.dryRun === true;
  const keys = await loadSigningKeys(db);
  const outcomes: MailOutcome[] = [];
  let unreadable: string | null = null;
  try {
    for await (const { from, raw } of mailsIn(place, input)) {
      outcomes.push({ from, result: await takeReturnedMail(db, keys, raw, { isDryRun }) });
    }
  } catch (error) {
    if (!(error instanceof UnreadableMail)) throw error;
    unreadable = error.message;
  }
  const complaints: readonly ComplaintRate[] = isDryRun ? [] : await actOnComplaints(db);
  const refusingDomains = await listRefusingDomains(db);
  const warnings = warningsText(complaints, refusingDomains);
  if (options.json !== true) terminal.err(warnings);
  const totals = totalsOf(outcomes);
  const json = { dryRun: isDryRun, totals, mails: outcomes, complaints, refusingDomains };
  if (unreadable === null) return { json, text: outcomesText(outcomes, isDryRun) };
  const sofar = outcomes.length === 0 ? '' : outcomesText(outcomes, isDryRun);
  return {
    json: { ...json, outcome: 'unreadable', message: unreadable },
    text: `${sofar}${unreadable}\n`,
    failed: true,
  };
}
