/** What would come of an enrolment if nothing else happened: the same rules, run ahead in memory. */
import { openDraft, ReaderLog, type Draft } from '../journey/draft.ts';
import { enterByHand, runDue } from '../journey/run.ts';
import type { Context, EntryRefusal, Line } from '../journey/types.ts';
import type { Json } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';

/** An entry by hand, as `enterByHand` takes it. */
export interface ManualEntry {
  readonly entryKey: string;
  readonly at: Instant;
  readonly vars: Readonly<Record<string, Json>>;
}

/** Waits in playbooks are mostly shorter; what comes later is not shown. */
const HORIZON_MS = 366 * 86_400_000;

const ENDS: ReadonlySet<Line['do']> = new Set(['complete', 'exit', 'goal', 'cancel']);

/**
 * Tries the entry on a copy of the customer and carries it on for a year: whether it would be let in, and the lines
 * of its timeline from the entry to its end, after those of whatever the entry restarts. Changes nothing.
 */
export function foresee(
  draft: Draft,
  playbook: string,
  entry: ManualEntry,
  ctx: Context,
): { readonly refusal: EntryRefusal; readonly lines: readonly Line[] } {
  const ahead = openDraft(draft.state, new ReaderLog(draft.reader.handedAt));
  const simulated: Context = { ...ctx, handsOverAtOnce: true };
  runDue([ahead], entry.at, simulated);
  const before = ahead.lines.length;
  const refusal = enterByHand(ahead, playbook, entry, simulated);
  if (!refusal.entered) return { refusal, lines: [] };
  runDue([ahead], entry.at + HORIZON_MS, simulated);
  const all = ahead.lines.slice(before).filter(({ line }) => line.playbook === playbook);
  const restarted = all.filter(({ line }) => line.reason === 'restart' && line.at === entry.at);
  const own = all.filter(({ entryKey }) => entryKey === entry.entryKey);
  const end = own.findIndex(({ line }) => ENDS.has(line.do));
  const lines = [...restarted, ...(end === -1 ? own : own.slice(0, end + 1))];
  return { refusal, lines: lines.map((ordered) => ordered.line) };
}
