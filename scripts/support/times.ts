/** Times as people read them, and as programs do. */
import { toLocal } from '../../engine/time/local.ts';
import { formatInstant, formatLocalDate, formatTimeOfDay } from '../../engine/time/text.ts';
import type { Instant, Zone } from '../../engine/time/types.ts';
import { jsonText } from './terminal.ts';

const MINUTE_MS = 60_000;

/** `2026-03-02 09:15` in a zone. */
export function localTime(at: Instant, zone: Zone): string {
  const local = toLocal(at, zone);
  return `${formatLocalDate(local)} ${formatTimeOfDay(Math.floor(local.ms / MINUTE_MS))}`;
}

/** Free data of the company or its people: nothing in it is known to be a time. */
const FREE: ReadonlySet<string> = new Set(['vars', 'detail', 'attributes', 'data']);
const TIMES: ReadonlySet<string> = new Set(['at', 'now', 'first', 'last']);

function isTime(key: string): boolean {
  return TIMES.has(key) || key.endsWith('At') || key.endsWith('_at');
}

/** One JSON object on one line, its times in ISO 8601. */
export function jsonLine(value: object): string {
  return `${jsonText(withTimes(value))}\n`;
}

function withTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      if (FREE.has(key)) return [key, inner];
      return [key, typeof inner === 'number' && isTime(key) ? formatInstant(inner) : withTimes(inner)];
    }),
  );
}
