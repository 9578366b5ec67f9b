import { createHash } from 'node:crypto';
import type { SourceFile } from './problem.ts';

/** SHA-256 (hex) of a text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 (hex) over all sources, whatever their order: a release's content address. */
export function hashOfAll(sources: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  const sorted = [...sources].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const { path, text } of sorted) {
    // Lengths first, so that no text can pass for the border between two files.
    hash
      .update(`${Buffer.byteLength(path)} ${Buffer.byteLength(text)}\n`)
      .update(path)
      .update(text);
  }
  return hash.digest('hex');
}
