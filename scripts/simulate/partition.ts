/**
 * An input that is too large for memory, divided into parts that are run one after the other.
 *
 * Kept true throughout:
 * 1. A reader's customers and events are in one part, and parts follow each other as the customers do in their file,
 *    so that readers come in the same order whatever the number of parts.
 * 2. Of all events with one id the first by time, then by line, is kept, whosever they are: these are brought together
 *    first, by id.
 * 3. Rows keep the number of their line, which orders events of one instant.
 * 4. Every line is looked at before any reader is run, in the order of the files: the first mistake is what is said.
 */
import { readCustomers, readEvents, readerAddress } from '../../engine/simulate/input.ts';
import type { Row } from '../../engine/simulate/rows.ts';
import { normaliseAddress } from '../../engine/message/address.ts';
import { eachPaced } from '../support/paced.ts';
import { linesIn, type InputFile } from './lines.ts';
import { openParts, type Parts } from './parts.ts';
import { nobodyIs } from './source.ts';

/** What is divided, and how. */
export interface Division {
  readonly customers: InputFile;
  readonly events: InputFile | null;
  /** The id or address of the only customer that is wanted; null: all. */
  readonly only: string | null;
  /** Where the parts go. */
  readonly folder: string;
  /** So many bytes the files have together. */
  readonly bytes: number;
  /** So large a part should be; more only where one reader is larger. */
  readonly partBytes: number;
  /** Told how much of the work is done, from 0 to 1. */
  readonly onProgress: (share: number) => void;
}

/** An input in parts, numbered from 0. */
export interface Divided {
  readonly parts: number;
  /** How many customers there are in all parts. */
  readonly customers: number;
  customersOf(part: number): Iterable<Row>;
  eventsOf(part: number): Iterable<Row>;
  /** Gives back the room that a part takes. */
  drop(part: number): void;
}

/** So many rows between the turns of others: some milliseconds. */
const PACE = 2_000;

/** @throws InputError at the first line that cannot be used, SourceError when nobody is wanted or a file fails. */
export async function divide(division: Division): Promise<Divided> {
  const { folder, bytes, onProgress } = division;
  let done = 0;
  // Every row is read twice: from its file, and from where it was put aside.
  const note = (text: string): void => onProgress((done += text.length) / (2 * bytes));
  const readers = await customersAside(division, openParts(folder, 'all-customers'), note);
  const byId = await eventsAside(division, readers, note);
  const { count, partOf } = wantedParts(division, readers);
  const customers = openParts(folder, 'customers');
  const events = openParts(folder, 'events');
  let wanted = 0;
  await eachPaced(readers.aside.read(0), PACE, (row) => {
    const [reader, text] = headOf(row);
    note(text);
    const part = partOf(Number(reader));
    if (part === null) return;
    wanted += 1;
    customers.add(part, text);
  });
  readers.aside.drop(0);
  for (let part = 0; part < byId.count; part += 1) {
    for (const { reader, text } of await withoutCopies(byId.parts.read(part), note)) {
      const to = partOf(reader);
      if (to !== null) events.add(to, text);
    }
    byId.parts.drop(part);
  }
  return {
    parts: count,
    customers: wanted,
    customersOf: (part) => numbered(customers.read(part)),
    eventsOf: (part) => numbered(events.read(part)),
    drop: (part) => {
      for (const rows of [customers, events]) rows.drop(part);
    },
  };
}

/** Who is whose reader. Readers are numbered as they come in the customers' file. */
interface Readers {
  /** The reader of every customer, by id, in the order of the file. */
  readonly byId: ReadonlyMap<string, number>;
  /** How many characters each of them has. */
  readonly sizes: number[];
  /** The reader that is wanted, if only one is. */
  readonly only: number | null;
  /** All customers' rows, each behind its reader. */
  readonly aside: Parts;
}

