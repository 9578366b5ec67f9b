/** Says on a terminal's standard error how far a simulation is: one line that is rewritten, and taken away in the end. */
import { count } from '../import/words.ts';

/** Where to say it, and a clock in ms. */
export interface ProgressOptions {
  readonly stream: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly now: () => number;
}

/** Told of customers that are done. */
export interface Progress {
  /** So many customers there are. */
  total: number;
  done(customers: number): void;
  /** So large a share of the input is made ready, from 0 to 1. */
  reading(share: number): void;
  end(): void;
}

const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001B[K';

/** Begins to report; says nothing where nobody looks. */
export function openProgress({ stream, now }: ProgressOptions): Progress {
  const isTTY = stream.isTTY === true;
  let saidAt = now();
  let customers = 0;
  let said = false;
  const say = (text: () => string): void => {
    if (!isTTY || now() - saidAt < EVERY_MS) return;
    saidAt = now();
    said = true;
    stream.write(`${CLEAR_LINE}${text()}`);
  };
  const progress: Progress = {
    total: 0,
    done: (more) => {
      customers += more;
      say(() => {
        const share = progress.total === 0 ? '' : `, ${Math.floor((customers / progress.total) * 100)} %`;
        return `${count(customers)} customers${share}`;
      });
    },
    reading: (share) => say(() => `reading, ${Math.floor(share * 100)} %`),
    end: () => {
      if (said) stream.write(CLEAR_LINE);
    },
  };
  return progress;
}
