/** The real bounce mails beside the checkout, with what others say of them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitMailbox } from '../../engine/mail/bounce/mailbox.ts';
import { sharedFolder } from '../support/shared.ts';

/** What the label of one recipient says. `status` is null where the labeller made one up (5.0.9xx) or found none. */
export interface Label {
  readonly status: string | null;
  readonly reason: string;
  readonly hard: boolean;
}

export interface RealMail {
  readonly file: string;
  /** Several where the file is a mailbox. */
  readonly mails: readonly Uint8Array[];
  /** None for mails that are no bounces. */
  readonly labels: readonly Label[];
}

/** All of them; null, said in one line, when they are not there. */
export function realMails(): readonly RealMail[] | null {
  const folder = sharedFolder('data/bounces');
  if (folder === null) return null;
  const labels = labelsIn(readFileSync(join(folder, 'labels-open.csv'), 'utf8'));
  const unpacked = mkdtempSync(join(tmpdir(), 'bounces-'));
  try {
    execFileSync('tar', ['-xf', join(folder, 'emails-open.tar.xz'), '-C', unpacked]);
    return readdirSync(unpacked, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.eml'))
      .sort()
      .map((name) => {
        const file = name.slice(name.lastIndexOf('/') + 1);
        return { file, mails: splitMailbox(readFileSync(join(unpacked, name))), labels: labels.get(file) ?? [] };
      });
  } finally {
    rmSync(unpacked, { recursive: true });
  }
}

function labelsIn(csv: string): ReadonlyMap<string, readonly Label[]> {
  const found = new Map<string, Label[]>();
  for (const line of csv.trim().split('\n').slice(1)) {
    const [file = '', , status = '', , reason = '', hard = ''] = line.split(',');
    const isReal = status !== '' && !/^[45]\.0\.9\d\d$/.test(status);
    found.set(file, [...(found.get(file) ?? []), { status: isReal ? status : null, reason, hard: hard === 'true' }]);
  }
  return found;
}
