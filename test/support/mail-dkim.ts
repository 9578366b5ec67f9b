/** Mail::DKIM, in Perl, as a second judge of signatures (the first is `mailauth`). Debian's spamassassin brings it along. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { startDns } from './dns.ts';

/** What it says of one signature. */
export interface PerlVerdict {
  /** Of the mail, from 0. */
  readonly mail: number;
  readonly selector: string;
  readonly algorithm: string;
  /** `pass`, or another word with a reason. */
  readonly result: string;
}

/** Its verdict on every signature; `records` are the text records of the DNS by name. */
export async function judgeByMailDkim(
  mails: readonly Buffer[],
  records: Readonly<Record<string, string>>,
): Promise<readonly PerlVerdict[]> {
  const table = Object.fromEntries(Object.entries(records).map(([name, record]) => [name, { txt: [record] }]));
  const dns = await startDns(() => table);
  try {
    const script = path.join(import.meta.dirname, 'verify-dkim.pl');
    const [, port = ''] = dns.address.split(':');
    const judge = spawn('perl', [script, port], { stdio: ['pipe', 'pipe', 'pipe'] });
    judge.stdin.end(Buffer.concat(mails.flatMap((mail) => [Buffer.from(`${mail.length}\n`), mail])));
    const [printed, complaints] = await Promise.all([text(judge.stdout), text(judge.stderr)]);
    if (complaints !== '') throw new Error(`Mail::DKIM: ${complaints}`);
    return printed
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mail = '', selector = '', algorithm = '', result = ''] = line.split('\t');
        return { mail: Number(mail), selector, algorithm, result };
      });
  } finally {
    await dns.close();
  }
}
