/** Stores what the rules decided: all changes of all drafts of a chunk, in one statement for each table that changed. */
import { changesOf, enrolmentKey, sendKey, type Draft } from '../journey/draft.ts';
import { launchKey } from '../journey/launch.ts';
import type { Changes } from '../journey/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';
import { settleCodes } from './coupon-codes.ts';
import { recordEffects } from './record-effects.ts';
import { recordEnrolments } from './record-enrolments.ts';
import { recordRefusals } from './record-refusals.ts';
import { recordSends } from './record-sends.ts';
import { recordCustomers, recordStats, recordTimers } from './record-facts.ts';
import { execute, time } from './sql.ts';
import { storedOf, type Recording } from './stored.ts';

/**
 * Writes the changes of drafts that `openDrafts` made, under the locks under which they were loaded. Once for each
 * draft; afterwards `sendIdOf` knows the ids of new sends. Mails that are claimed but not yet handed over are cancelled
 * together with their enrolment (docs/architecture.md P3).
 * @throws StoreError `lost-row` when a row changed past the lock, `unknown-run` for a launch nobody runs.
 */
export async function recordAll(tx: Queryable, drafts: readonly Draft[], ctx: StoreContext): Promise<void> {
  const recordings: readonly Recording[] = drafts.map((draft) => ({
    draft,
    stored: storedOf(draft),
    changes: changesOf(draft),
  }));
  await Promise.all([
    recordCustomers(tx, recordings),
    recordStats(tx, recordings),
    recordEnrolments(tx, recordings, ctx),
    recordTimers(tx, recordings, ctx),
    recordLaunchesAsked(tx, recordings),
    recordRefusals(tx, recordings, ctx),
  ]);
  // These name enrolments by the ids that new ones have only now.
  await Promise.all([
    recordSends(tx, recordings, ctx),
    recordJournal(tx, recordings),
    recordEffects(tx, recordings, ctx),
  ]);
  await settleCodes(tx, recordings, ctx);
}

/** The row id of a send that was loaded or recorded. @throws StoreError `lost-row` for any other. */
export function sendIdOf(draft: Draft, send: Parameters<typeof sendKey>[0]): number {
  const found = storedOf(draft).sends.get(sendKey(send));
  if (found !== undefined) return found.id;
  throw new StoreError('lost-row', `no row is known for the mail "${send.step}" of playbook "${send.playbook}"`);
}

/** Lines that no other row says: docs/playbooks.md without what enrolments and sends show by themselves. */
async function recordJournal(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.flatMap(({ draft, stored }) =>
    draft.lines
      .filter(({ line }) => isOnlyInJournal(line.do, line.reason))
      .map(({ line, entryKey }) => ({
        customer_id: stored.customerId,
        enrolment_id: stored.enrolments.get(enrolmentKey({ playbook: line.playbook, entryKey }))?.id ?? null,
        at: time(line.at),
        do: line.do,
        step: line.step ?? null,
        reason: line.reason ?? null,
      })),
  );
  await execute(
    tx,
    rows,
    `insert into journal (customer_id, enrolment_id, at, "do", step, reason)
     select customer_id, enrolment_id, at, "do", step, reason from rows order by place`,
    'customer_id bigint, enrolment_id bigint, at timestamptz, "do" text, step text, reason text',
  );
}

function isOnlyInJournal(done: Changes['lines'][number]['do'], reason: string | undefined): boolean {
  switch (done) {
    case 'task':
    case 'webhook':
    case 'coupon':
    case 'set':
    case 'tag':
    case 'untag':
      return true;
    case 'skip':
      return reason === 'condition';
    case 'enrol':
    case 'email':
    case 'survey':
    case 'exit':
    case 'goal':
    case 'complete':
    case 'cancel':
      return false;
  }
}

async function recordLaunchesAsked(tx: Queryable, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.flatMap(({ stored, changes }) =>
    changes.launchesAsked.map(({ playbook, launch }) => {
      const run = stored.runs.get(launchKey(playbook, launch));
      if (run === undefined)
        throw new StoreError('unknown-run', `no run asks playbook "${playbook}" about "${launch}"`);
      return { run_id: run, customer_id: stored.customerId };
    }),
  );
  await execute(
    tx,
    rows,
    // What was owed is behind the cursor: paid, it is remembered nowhere.
    `, paid as (
       delete from run_owed o using rows r where o.customer_id = r.customer_id and o.run_id = r.run_id
       returning o.run_id, o.customer_id)
     insert into run_asked (run_id, customer_id)
     select run_id, customer_id from rows except all select run_id, customer_id from paid on conflict do nothing`,
    'run_id bigint, customer_id bigint',
  );
}
