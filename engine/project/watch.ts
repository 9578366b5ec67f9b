import { type FSWatcher, watch } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPANY_FILE } from '../playbook/layout.ts';
import { codeOf } from './errors.ts';
import { SOURCE_FOLDERS } from './read.ts';

/** Editors save in several steps; after this long without a further one a save is over. */
const QUIET_MS = 100;

/** A watch that goes on until it is closed. */
export interface ProjectWatch {
  close(): void;
}

/** What a watch reports. */
export interface WatchHandlers {
  /** Sources may have changed; called once a save is over, never while an earlier call still runs. */
  readonly onChange: () => void | Promise<void>;
  /** Watching itself failed (too many watches, a folder gone): changes may go unseen from now on. */
  readonly onError: (error: Error) => void;
}

async function foldersUnder(folder: string): Promise<readonly string[]> {
  const found = [folder];
  for await (const entry of await opendir(folder)) {
    if (entry.isDirectory() && !entry.name.startsWith('.'))
      found.push(...(await foldersUnder(join(folder, entry.name))));
  }
  return found;
}

async function sourceFolders(dir: string): Promise<readonly string[]> {
  const found = [dir];
  for (const name of SOURCE_FOLDERS) {
    try {
      found.push(...(await foldersUnder(join(dir, name))));
    } catch (error) {
      // A company may not have the folder yet; its birth is seen in the company folder itself.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return found;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('watching failed', { cause: error });
}

/** Whether a name in the company folder itself is one of ours; some platforms do not say the name. */
function isTopLevel(name: string | null): boolean {
  return name === null || name === COMPANY_FILE || SOURCE_FOLDERS.some((known) => known === name);
}

/** One watcher a folder: watching trees at once is not to be had on every platform and Node 20. */
class FolderWatch implements ProjectWatch {
  readonly #dir: string;
  readonly #handlers: WatchHandlers;
  #watchers: readonly FSWatcher[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #again = false;
  #closed = false;

  constructor(dir: string, handlers: WatchHandlers) {
    this.#dir = dir;
    this.#handlers = handlers;
  }

  /** Watches the folders that are there now. A folder that was replaced has the same name, so all are watched anew. */
  async follow(): Promise<void> {
    const folders = await sourceFolders(this.#dir);
    if (this.#closed) return;
    const before = this.#watchers;
    this.#watchers = folders.map((folder) => this.#watch(folder)).filter((watcher) => watcher !== null);
    for (const watcher of before) watcher.close();
  }

  #watch(folder: string): FSWatcher | null {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (folder !== this.#dir || isTopLevel(name)) this.#touched();
      });
      return watcher.on('error', (error) => this.#failed(folder, watcher, error));
    } catch (error) {
      this.#report(folder, error);
      return null;
    }
  }

  #failed(folder: string, watcher: FSWatcher, error: unknown): void {
    watcher.close();
    this.#report(folder, error);
  }

  /** A folder that goes away ends its watch with an error, and the folder around it tells of that; the company's own has none. */
  #report(folder: string, error: unknown): void {
    const isGone = ['ENOENT', 'EPERM'].includes(codeOf(error) ?? '');
    if (!isGone || folder === this.#dir) this.#handlers.onError(asError(error));
  }

  #touched(): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#settled(), QUIET_MS);
  }

  async #settled(): Promise<void> {
    this.#timer = null;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      await this.follow();
      if (!this.#closed) await this.#handlers.onChange();
    } catch (error) {
      this.#handlers.onError(asError(error));
    } finally {
      this.#running = false;
    }
    if (!this.#again) return;
    this.#again = false;
    this.#touched();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }
}

/**
 * Watches a company folder's sources until closed; what cannot be watched is told to `onError`.
 * Throws the file system's error when the folders cannot be listed.
 */
export async function watchProject(dir: string, handlers: WatchHandlers): Promise<ProjectWatch> {
  const watching = new FolderWatch(dir, handlers);
  try {
    await watching.follow();
  } catch (error) {
    watching.close();
    throw error;
  }
  return watching;
}
