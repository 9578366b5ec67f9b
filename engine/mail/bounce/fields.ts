/** Groups of `Name: value` lines, as in the machine-readable parts of RFC 3464 section 2.1 and RFC 5965 section 3.1. */
import { normaliseAddress } from '../../message/address.ts';

/** The values of each field, by its name in lower case. */
export type Fields = ReadonlyMap<string, readonly string[]>;

const FIELD = /^([A-Za-z][A-Za-z0-9-]{0,60})\s*:[ \t]*(.*)$/;
const MAX_LINES = 5_000;
/** Fields that a group has once: a second one is the next recipient, where a server forgot the blank line. */
const ONCE: ReadonlySet<string> = new Set(['final-recipient', 'action', 'status']);

/** Reads groups that blank lines keep apart; lines that are no fields end nothing and say nothing. */
export function readFields(text: string): readonly Fields[] {
  const groups: Map<string, string[]>[] = [];
  let group = new Map<string, string[]>();
  let last: string[] | null = null;
  const next = (): void => {
    if (group.size > 0) groups.push(group);
    group = new Map();
    last = null;
  };
  for (const line of text.split(/\r?\n/).slice(0, MAX_LINES)) {
    if (line.trim() === '') next();
    else if (/^[ \t]/.test(line) && last !== null) last.push(`${last.pop() ?? ''} ${line.trim()}`);
    else {
      const match = FIELD.exec(line);
      const name = match?.[1]?.toLowerCase();
      if (name === undefined) continue;
      if (ONCE.has(name) && group.has(name)) next();
      last = group.get(name) ?? [];
      group.set(name, last);
      last.push((match?.[2] ?? '').trim());
    }
  }
  next();
  return groups;
}

/** The first value of a field that says something; null when there is none. */
export function fieldOf(fields: Fields, name: string): string | null {
  return fields.get(name)?.find((value) => value !== '') ?? null;
}

/** The address in `rfc822; ada@example.com`, with or without its type or angle brackets; null for none. */
export function addressIn(value: string | null): string | null {
  if (value === null) return null;
  const bare = value.replace(/^[A-Za-z0-9-]+\s*;/, '').trim();
  return normaliseAddress(/<([^<>]*)>/.exec(bare)?.[1] ?? bare);
}
