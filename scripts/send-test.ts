/** `perennial send-test`: one mail of a template to an address of one's own. It counts nowhere and is kept nowhere. */
import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { startInbox } from '../engine/mail/inbox/server.ts';
import { openTransport, type Outcome } from '../engine/mail/transport.ts';
import { isAllowed } from '../engine/journey/attempt.ts';
import { domainOf, parseMailbox, validateAddress } from '../engine/message/address.ts';
import { compose, ComposeError, type ComposedMail } from '../engine/message/compose.ts';
import { maskUrl, readConfig, type Config } from '../workers/config.ts';
import { openLog } from '../workers/log.ts';
import { inboxDir } from '../workers/parts.ts';
import { openSigner } from '../workers/signing.ts';
import { makeMail, type MadeMail, type PreviewOptions } from './preview/make.ts';
import { withReader } from './preview.ts';
import { staffCommand, type Answer } from './support/staff.ts';
import { harmless, processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface Options extends PreviewOptions {
  readonly to: string;
  readonly json?: boolean;
}

/** Where it went, or why it did not. */
type Sent = Answer & { readonly exitCode?: 1 | 75 };

/** A person waits for it. */
const TIMEOUTS = { connectMs: 15_000, replyMs: 40_000 } as const;

/** The command. Exit code 0 when the server has it, 1 when not, 75 when it may be tried again, 2 when used wrongly. */
export function sendTestCommand(terminal: Terminal = processTerminal()): Command {
  return withReader(staffCommand('send-test', 'send one mail of a template to yourself'))
    .requiredOption('--to <address>', 'where it goes', oneAddress)
    .action(async (template: string, options: Options) => {
      const sent = await sendTest(terminal, template, options);
      if (sent.failed === true) terminal.setExitCode(sent.exitCode ?? 1);
      if (options.json === true) terminal.out(jsonLine(sent.json));
      else if (sent.failed === true) terminal.err(sent.text);
      else terminal.out(sent.text);
    });
}

function oneAddress(text: string): string {
  const address = validateAddress(text.trim());
  if (address === null) throw new InvalidArgumentError('Expected one e-mail address, such as you@example.com.');
  return address;
}

async function sendTest(terminal: Terminal, template: string, options: Options): Promise<Sent> {
  const config = readConfig(process.env, options.project);
  const made = await makeMail(terminal, template, { ...options, withoutCodes: true }, Date.now());
  if (made.outcome === 'failed') return made.answer;
  const { mail, company } = made;
  if (!isAllowed(options.to, company.mail.onlyTo)) {
    const text = `Nothing was sent: \`mail.only_to\` in perennial.yaml does not allow ${harmless(options.to)}.\n`;
    return { json: { outcome: 'not allowed', to: options.to }, text, failed: true };
  }
  try {
    const composed = composeTest(mail, options.to);
    const signer = openSigner({ config, log: openLog({ level: 'silent', name: 'send-test' }) });
    const signed = await signer.sign(composed, company, Date.now());
    if (signed.kind === 'ready') return await handOver(config, signed.mail, mail);
    const text = `Nothing was sent: ${harmless(signed.reason)}.\n`;
    return { json: { outcome: 'unsigned', message: signed.reason }, text, failed: true };
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error;
    const text = `Nothing was sent: the mail cannot be written: ${harmless(error.message)}\n`;
    return { json: { outcome: 'cannot be written', message: error.message }, text, failed: true };
  }
}

/** Without the fields by which bounces and complaints find a mail on record: there is none. */
function composeTest(mail: MadeMail, to: string): ComposedMail {
  const { from, replyTo, html, text } = mail;
  const address = parseMailbox(from)?.address ?? from;
  return compose({
    from,
    to,
    toName: null,
    replyTo,
    subject: `[Test] ${mail.subject}`,
    html,
    text,
    messageId: `<test-${randomUUID()}@${domainOf(address)}>`,
    date: Date.now(),
    headers: {},
  });
}

async function handOver(config: Config, composed: ComposedMail, mail: MadeMail): Promise<Sent> {
  const isLocal = config.smtpUrl === null;
  const own =
    isLocal && config.inboxUrl === null
      ? await startInbox({ dir: inboxDir(config), host: '127.0.0.1', port: 0 })
      : null;
  const url = config.smtpUrl ?? config.inboxUrl ?? own?.url ?? '';
  const transport = openTransport({ url, connections: 1, timeouts: TIMEOUTS });
  try {
    const outcome = await transport.deliver(composed, async () => Promise.resolve(true));
    const where = isLocal ? 'the local inbox ("perennial inbox" shows it)' : maskUrl(url);
    return said(outcome, where, composed.envelope.to, mail);
  } finally {
    await transport.close();
    await own?.close();
  }
}

function said(outcome: Outcome, where: string, to: string, mail: MadeMail): Sent {
  const json = { to, server: where, template: mail.template, locale: mail.locale, customer: mail.customer };
  if (outcome.kind === 'accepted') {
    const text =
      `Sent "[Test] ${harmless(mail.subject)}" to ${harmless(to)} by ${where}.\n` +
      `${harmless(outcome.response)}\n` +
      `${mail.notes.map(harmless).join(' ')} It is on no record, and its links for unsubscribing change nothing.\n`;
    return { json: { outcome: 'sent', ...json, response: outcome.response, notes: mail.notes }, text };
  }
  const reason = 'reason' in outcome ? outcome.reason : 'it was kept back';
  const mayRetry = outcome.kind === 'retry';
  const verdict = outcome.kind === 'unknown' ? 'It is not known whether the mail was taken' : 'Nothing was sent';
  const advice = mayRetry ? ' Try again later.' : '';
  const text = `${verdict}: ${where} says: ${harmless(reason)}.${advice}\n`;
  return { json: { outcome: outcome.kind, ...json, reason }, text, failed: true, exitCode: mayRetry ? 75 : 1 };
}
