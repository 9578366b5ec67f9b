/** Anybody may write to the address that bounces go to: what they send costs little, and real reports are read all the same. */
import { expect, it } from '@jest/globals';
import { readReport } from '../../engine/mail/bounce/read.ts';

const MANY = 1_000_000;
const HEAD = 'From: MAILER-DAEMON@x.example\r\nTo: bounce@hearth.example\r\nSubject: Returned\r\nMIME-Version: 1.0\r\n';
const of = (headers: string, body: string): string => `${HEAD}${headers}\r\n${body}`;
const times = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('');

/** A report as servers write it, with so many lines before its status and the mail that came back behind it. */
function report(lines: number, returned: string): string {
  return of(
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n',
    `--b\r\nContent-Type: text/plain\r\n\r\n${'.\r\n'.repeat(lines)}--b\r\nContent-Type: message/delivery-status\r\n\r\n` +
      'Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n' +
      `--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <send-1@hearth.example>\r\n\r\n${returned}\r\n--b--\r\n`,
  );
}

/** Each of them took a parser seconds to minutes when all of it was looked at. */
it.each([
  ['empty lines', of('', '\r\n'.repeat(MANY / 2))],
  ['lines that look like notices', of('', '<a@b>:\r\n'.repeat(MANY / 8))],
  ['folds of a header', of(`X-A: b\r\n${' c\r\n'.repeat(MANY / 4)}`, 'x')],
  ['headers', of('X-A: b\r\n'.repeat(MANY / 8), 'x')],
  ['addresses in a header', of(`To: ${'a,'.repeat(MANY / 2)}\r\n`, 'x')],
  ['comments in a header', of(`To: ${'('.repeat(MANY)}\r\n`, 'x')],
  [
    'parts within parts',
    of(
      '',
      times(3_000, (n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`),
    ),
  ],
  ['mails within mails', HEAD + times(3_000, () => 'Content-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\n')],
  ['marks of HTML', of('Content-Type: text/html\r\n', '<a'.repeat(MANY / 2))],
])('a megabyte of %s is no report, and is done with at once', async (_what, text) => {
  expect(await readReport(Buffer.from(text))).toMatchObject({ kind: 'none' });
});

it('a report is read whatever comes back behind it, and not behind thousands of lines', async () => {
  const read = async (text: string): Promise<string> => (await readReport(Buffer.from(text))).kind;
  expect(await read(report(10, '\r\n'.repeat(MANY / 2)))).toBe('bounce');
  expect(await read(report(3_000, 'x'.repeat(MANY)))).toBe('bounce');
  expect(await read(report(5_000, 'x'))).toBe('none');
});
