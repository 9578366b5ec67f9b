/** A folder for what does not fit into memory, which is gone when the command is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of one command's own. */
export interface TemporaryFolder {
  readonly path: string;
  /** Takes it away with all that is in it; may be called again. */
  remove(): void;
}

/** What ends a command from outside and lets it clean up. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Makes a folder that goes when it is removed, when the process exits, and when a signal ends it. A handler needs its
 * turn: whoever works for long has to leave room for it (`paced`). @throws what `mkdtemp` throws.
 */
export function openTemporaryFolder(prefix: string, parent = tmpdir()): TemporaryFolder {
  const folder = mkdtempSync(path.join(parent, prefix));
  const remove = (): void => {
    process.removeListener('exit', remove);
    for (const signal of SIGNALS) process.removeListener(signal, endedBy);
    // A file that is being written can turn up while its folder is taken away: then once more.
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const endedBy = (signal: NodeJS.Signals): void => {
    remove();
    // Whoever else listens decides; without anybody the signal does what it would have done.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  process.on('exit', remove);
  for (const signal of SIGNALS) process.on(signal, endedBy);
  return { path: folder, remove };
}
