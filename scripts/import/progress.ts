/** Says on standard error how an import gets on: one line that is rewritten on a terminal, otherwise one every 10 s. */
import type { ImportProgress, ImportWatch } from '../../engine/ingest/file/import.ts';
import type { ImportKind } from '../../engine/ingest/file/fields.ts';
import { harmless } from '../support/terminal.ts';
import { count } from './words.ts';

/** Where and what to say. */
export interface ProgressOptions {
  readonly kind: ImportKind;
  /** Bytes of the file; null when nobody knows. */
  readonly size: number | null;
  readonly stream: { write(text: string): unknown; readonly isTTY?: boolean };
  /** A clock in ms, for speeds. */
  readonly now: () => number;
}

const TERMINAL_EVERY_MS = 200;
const LINE_EVERY_MS = 10_000;
/** More of them on the screen say nothing new; all are in the file. */
const REJECTS_SHOWN = 10;
const CLEAR_LINE = '\r\u001b[K';

/** What has been noticed on the way, for the end. */
export interface ProgressReport extends ImportWatch {
  readonly unusedColumns: readonly string[];
  /** Takes the line that is rewritten off the terminal. */
  end(): void;
}

/** Begins to report. */
export function reportProgress(options: ProgressOptions): ProgressReport {
  const { stream, now } = options;
  const startedAt = now();
  const isTTY = stream.isTTY === true;
  let unused: readonly string[] = [];
  let linesBefore = 0;
  let bytesBefore: number | null = null;
  let shown = 0;
  let saidAt = startedAt;
  const say = (text: string): void => {
    stream.write(`${isTTY ? CLEAR_LINE : ''}${harmless(text)}\n`);
  };
  return {
    get unusedColumns() {
      return unused;
    },
    begun: (at, unusedColumns) => {
      unused = unusedColumns;
      linesBefore = at?.linesDone ?? 0;
      if (at !== null)
        say(`Going on at line ${count(linesBefore + 1)}, where an earlier run stopped; --restart begins anew.`);
      if (unused.length > 0) say(`Columns not used: ${unused.join(', ')}`);
    },
    stored: (progress, rejects) => {
      for (const { line, reason } of rejects.slice(0, Math.max(0, REJECTS_SHOWN - shown)))
        say(`line ${line}: ${reason}`);
      shown += rejects.length;
      bytesBefore ??= progress.bytesTaken;
      const at = now();
      if (at - saidAt < (isTTY ? TERMINAL_EVERY_MS : LINE_EVERY_MS)) return;
      saidAt = at;
      const text = progressLine(progress, options, { seconds: (at - startedAt) / 1000, linesBefore, bytesBefore });
      stream.write(isTTY ? `${CLEAR_LINE}${text}` : `${text}\n`);
    },
    end: () => {
      if (isTTY) stream.write(CLEAR_LINE);
    },
  };
}

function progressLine(
  progress: ImportProgress,
  { size, kind }: ProgressOptions,
  since: { readonly seconds: number; readonly linesBefore: number; readonly bytesBefore: number },
): string {
  const speed = Math.round((progress.linesDone - since.linesBefore) / since.seconds);
  const parts = [`${count(progress.accepted)} ${kind}`, `${count(speed)} lines/s`];
  if (progress.rejected > 0) parts.push(`${count(progress.rejected)} set aside`);
  if (size === null || size === 0) return parts.join(', ');
  const done = progress.bytesTaken / size;
  const rate = (progress.bytesTaken - since.bytesBefore) / since.seconds;
  if (rate > 0 && done < 1) parts.push(`${duration((size - progress.bytesTaken) / rate)} to go`);
  return `${Math.floor(done * 100)} %, ${parts.join(', ')}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
