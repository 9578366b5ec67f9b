/** This machine's clock against others: mail carries its time, and certificates and signatures are judged by it. */
import { fail, ok, warn, type Finding } from './report.ts';

/** Another clock's time, and between which times of this one it was read, all in ms. */
export interface OtherClock {
  readonly at: number;
  readonly before: number;
  readonly after: number;
  /** How exact the other time is. */
  readonly exactMs: number;
}

/** RFC 5322 dates have whole seconds, and nobody looks at less. */
const WARN_MS = 5_000;
/** Verifiers of signatures and mail filters begin to doubt. */
const FAIL_MS = 5 * 60_000;

/** How far the clocks are apart at least. */
export function judgeClock(check: string, whose: string, other: OtherClock): Finding {
  const early = other.before - other.exactMs;
  const late = other.after + other.exactMs;
  const apartMs = Math.max(0, early - other.at, other.at - late);
  const seconds = Math.round(apartMs / 1_000);
  if (apartMs < WARN_MS) return ok(check, `this machine's clock agrees with ${whose}`);
  const seen = `this machine's clock is ${seconds} s ${other.at < other.before ? 'ahead of' : 'behind'} ${whose}`;
  const todo = 'let both machines keep their time by NTP (timedatectl set-ntp true)';
  return apartMs < FAIL_MS ? warn(check, seen, todo) : fail(check, seen, todo);
}

/** The time in a server's greeting, where it has one (Exim and Sendmail do), in ms; null without. */
export function dateInGreeting(greeting: string): number | null {
  const date = /(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}/.exec(greeting)?.[0];
  const at = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(at) ? null : at;
}
