/** A mail that was made, for people and for programs. */
import { paint, table, type Terminal } from '../support/terminal.ts';
import type { MadeMail } from './make.ts';

/** What Gmail shows of a mail; the rest is behind a link. */
const CLIPPED_BYTES = 102 * 1024;

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

/** In characters as people count them. */
function lengthOf(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}

/** Its head and its plain text. */
export function mailText(mail: MadeMail, terminal: Pick<Terminal, 'colour'>): string {
  const bytes = Buffer.byteLength(mail.html);
  const size = `${kilobytes(bytes)} of HTML${bytes > CLIPPED_BYTES ? ', of which Gmail shows 102 KB' : ''}`;
  const rows = [
    ['Template', `${mail.template} (${mail.locale})`],
    ['From', mail.from],
    ...(mail.replyTo === null ? [] : [['Reply to', mail.replyTo]]),
    ['Subject', `${mail.subject} (${lengthOf(mail.subject)} characters)`],
    ['Preheader', mail.preheader === '' ? '(none)' : mail.preheader],
    ['Size', size],
  ];
  const body = mail.text.replaceAll(/[^\P{Cc}\n\t]/gu, '·');
  return `${table(rows)}${paint(terminal, 'dim', mail.notes.join(' '))}\n\n${body}`;
}

/** All of it. */
export function mailJson(mail: MadeMail): object {
  return { outcome: 'made', ...mail, htmlBytes: Buffer.byteLength(mail.html) };
}
