/** Real bounce mails of many servers, read, and compared with what others read in them. */
import { describe, expect, it } from '@jest/globals';
import { readReport } from '../../engine/mail/bounce/read.ts';
import type { MailReport } from '../../engine/mail/bounce/report.ts';
import { realMails, type RealMail } from './real-mails.ts';

/** Where we read another status than the label, and why. */
const OTHER_STATUS: ReadonlyMap<string, string> = new Map([
  ['lhost-x2-05.eml', 'in words only, and the status is not beside a reply code'],
]);

interface Read extends RealMail {
  readonly reports: readonly MailReport[];
  readonly statuses: readonly string[];
  readonly isHard: boolean;
}

const given = realMails();
const mails: readonly Read[] = given === null ? [] : await Promise.all(given.map(read));

async function read(mail: RealMail): Promise<Read> {
  const reports = await Promise.all(mail.mails.map(readReport));
  const recipients = reports.flatMap((report) => (report.kind === 'bounce' ? report.recipients : []));
  return {
    ...mail,
    reports,
    statuses: recipients.map(({ status }) => status).filter((status) => status !== null),
    isHard: recipients.some(({ verdict }) => verdict === 'hard'),
  };
}

const kindOf = ({ reports, labels }: Read): string => {
  if (reports.some(({ kind }) => kind === 'complaint')) return 'complaint';
  if (reports.some(({ kind }) => kind === 'bounce')) return 'bounce';
  return labels.length === 0 || labels.some(({ reason }) => reason === 'vacation') ? 'no bounce' : 'not read';
};

const describeReal = given === null ? describe.skip : describe;

describeReal('real mails that came back', () => {
  it('has some hundred of them', () => {
    expect(mails.length).toBeGreaterThan(270);
  });

  it('reads every status that a delivery report gives', () => {
    const wrong = mails
      .filter(({ labels, reports }) => labels.length > 0 && reports.some(({ kind }) => kind === 'bounce'))
      .filter(({ file }) => !OTHER_STATUS.has(file))
      .flatMap(({ file, labels, statuses }) => {
        const missing = labels.flatMap(({ status }) => (status !== null && !statuses.includes(status) ? [status] : []));
        return missing.length === 0 ? [] : [{ file, missing, statuses }];
      });
    expect(wrong).toEqual([]);
  });

  it('leaves no mail unread in which a status stands for machines', () => {
    const unread = mails.filter(
      (mail) =>
        kindOf(mail) === 'not read' &&
        mail.mails.some((raw) => /^status:[ \t]*[245]\.\d/im.test(Buffer.from(raw).toString())),
    );
    expect(unread.map(({ file }) => file)).toEqual([]);
  });

  it('suppresses nobody for what is no bounce, or is the fault of the sender', () => {
    const harmless = new Set(['vacation', 'delivered', 'mailboxfull', 'expired', 'spamdetected', 'authfailure']);
    const wrong = mails.filter(
      ({ file, isHard, labels }) =>
        isHard && file !== 'rfc3464-01.eml' && labels.every(({ reason }) => harmless.has(reason)),
    );
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });

  it('reads complaints, with every address that they name', () => {
    const complaints = mails.flatMap(({ file, reports }) =>
      reports.flatMap((report) =>
        report.kind === 'complaint' ? [[file, report.feedback, report.recipients.length]] : [],
      ),
    );
    expect(complaints).toEqual([
      ['arf-11.eml', 'abuse', 0],
      ['arf-12.eml', 'opt-out', 1],
      ['arf-14.eml', 'abuse', 1],
      ['arf-16.eml', 'abuse', 7],
      ['arf-25.eml', 'abuse', 1],
    ]);
  });

  it('prints how far both agree', () => {
    const rows = new Map<string, number>();
    const count = (row: string): unknown => rows.set(row, (rows.get(row) ?? 0) + 1);
    const differences: string[] = [];
    for (const mail of mails) {
      const { file, labels, statuses, isHard, reports } = mail;
      const kind = kindOf(mail);
      if (kind !== 'bounce') {
        count(kind);
        if (kind === 'not read')
          differences.push(`${file}: not read (${labels.map(({ reason }) => reason).join(', ')})`);
        continue;
      }
      const verdicts = reports.flatMap((report) => (report.kind === 'bounce' ? report.recipients : []));
      const isSame = labels.some(({ hard }) => hard) === isHard;
      count(`bounce, ${isSame ? 'same verdict' : isHard ? 'only we say hard' : 'only the label says hard'}`);
      if (!isSame) {
        const ours = verdicts.map(({ status, verdict }) => `${status ?? '-'} ${verdict}`).join(', ');
        const theirs = labels.map(({ status, reason, hard }) => `${status ?? '-'} ${reason}${hard ? ' hard' : ''}`);
        differences.push(
          `${file}: ${ours}; label: ${theirs.join(', ')}; ${verdicts[0]?.diagnostic?.slice(0, 90) ?? ''}`,
        );
      }
      expect(statuses.every((status) => /^[245]\.\d{1,3}\.\d{1,3}$/.test(status))).toBe(true);
    }
    const table = [...rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([row, n]) => `  ${String(n).padStart(4)}  ${row}`);
    process.stdout.write(
      `${[`${mails.length} real mails:`, ...table, ...differences.map((line) => `  ${line}`)].join('\n')}\n`,
    );
    expect(rows.get('bounce, same verdict')).toBeGreaterThan(200);
    expect(rows.get('no bounce')).toBe(5);
  });
});
