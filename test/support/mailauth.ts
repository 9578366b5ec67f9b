/** mailauth as a judge of signatures that shares no code with what signs; its own types pull in more than is needed. */
import { createRequire } from 'node:module';

/** What it says of one signature. */
export interface Judged {
  readonly signingDomain: string;
  readonly selector: string;
  readonly algo: string;
  readonly format: string;
  readonly signingHeaders: { readonly keys: string };
  readonly status: { readonly result: string; readonly aligned: string | false; readonly comment?: string };
}

interface Mailauth {
  readonly dkimVerify: (
    message: Buffer,
    options: {
      readonly resolver: (name: string, type: string) => Promise<readonly string[][]>;
      readonly curTime?: Date;
    },
  ) => Promise<{ readonly results: readonly Judged[] }>;
}

const { dkimVerify } = createRequire(import.meta.url)('mailauth/lib/dkim/verify') as Mailauth;

/** Its verdict on each signature of a message; `records` are the text records of the DNS by name. */
export async function judgeSignatures(
  message: Buffer,
  records: Readonly<Record<string, string>>,
): Promise<readonly Judged[]> {
  const resolver = async (name: string): Promise<readonly string[][]> => {
    const text = records[name];
    if (text === undefined) throw Object.assign(new Error(`no record at ${name}`), { code: 'ENOTFOUND' });
    return [[text]];
  };
  return (await dkimVerify(message, { resolver })).results;
}
