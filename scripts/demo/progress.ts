/** Live progress of a replay: the day, and how many mails have gone out. */
import type { Database } from '../../engine/store/database.ts';
import { localDate } from '../../engine/time/local.ts';
import { formatLocalDate } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { utc } from '../../engine/time/zone.ts';

const WIDTH = 30;
/** On a terminal the line is rewritten so often; elsewhere one line a month is written. */
const EVERY_MS = 200;

/** Progress that is shown until it is closed. */
export interface Progress {
  readonly at: (instant: Instant) => void;
  close(): Promise<void>;
}

/** Opens the display on standard output. */
export function openProgress(options: {
  readonly db: Database;
  readonly from: Instant;
  readonly until: Instant;
}): Progress {
  const { db, from, until } = options;
  const isTerminal = process.stdout.isTTY;
  let now = from;
  let month = '';
  let showing: Promise<void> = Promise.resolve();

  const show = async (): Promise<void> => {
    const day = formatLocalDate(localDate(now, utc));
    if (!isTerminal && day.slice(0, 7) === month) return;
    month = day.slice(0, 7);
    const { rows } = await db.query<{ enrolments: number; mails: number }>(
      `select (select count(*) from enrolments) as enrolments, (select count(*) from sends where status = 'sent') as mails`,
    );
    const { enrolments = 0, mails = 0 } = rows[0] ?? {};
    const done = Math.round((WIDTH * (now - from)) / (until - from));
    const bar = `${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}`;
    const line = `  ${day} [${bar}] ${enrolments} enrolments, ${mails} mails`;
    process.stdout.write(isTerminal ? `\r${line}\u001B[K` : `${line}\n`);
  };
  const timer = setInterval(() => {
    showing = showing.then(show);
  }, EVERY_MS);
  return {
    at: (instant) => {
      now = instant;
    },
    close: async () => {
      clearInterval(timer);
      now = until - 1;
      month = '';
      await showing.then(show);
      process.stdout.write('\n');
    },
  };
}
