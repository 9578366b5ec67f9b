import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Sample } from './types.ts';

/** What became of the files: `file` is the one that stood in the way. */
export type Written = { readonly ok: true } | { readonly ok: false; readonly file: string };

/**
 * Writes `customers.jsonl` and `events.jsonl` into a folder, which is made when it is missing. Each file appears
 * whole or not at all. Without `replace`, a file that exists is left alone and nothing is written.
 */
export async function writeSample(folder: string, sample: Sample, replace: boolean): Promise<Written> {
  await mkdir(folder, { recursive: true });
  const files = [
    { file: path.join(folder, 'customers.jsonl'), rows: sample.customers },
    { file: path.join(folder, 'events.jsonl'), rows: sample.events },
  ];
  for (const { file } of files) {
    if (!replace && (await exists(file))) return { ok: false, file };
  }
  for (const { file, rows } of files) await writeLines(file, rows);
  return { ok: true };
}

async function writeLines(file: string, rows: readonly unknown[]): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  const handle = await open(unfinished, 'w');
  try {
    for (let start = 0; start < rows.length; start += 1000) {
      const lines = rows.slice(start, start + 1000).map((row) => `${JSON.stringify(row)}\n`);
      await handle.appendFile(lines.join(''));
    }
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}

async function exists(file: string): Promise<boolean> {
  try {
    await (await open(file, 'r')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
