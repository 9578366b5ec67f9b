/** DNS records as people copy them: a line of a zone file, and the fields of a provider's form. */
import { dkimRecord, dkimRecordName, type DkimKey } from '../../engine/mail/dkim/key.ts';

/** A record to publish. */
export interface DnsRecord {
  /** Without the dot at its end. */
  readonly name: string;
  readonly type: 'TXT' | 'MX';
  /** Whole, however long. */
  readonly value: string;
}

/** RFC 1035 section 3.3: a text record is made of strings of so many bytes at most. */
const LONGEST_STRING = 255;

/** The record that verifies a key. */
export function dkimDnsRecord(key: DkimKey, domain: string): DnsRecord {
  return { name: dkimRecordName(key.selector, domain), type: 'TXT', value: dkimRecord(key) };
}

/** As a line of a zone file, long texts in parts. */
export function zoneLine({ name, type, value }: DnsRecord): string {
  if (type !== 'TXT') return `${name}. IN ${type} ${value}`;
  const parts = value.match(new RegExp(`.{1,${LONGEST_STRING}}`, 'g')) ?? [''];
  const strings = parts.map((part) => `"${part.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');
  return `${name}. IN TXT ${parts.length === 1 ? strings : `( ${strings} )`}`;
}

/** For people: the fields of a form, then the line of a zone file. */
export function recordText(record: DnsRecord): string {
  const { name, type, value } = record;
  return `  name   ${name}\n  type   ${type}\n  value  ${value}\n\n  as a line of a zone file:\n  ${zoneLine(record)}\n`;
}
