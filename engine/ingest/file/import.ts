/**
 * Imports a file of any size: reads, checks and stores in turns, with bounded memory.
 *
 * Kept true throughout:
 * 1. One batch is being stored while the next is being read; never more. So a customer's lines go in as they stand.
 * 2. What a checkpoint covers is stored or in the rejects file. It is saved after its batch, so a run that is killed
 *    between the two repeats that batch, and event ids and customer keys make the repetition harmless.
 */
import type { ReleaseCache } from '../../store/context.ts';
import { businessNow, type Database } from '../../store/database.ts';
import type { Zone } from '../../time/types.ts';
import { openFile, type Batch, type FileFormat } from './batches.ts';
import { dropCheckpoint, fingerprintOfImport, readCheckpoint, saveCheckpoint, type Checkpoint } from './checkpoint.ts';
import { recordConsent } from './consent.ts';
import type { ImportKind } from './fields.ts';
import { storeInLanes } from './lanes.ts';
import type { RejectsFile, Reject } from './rejects.ts';
import type { Source } from './source.ts';
import { StatisticsKeeper } from './statistics.ts';
import { NameTally, type NoticedName } from './tally.ts';

/** What to import, and how. All of it but `restart` is part of an import's identity. */
export interface ImportOptions {
  readonly kind: ImportKind;
  readonly format: FileFormat;
  /** For times without an offset; null when every time must have one. */
  readonly zone: Zone | null;
  /** Whether events make customers who are not known yet. */
  readonly createCustomers: boolean;
  /** Sets facts and starts nothing. */
  readonly history: boolean;
  /** Begins anew, whatever an earlier run has done. */
  readonly restart: boolean;
}

/** How far it is. */
export interface ImportProgress extends Checkpoint {
  /** Of `source.size`. */
  readonly bytesTaken: number;
}

/** Told what happens on the way. */
export interface ImportWatch {
  /** Once, before the first batch. */
  begun(at: Checkpoint | null, unusedColumns: readonly string[]): void;
  stored(progress: ImportProgress, rejects: readonly Reject[]): void;
}

/** What became of it. The counts of `end` are over all runs of the same import, the others of this run. */
export interface ImportResult {
  readonly status: 'finished' | 'interrupted' | 'finished before';
  readonly end: Checkpoint;
  /** The physical line at which this run went on; null when it began at the start. */
  readonly resumedAtLine: number | null;
  /** Events that were known before. */
  readonly duplicates: number;
  /** Rows that a filter passed over. */
  readonly filtered: number;
  readonly noticed: readonly NoticedName[];
}

/** Everything an import works with. `stop` ends it after the batch under way. */
export interface ImportParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly source: Source;
  readonly rejects: RejectsFile;
  readonly watch: ImportWatch;
  readonly stop: AbortSignal;
}

/**
 * Imports a file, from where an earlier run of the same import stopped.
 * @throws MappingError, FileFormatError, StoreError `no-release`, and failures of disk and database; whatever was
 * stored until then counts, and the next run goes on from there.
 */
export async function importFile(parts: ImportParts, options: ImportOptions): Promise<ImportResult> {
  const { db, cache, source, rejects } = parts;
  const { company } = (await cache.context(db)).release;
  const fingerprint = await identify(source, options);
  if (fingerprint !== null && options.restart) await dropCheckpoint(db, fingerprint);
  const before = fingerprint === null ? null : await readCheckpoint(db, fingerprint);
  if (before !== null && before.finishedAt !== null) return finishedBefore(before);
  const place = before === null ? null : { byte: before.bytesDone, line: before.linesDone + 1 };
  const file = await openFile(source, options.kind, options.format, place, company);
  await (before === null ? rejects.clear() : rejects.resume(before.linesDone));
  parts.watch.begun(before, file.unusedColumns);
  const run = new Run(parts, options, fingerprint, before);
  const context = { company, zone: options.zone, createCustomers: options.createCustomers };
  try {
    return await run.through(file.batches(context));
  } finally {
    await rejects.close();
  }
}

async function identify(source: Source, options: ImportOptions): Promise<string | null> {
  const contents = await source.fingerprint();
  const { restart: _, zone, ...rest } = options;
  return contents === null ? null : fingerprintOfImport(contents, { ...rest, zone: zone?.name ?? null });
}

function finishedBefore(end: Checkpoint): ImportResult {
  return { status: 'finished before', end, resumedAtLine: null, duplicates: 0, filtered: 0, noticed: [] };
}

const NOTHING: Checkpoint = { bytesDone: 0, linesDone: 0, accepted: 0, rejected: 0, finishedAt: null };

/** One run over a file. */
class Run {
  private readonly parts: ImportParts;
  private readonly options: ImportOptions;
  private readonly fingerprint: string | null;
  private readonly resumedAtLine: number | null;
  private readonly tally = new NameTally();
  private readonly statistics = new StatisticsKeeper();
  private at: Checkpoint;
  private duplicates = 0;
  private filtered = 0;

  constructor(parts: ImportParts, options: ImportOptions, fingerprint: string | null, before: Checkpoint | null) {
    this.parts = parts;
    this.options = options;
    this.fingerprint = fingerprint;
    this.resumedAtLine = before === null ? null : before.linesDone + 1;
    this.at = before ?? NOTHING;
  }

  async through(batches: AsyncGenerator<Batch, void, undefined>): Promise<ImportResult> {
    let storing: Promise<void> = Promise.resolve();
    try {
      for await (const batch of batches) {
        await storing;
        if (this.parts.stop.aborted) return this.result('interrupted');
        storing = this.store(batch);
        // Awaited above or below; until then a failure must not count as unhandled.
        storing.catch(() => undefined);
      }
    } finally {
      await storing;
    }
    await this.save({ ...this.at, finishedAt: await businessNow(this.parts.db) });
    return this.result('finished');
  }

  private async store(batch: Batch): Promise<void> {
    const { db, cache, rejects, source, watch } = this.parts;
    const consents = batch.good.flatMap((line) => (line.consent === null ? [] : [line.consent]));
    if (consents.length > 0) await recordConsent(db, consents, await businessNow(db), source.name);
    const stored = await storeInLanes(db, cache, batch.good, this.options.history);
    const aside = [...batch.rejects, ...stored.refused].sort((a, b) => a.line - b.line);
    await rejects.add(aside);
    for (const line of batch.good) this.tally.note(line);
    this.duplicates += stored.duplicates;
    this.filtered += batch.filtered;
    await this.save({
      bytesDone: batch.end.byte,
      linesDone: batch.end.line - 1,
      accepted: this.at.accepted + batch.good.length - stored.refused.length,
      rejected: this.at.rejected + aside.length,
      finishedAt: null,
    });
    await this.statistics.stored(db, batch.good.length);
    watch.stored({ ...this.at, bytesTaken: source.bytesTaken() }, aside);
  }

  private async save(at: Checkpoint): Promise<void> {
    const { db, source } = this.parts;
    this.at = at;
    if (this.fingerprint === null) return;
    await saveCheckpoint(db, { fingerprint: this.fingerprint, kind: this.options.kind, file: source.name }, at);
  }

  private result(status: 'finished' | 'interrupted'): ImportResult {
    const { at: end, resumedAtLine, duplicates, filtered } = this;
    return { status, end, resumedAtLine, duplicates, filtered, noticed: this.tally.list() };
  }
}
