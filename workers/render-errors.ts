/** Counts, in one process, mails that cannot be written, and pauses playbooks of which ten in a row fail in the same way. */
import type { Database } from '../engine/store/database.ts';
import { failsInARow, pauseForErrors, RENDER_ERRORS_IN_A_ROW } from '../engine/store/render-errors.ts';
import type { Instant } from '../engine/time/types.ts';
import { errorFields, type Logger } from './log.ts';

/** What a deliver worker tells of its writing. */
export interface RenderErrors {
  /** A mail of the playbook was written. */
  wrote(playbook: string, at: Instant): void;
  /** One could not be, for a reason of that kind; gives how many in a row, this one included. */
  failed(playbook: string, kind: string): number;
  /** To be called once the mail is held: pauses the playbook if it was the last that it took. Never rejects. */
  held(playbook: string, error: string, inARow: number): Promise<void>;
}

interface Streak {
  readonly kind: string;
  readonly count: number;
}

/**
 * Opens the count of one process. What it has not seen itself (earlier processes, other workers) is asked of the database, so that
 * a playbook with one mail a day is paused as well.
 */
export function openRenderErrors(db: Database, log: Logger): RenderErrors {
  const streaks = new Map<string, Streak>();
  const writtenAt = new Map<string, Instant>();
  return {
    wrote: (playbook, at) => {
      streaks.delete(playbook);
      writtenAt.set(playbook, at);
    },
    failed: (playbook, kind) => {
      const before = streaks.get(playbook);
      const count = before?.kind === kind ? before.count + 1 : 1;
      streaks.set(playbook, { kind, count });
      return count;
    },
    held: async (playbook, error, inARow) => {
      try {
        const isOver =
          inARow === RENDER_ERRORS_IN_A_ROW ||
          (inARow < RENDER_ERRORS_IN_A_ROW &&
            (await failsInARow(db, playbook, error, writtenAt.get(playbook) ?? null)));
        if (!isOver) return;
        streaks.delete(playbook);
        if (await pauseForErrors(db, playbook, error)) {
          const hint = `"perennial held" says why: mend it, then "perennial held retry" and "perennial resume ${playbook}"`;
          log.error({ playbook, hint }, 'ten mails in a row could not be written: the playbook is paused');
        }
      } catch (failure) {
        log.error(
          { playbook, ...errorFields(failure) },
          'a playbook whose mails cannot be written could not be paused',
        );
      }
    },
  };
}
