/** A simulation from files alone: in memory where they fit, else a part of them at a time. */
import { appendFileSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { parseCustomers, parseEvents, readerAddress, type SimulatedCustomer } from '../../engine/simulate/input.ts';
import type { Lines } from '../../engine/simulate/rows.ts';
import { simulateReaders, type Simulation } from '../../engine/simulate/simulate.ts';
import type { ReaderRun } from '../../engine/simulate/reader-run.ts';
import { normaliseAddress } from '../../engine/message/address.ts';
import type { Release } from '../../engine/playbook/types.ts';
import type { Instant } from '../../engine/time/types.ts';
import { eachPaced, paced } from '../support/paced.ts';
import { openTemporaryFolder } from '../support/temporary-folder.ts';
import { linesIn, orRefuse, piecesOf, type InputFile } from './lines.ts';
import { divide, type Divided } from './partition.ts';
import { inFolder } from './parts.ts';
import { nobodyIs, type Source } from './source.ts';

/** The files, and what of them is wanted. */
export interface FileInput {
  readonly customers: string;
  readonly events: string | null;
  readonly from: Instant;
  readonly until: Instant;
  /** The id or address of the only customer that is wanted; null: all. */
  readonly only: string | null;
}

/** How much may be in memory, and where the rest goes. */
export interface FileLimits {
  /** So many bytes of a large input are parsed at a time; more only where one reader has more. */
  readonly partBytes?: number;
  /** Where the temporary folder is made, if one is needed. */
  readonly parent?: string;
  /** Told how much of dividing a large input is done, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

const PART_BYTES = 4 << 20;
/** So many parts are read at once if they are the whole input: what is put aside has to be written and read. */
const PARTS_AT_ONCE = 4;
/** So many readers between the turns of others: some 20 ms. */
const PACE = 100;

/**
 * Reads the files and gives them to `work` as a source. What is put aside is gone afterwards, however it ends.
 * @throws InputError at the first line that cannot be used, SourceError when a file cannot be read or nobody is wanted.
 */
export async function withFiles<T>(
  input: FileInput,
  releases: readonly Release[],
  work: (source: Source) => Promise<T>,
  { partBytes = PART_BYTES, parent, onProgress = () => undefined }: FileLimits = {},
): Promise<T> {
  const names = [input.customers, ...(input.events === null ? [] : [input.events])];
  if (!names.some(isStream) && sizeOf(names) <= PARTS_AT_ONCE * partBytes) return work(inMemory(input, releases));
  const folder = inFolder(parent, () => openTemporaryFolder('perennial-simulate-', parent));
  try {
    const customers = await rereadable(input.customers, path.join(folder.path, 'customers'));
    const events = input.events === null ? null : await rereadable(input.events, path.join(folder.path, 'events'));
    const bytes = sizeOf([customers, ...(events === null ? [] : [events])].map((file) => file.path));
    const files = { customers, events, only: input.only, folder: folder.path };
    const divided = await divide({ ...files, bytes, partBytes, onProgress });
    return await work(inParts(divided, input, releases));
  } finally {
    folder.remove();
  }
}

function inMemory(input: FileInput, releases: readonly Release[]): Source {
  const all = load(
    linesIn(asIs(input.customers)),
    () => (input.events === null ? [] : linesIn(asIs(input.events))),
    input,
  );
  const customers = input.only === null ? all.customers : readerOf(input.only, all.customers);
  return sourceOf(input, releases, customers.length, paced(simulateReaders({ ...all, customers }, releases), PACE));
}

function inParts(divided: Divided, input: FileInput, releases: readonly Release[]): Source {
  return sourceOf(input, releases, divided.customers, readersOf(divided, input, releases));
}

async function* readersOf(
  divided: Divided,
  input: FileInput,
  releases: readonly Release[],
): AsyncGenerator<readonly ReaderRun[]> {
  for (let part = 0; part < divided.parts; part += 1) {
    // What is read lives in that generator alone, so that it is gone before the next part is read.
    for await (const runs of readersOfPart(part, divided, input, releases)) yield runs;
    divided.drop(part);
  }
}

async function* readersOfPart(
  part: number,
  divided: Divided,
  input: FileInput,
  releases: readonly Release[],
): AsyncGenerator<readonly ReaderRun[]> {
  const simulation = load(divided.customersOf(part), () => divided.eventsOf(part), input);
  for await (const runs of paced(simulateReaders(simulation, releases), PACE)) yield runs;
}

function sourceOf(
  { from, until }: FileInput,
  releases: readonly Release[],
  customers: number,
  readers: Source['readers'],
): Source {
  return { releases, from, until, customers, readers, notes: [] };
}

type Loaded = Omit<Simulation, 'release'>;

function load(customerLines: Lines, eventLines: () => Lines, input: FileInput): Loaded {
  const { from, until } = input;
  const customers = parseCustomers(customerLines, input.customers);
  const ids = new Set(customers.map(({ profile }) => profile.id));
  return { customers, events: parseEvents(eventLines(), input.events ?? '', ids), from, until };
}

/** The customer and all who share the address: caps and launches see them as one. */
function readerOf(idOrEmail: string, customers: readonly SimulatedCustomer[]): readonly SimulatedCustomer[] {
  const address = normaliseAddress(idOrEmail);
  const found =
    customers.find(({ profile }) => profile.id === idOrEmail) ??
    customers.find((customer) => address !== null && readerAddress(customer) === address);
  if (found === undefined) {
    throw nobodyIs(
      idOrEmail,
      customers.map(({ profile }) => profile.id),
    );
  }
  const shared = readerAddress(found);
  return customers.filter((customer) => customer === found || (shared !== null && readerAddress(customer) === shared));
}

function asIs(name: string): InputFile {
  return { path: name, name };
}

/** A pipe can be read once, and nobody knows its size: it is written down first. */
async function rereadable(name: string, copy: string): Promise<InputFile> {
  if (!isStream(name)) return asIs(name);
  await eachPaced(piecesOf(asIs(name)), 1, (piece) => {
    inFolder(path.dirname(copy), () => appendFileSync(copy, piece));
  });
  return { path: copy, name };
}

function isStream(name: string): boolean {
  const found = statOf(name);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** In bytes. A file that is not there has none: whoever opens it says so. */
function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, file) => sum + (statOf(file)?.size ?? 0), 0);
}

function statOf(file: string): Stats | undefined {
  return orRefuse(file, () => statSync(file, { throwIfNoEntry: false }));
}