async function customersAside(
  { customers, only }: Division,
  aside: Parts,
  note: (text: string) => void,
): Promise<Readers> {
  const byId = new Map<string, number>();
  const byAddress = new Map<string, number>();
  const sizes: number[] = [];
  await eachPaced(readCustomers(linesIn(customers), customers.name, byId), PACE, ({ customer, row }) => {
    const address = readerAddress(customer);
    const reader = (address === null ? undefined : byAddress.get(address)) ?? sizes.length;
    byId.set(customer.profile.id, reader);
    if (address !== null) byAddress.set(address, reader);
    sizes[reader] = (sizes[reader] ?? 0) + row.text.length;
    aside.add(0, `${reader}\t${row.line}\t${row.text}`);
    note(row.text);
  });
  const address = only === null ? null : normaliseAddress(only);
  const found = only === null ? null : (byId.get(only) ?? (address === null ? null : byAddress.get(address)) ?? null);
  return { byId, sizes, only: found, aside };
}

/** Events by a hash of their ids, so that all of one id are in one part. */
interface EventsById {
  readonly parts: Parts;
  readonly count: number;
}

async function eventsAside(
  { events, folder, bytes, partBytes }: Division,
  { byId, sizes }: Readers,
  note: (text: string) => void,
): Promise<EventsById> {
  const count = Math.max(1, Math.ceil(bytes / partBytes));
  const parts = openParts(folder, 'events-by-id');
  if (events === null) return { parts, count };
  await eachPaced(readEvents(linesIn(events), events.name, byId), PACE, ({ event: { customer, event }, row }) => {
    const reader = byId.get(customer) ?? 0;
    sizes[reader] = (sizes[reader] ?? 0) + row.text.length;
    const id = JSON.stringify(event.id);
    parts.add(hashOf(id) % count, `${reader}\t${event.at}\t${id}\t${row.line}\t${row.text}`);
    note(row.text);
  });
  return { parts, count };
}

/** FNV-1a over UTF-16 units, 32 bits: spreads ids that differ in a digit. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** The parts that are run; null: the reader is not wanted. */
interface WantedParts {
  readonly count: number;
  readonly partOf: (reader: number) => number | null;
}

function wantedParts({ only: name, partBytes }: Division, { byId, sizes, only }: Readers): WantedParts {
  if (name !== null) {
    if (only === null) throw nobodyIs(name, byId.keys());
    return { count: 1, partOf: (reader) => (reader === only ? 0 : null) };
  }
  const parts = new Uint32Array(sizes.length);
  let part = 0;
  let filled = 0;
  for (const [reader, size] of sizes.entries()) {
    if (filled > 0 && filled + size > partBytes) {
      part += 1;
      filled = 0;
    }
    filled += size;
    parts[reader] = part;
  }
  return { count: part + 1, partOf: (reader) => parts[reader] ?? 0 };
}

/** An event of whichever reader, before it is known whether it is a copy. */
interface Copy {
  readonly reader: number;
  readonly at: number;
  /** The line's number and the line. */
  readonly text: string;
}

async function withoutCopies(rows: Iterable<string>, note: (text: string) => void): Promise<Iterable<Copy>> {
  const first = new Map<string, Copy>();
  await eachPaced(rows, PACE, (row) => {
    const [reader, afterReader] = headOf(row);
    const [at, afterAt] = headOf(afterReader);
    const [id, text] = headOf(afterAt);
    note(text);
    // Rows are in the order of their lines, so that of one instant the first stays.
    const copy = { reader: Number(reader), at: Number(at), text };
    const known = first.get(id);
    if (known === undefined || copy.at < known.at) first.set(id, copy);
  });
  return first.values();
}

function* numbered(rows: Iterable<string>): Iterable<Row> {
  for (const row of rows) {
    const [line, text] = headOf(row);
    yield { line: Number(line), text };
  }
}

/** What is before the first tab, and what is behind it. */
function headOf(row: string): readonly [string, string] {
  const tab = row.indexOf('\t');
  return [row.slice(0, tab), row.slice(tab + 1)];
}
