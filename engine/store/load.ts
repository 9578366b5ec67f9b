/** Loads whole customers in a few statements, whatever their number. Only under their lock (see lock.ts). */
import { enrolmentKey, openDraft, ReaderLog, sendKey, type Draft } from '../journey/draft.ts';
import { launchKey } from '../journey/launch.ts';
import type { Consent, CustomerState, EntryRecord, EventStat, Send, Timer } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import {
  loadConsent,
  loadHandOvers,
  loadLaunches,
  loadLaunchesTaken,
  NO_CONSENT,
  type LaunchesDue,
} from './load-readers.ts';
import {
  loadCustomers,
  loadEnrolments,
  loadEntries,
  loadSends,
  loadStats,
  loadTimers,
  type LoadedEnrolment,
  type LoadedSend,
} from './load-rows.ts';
import type { Stored, StoredSend } from './stored.ts';

export { lockCustomers } from './lock.ts';
export { customerIdOf } from './stored.ts';

/** What of a customer a piece of work can do without. */
export interface LoadNeeds {
  /** Consent and earlier hand-overs: only what attempts to send look at. Default true. */
  readonly mail?: boolean;
  /** Launches that come due up to then are loaded, too: for looking ahead. Default: those that have come due by now. */
  readonly launchesUpTo?: Instant;
}

/** A customer as it stands in the database. */
export interface Loaded {
  readonly state: CustomerState;
  /** Shared by all loaded customers with one address. */
  readonly reader: ReaderLog;
  /** Row ids, for recording; goes into `draft.tag`. */
  readonly stored: Stored;
}

/**
 * Loads the customers of these ids, ascending. They must be locked, in an earlier statement of this transaction.
 * A held enrolment is shown as standing on a mail: it still counts as active and can be ended, but nothing in it goes on.
 */
export async function loadStates(
  tx: Queryable,
  ids: readonly number[],
  ctx: StoreContext,
  needs: LoadNeeds = {},
): Promise<Loaded[]> {
  if (ids.length === 0) return [];
  const mail = needs.mail ?? true;
  const [customers, stats, enrolments, entries, timers, sends, launches, consent, handOvers] = await Promise.all([
    loadCustomers(tx, ids),
    loadStats(tx, ids),
    loadEnrolments(tx, ids, ctx),
    loadEntries(tx, ids, ctx),
    loadTimers(tx, ids, ctx),
    loadSends(tx, ids, ctx),
    loadLaunches(tx, ids, ctx, needs.launchesUpTo),
    mail ? loadConsent(tx, ids) : null,
    mail ? loadHandOvers(tx, ids, ctx) : null,
  ]);
  const addresses = [...new Set(customers.flatMap((row) => row.address ?? []))];
  const taken =
    launches.any || needs.launchesUpTo !== undefined ? await loadLaunchesTaken(tx, addresses, ids, ctx) : null;

  const readers = new Map<string, ReaderLog>();
  const readerOf = (customerId: number, address: string | null): ReaderLog => {
    const key = address ?? String(customerId);
    let reader = readers.get(key);
    if (reader === undefined) readers.set(key, (reader = new ReaderLog(handOvers?.get(key))));
    return reader;
  };
  return customers.map((customer) => {
    const { id, address, arrivedAt, identified, profile } = customer;
    const due = launches.of(customer);
    const open = sends.get(id) ?? [];
    const planned = open.filter((row) => row.planned);
    const state: CustomerState = {
      profile,
      arrivedAt,
      identified,
      stats: stats.get(id) ?? NO_STATS,
      enrolments: (enrolments.get(id) ?? []).map((row) => row.enrolment),
      entries: entries.get(id) ?? NO_ENTRIES,
      timers: timers.get(id) ?? NO_TIMERS,
      ...sendsOf(open, planned),
      consent: consentOf(consent, address),
      launchesTaken: taken?.get(address ?? String(id)) ?? NO_NAMES,
      launchesDue: due,
    };
    const stored = storedFor(id, address, enrolments.get(id) ?? [], planned, due);
    return { state, reader: readerOf(id, address), stored };
  });
}

/** Opens the customers for decisions; `recordAll` stores what becomes of them. */
export function openDrafts(loaded: readonly Loaded[]): Draft[] {
  return loaded.map(({ state, reader, stored }) => {
    const draft = openDraft(state, reader);
    draft.tag = stored;
    return draft;
  });
}

const NO_STATS: ReadonlyMap<string, EventStat> = new Map();
const NO_ENTRIES: ReadonlyMap<string, EntryRecord> = new Map();
const NO_TIMERS: ReadonlyMap<string, Timer> = new Map();
const NO_NAMES: ReadonlySet<string> = new Set();

function sendsOf(
  open: readonly LoadedSend[],
  planned: readonly LoadedSend[],
): Pick<CustomerState, 'sends' | 'inFlight' | 'heldSends'> {
  return {
    sends: planned.map((row) => row.send),
    inFlight: new Map(open.flatMap((row) => (row.planned ? [] : [[sendKey(row.send), row.send.dueAt] as const]))),
    heldSends: new Set(planned.flatMap((row) => (row.stored.held ? [sendKey(row.send)] : []))),
  };
}

function consentOf(consent: ReadonlyMap<string, Consent> | null, address: string | null): Consent {
  return (address === null ? undefined : consent?.get(address)) ?? NO_CONSENT;
}

function storedFor(
  customerId: number,
  address: string | null,
  enrolments: readonly LoadedEnrolment[],
  sends: readonly { readonly send: Send; readonly stored: StoredSend }[],
  launches: LaunchesDue,
): Stored {
  return {
    customerId,
    address,
    enrolments: new Map(
      enrolments.map(({ enrolment, id, held, renames }) => [
        enrolmentKey(enrolment),
        { id, as: enrolment, held, renames },
      ]),
    ),
    sends: new Map(sends.map(({ send, stored }) => [sendKey(send), stored])),
    runs: new Map(launches.map((due) => [launchKey(due.playbook, due.launch), due.runId])),
  };
}
