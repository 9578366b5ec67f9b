/** What the doctor found: one finding for each thing it looked at. */
import type { DnsRecord } from '../dkim/record.ts';

/** `skip`: it could not be looked at, or there is nothing to look at. */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

/** One thing that was looked at. */
export interface Finding {
  /** A word for it, the same in every run: `spf`, `dkim s2026a`. */
  readonly check: string;
  readonly level: Level;
  /** What was seen, a sentence or part of one. */
  readonly seen: string;
  /** What to do; null when nothing is to be done. */
  readonly todo: string | null;
  /** To be published as they stand. */
  readonly records: readonly DnsRecord[];
}

/** All is well. */
export function ok(check: string, seen: string): Finding {
  return { check, level: 'ok', seen, todo: null, records: [] };
}

/** It was not looked at. */
export function skip(check: string, seen: string, todo: string | null = null): Finding {
  return { check, level: 'skip', seen, todo, records: [] };
}

/** It works, but not as it should. */
export function warn(check: string, seen: string, todo: string, records: readonly DnsRecord[] = []): Finding {
  return { check, level: 'warn', seen, todo, records };
}

/** It does not work. */
export function fail(check: string, seen: string, todo: string, records: readonly DnsRecord[] = []): Finding {
  return { check, level: 'fail', seen, todo, records };
}
