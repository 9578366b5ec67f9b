/** How far an import has come: the table `imports`. */
import { createHash } from 'node:crypto';
import type { Queryable } from '../../store/database.ts';
import type { Instant } from '../../time/types.ts';

/** The state of one import. Everything before `bytesDone` is stored or set aside; repeating what follows is harmless. */
export interface Checkpoint {
  /** Bytes of the contents, decompressed. */
  readonly bytesDone: number;
  /** Physical lines. */
  readonly linesDone: number;
  /** Lines taken in, those already known included. */
  readonly accepted: number;
  readonly rejected: number;
  readonly finishedAt: Instant | null;
}

/** An import is known by the contents of its file and by everything that decides what becomes of a line. */
export function fingerprintOfImport(contents: string, settings: object): string {
  return createHash('sha256')
    .update(`${contents}\n${JSON.stringify(settings)}`)
    .digest('hex');
}

/** Reads where an import stopped; null for one that never began. */
export async function readCheckpoint(db: Queryable, fingerprint: string): Promise<Checkpoint | null> {
  const { rows } = await db.query<Checkpoint & Record<string, unknown>>(
    `select bytes_done as "bytesDone", lines_done as "linesDone", accepted, rejected, finished_at as "finishedAt"
     from imports where fingerprint = $1`,
    [fingerprint],
  );
  return rows[0] ?? null;
}

/** Saves how far it has come. */
export async function saveCheckpoint(
  db: Queryable,
  of: { readonly fingerprint: string; readonly kind: string; readonly file: string },
  at: Checkpoint,
): Promise<void> {
  await db.query(
    `insert into imports (fingerprint, kind, file, bytes_done, lines_done, accepted, rejected, finished_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (fingerprint) do update set file = $3, bytes_done = $4, lines_done = $5, accepted = $6, rejected = $7,
       finished_at = $8, updated_at = now()`,
    [
      of.fingerprint,
      of.kind,
      of.file,
      at.bytesDone,
      at.linesDone,
      at.accepted,
      at.rejected,
      at.finishedAt === null ? null : new Date(at.finishedAt).toISOString(),
    ],
  );
}

/** Forgets an import, so that it starts over. */
export async function dropCheckpoint(db: Queryable, fingerprint: string): Promise<void> {
  await db.query('delete from imports where fingerprint = $1', [fingerprint]);
}
