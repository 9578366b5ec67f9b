/** SpamAssassin as a judge of mail: its local tests, with the rules that Debian packs, and nothing from the network. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { testFolder } from './folder.ts';

/** What it says of one mail. */
export interface SpamVerdict {
  /** The sum of the points; 5 are spam to it. */
  readonly score: number;
  /** Points by the rule that the mail hit. */
  readonly hits: Readonly<Record<string, number>>;
}

const SETTINGS = [
  // What it has learned on this machine decides nothing.
  'use_bayes 0',
  'report_safe 0',
  'add_header all Judged _TESTSSCORES(,)_ end',
];

/**
 * What the server of a receiver writes on top, with the number of the mail: SpamAssassin takes those of a mailbox in an order of its own. The address is one for tests of networks (RFC 2544); those for documentation are
 * illegal to SpamAssassin.
 */
const received = (number: number): string =>
  'Received: from mail.hearth.example (mail.hearth.example [198.18.0.7])\n' +
  `\tby mx.example.com (Postfix) with ESMTPS id mail${number} for <anna.berg@example.com>;\n` +
  '\tTue, 13 Oct 2026 09:00:02 +0000 (UTC)\n';

/** Its verdict on each mail, in their order, from one process for all of them. */
export async function judgeSpam(program: string, mails: readonly Buffer[]): Promise<readonly SpamVerdict[]> {
  const home = await testFolder(0o700);
  const settings = SETTINGS.map((line) => `--cf=${line}`);
  const judge = spawn(program, ['--local', '--nocreate-prefs', '--mbox', ...settings], {
    env: { ...process.env, HOME: home, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  judge.stdin.end(mails.map(mailboxEntry).join(''), 'latin1');
  const [printed, complaints] = await Promise.all([text(judge.stdout), text(judge.stderr)]);
  const verdicts = new Map<number, SpamVerdict>();
  for (const mail of printed.replaceAll(/\n[ \t]+/g, ' ').split(/^From bounce@/m)) {
    const number = /^Received: .* id mail(\d+) /m.exec(mail)?.[1];
    const judged = /^X-Spam-Judged: (.*) end$/m.exec(mail)?.[1];
    if (number !== undefined && judged !== undefined) verdicts.set(Number(number), verdictOf(judged));
  }
  return mails.map((_, number) => {
    const verdict = verdicts.get(number);
    if (verdict === undefined) throw new Error(`SpamAssassin did not judge mail ${number}: ${complaints}`);
    return verdict;
  });
}

function mailboxEntry(mail: Buffer, number: number): string {
  const lines = `${received(number)}${mail.toString('latin1').replaceAll('\r\n', '\n')}`;
  return `From bounce@hearth.example Tue Oct 13 09:00:02 2026\n${lines.replaceAll(/^From /gm, '>From ')}\n\n`;
}

function verdictOf(line: string): SpamVerdict {
  const hits = [...line.matchAll(/(\w+)=(-?[\d.]+)/g)].map(([, rule = '', points]) => [rule, Number(points)] as const);
  return { score: hits.reduce((sum, [, points]) => sum + points, 0), hits: Object.fromEntries(hits) };
}
