/** A whole database on its way: what it has, in which order, and its rows. A backup is one in a file, a move one between servers. */
import { migrations } from '../migrate.ts';

/** A table's rows are those of these columns, in the order of this list. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
}

/** What is known before the rows. */
export interface ContentsHead {
  /** Of the program that took it. */
  readonly version: string;
  /** Its shape: the migrations applied, in order. */
  readonly migrations: readonly string[];
  readonly installation: string;
  /** Business time of the snapshot, in ms. */
  readonly takenAt: number;
  /** Those of `events`, by name. */
  readonly partitions: readonly string[];
  /** Tables that others refer to come first. */
  readonly tables: readonly TableShape[];
}

/** A number that is given once: the next one that this column gives. */
export interface Sequence {
  readonly table: string;
  readonly column: string;
  readonly last: string;
  readonly called: boolean;
}

/** What is known after the rows. */
export interface ContentsTail {
  readonly rows: Readonly<Record<string, number>>;
  readonly sequences: readonly Sequence[];
}

/** A whole database, to be read once, from its first table to its last. */
export interface Contents {
  readonly head: ContentsHead;
  /** The rows of each table of the head, in its order, in the text format of COPY. Each must be read to its end. */
  tables(): AsyncIterable<{ readonly shape: TableShape; readonly rows: AsyncIterable<Buffer> }>;
  /** After the last table. */
  tail(): Promise<ContentsTail>;
}

/** The tables that are Perennial's own. What else lies in the schema is somebody else's and stays alone. */
export const OWN_TABLES: ReadonlySet<string> = new Set(
  migrations.flatMap(({ sql }) => [...sql.matchAll(/\bcreate table (?!if\b)(\w+)/g)].map(([, name = '']) => name)),
);

/** The same of functions. */
export const OWN_FUNCTIONS: ReadonlySet<string> = new Set(
  migrations.flatMap(({ sql }) => [...sql.matchAll(/\bcreate function (\w+)/g)].map(([, name = '']) => name)),
);

/** Rows that mean something to running processes only. */
export const FLEETING: ReadonlySet<string> = new Set(['leases']);

/** A name that may stand in SQL as it is. */
export function isPlainName(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,62}$/.test(name);
}
