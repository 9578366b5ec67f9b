/** `perennial bounces`: takes in the mails that came back: bounces and complaints. */
import type { Command } from 'commander';
import { actOnComplaints, type ComplaintRate } from '../engine/store/complaints.ts';
import { listRefusingDomains } from '../engine/store/feedback.ts';
import { loadSigningKeys } from '../engine/store/signing-keys.ts';
import { openImapMailbox } from '../engine/mail/bounce/imap.ts';
import { MailError } from '../engine/mail/url.ts';
import { takeMailbox } from '../workers/bounces/taking.ts';
import { totalsOf, type MailOutcome } from '../workers/bounces/totals.ts';
import { takeReturnedMail } from '../workers/returned-mail.ts';
import { mailsIn, UnreadableMail } from './bounces/files.ts';
import { outcomesText, warningsText } from './bounces/text.ts';
import { databaseAway } from './support/database-away.ts';
import type { CommandContext } from './support/database.ts';
import { answer, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

interface Options extends StaffOptions {
  readonly imap?: boolean;
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
  const command = staffCommand('bounces', 'take in mails that came back: bounces and complaints');
  return command
    .argument('[place]', 'a mail, a mailbox file, a Maildir or another folder of mails; - for standard input')
    .option('--imap', 'read the mailbox of BOUNCES_IMAP_URL, once')
    .option('--dry-run', 'say what they are, and record nothing')
    .action(async (place: string | undefined, options: Options) => {
      if ((place === undefined) === (options.imap !== true)) command.error('error: give either a place or --imap');
      const outcomesOf = (context: CommandContext): AsyncGenerator<MailOutcome> =>
        place === undefined ? fromMailbox(context, options) : fromFiles(context, place, options, input);
      try {
        await answer(terminal, options, async (context) => takeIn(context, options, outcomesOf(context), terminal));
      } catch (error) {
        if (place !== '-') throw error;
        terminal.err(`${databaseAway(error) ?? (error instanceof Error ? error.message : String(error))}\n`);
        terminal.setExitCode(75);
      }
    });
}

async function* fromFiles(
  { db }: CommandContext,
  place: string,
  { dryRun: isDryRun = false }: Options,
  input: NodeJS.ReadableStream,
): AsyncGenerator<MailOutcome> {
  const keys = await loadSigningKeys(db);
  for await (const { from, raw } of mailsIn(place, input)) {
    yield { from, result: await takeReturnedMail(db, keys, raw, { isDryRun }) };
  }
}

async function* fromMailbox(
  { db, config }: CommandContext,
  { dryRun: isDryRun = false }: Options,
): AsyncGenerator<MailOutcome> {
  const place = config.bouncesMailbox;
  if (place === null) throw new UnreadableMail('BOUNCES_IMAP_URL is not set: imaps://user:password@host/INBOX');
  const mailbox = await openImapMailbox(place, new Set());
  try {
    const onFailure = (uid: number, error: unknown): void => {
      const message = `mail ${uid} could not be recorded and stays in the mailbox`;
      throw new UnreadableMail(message, { cause: error });
    };
    yield* takeMailbox({ db, mailbox, isDryRun, goOn: async () => Promise.resolve(true), onFailure });
  } finally {
    await mailbox.close();
  }
}

async function takeIn(
  { db }: CommandContext,
  options: Options,
  found: AsyncIterable<MailOutcome>,
  terminal: Terminal,
): Promise<Answer> {
  const isDryRun = options.dryRun === true;
  const outcomes: MailOutcome[] = [];
  let unreadable: string | null = null;
  try {
    for await (const outcome of found) outcomes.push(outcome);
  } catch (error) {
    if (!(error instanceof UnreadableMail || error instanceof MailError)) throw error;
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
