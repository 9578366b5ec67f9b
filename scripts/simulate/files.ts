/** A simulation from files alone. */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { parseCustomers, parseEvents, type SimulatedCustomer } from '../../engine/simulate/input.ts';
import { simulateReaders } from '../../engine/simulate/simulate.ts';
import { normaliseAddress } from '../../engine/message/address.ts';
import { nearestAll } from '../../engine/playbook/nearest.ts';
import type { Release } from '../../engine/playbook/types.ts';
import type { Instant } from '../../engine/time/types.ts';
import { SourceError, type Source } from './source.ts';

/** The files, and what of them is wanted. */
export interface FileInput {
  readonly customers: string;
  readonly events: string | null;
  readonly from: Instant;
  readonly until: Instant;
  /** The id or address of the only customer that is wanted; null: all. */
  readonly only: string | null;
}

/**
 * Reads the files and gets ready to run them.
 * @throws InputError at the first line that cannot be used, SourceError when a file cannot be read or nobody is wanted.
 */
export function openFiles(input: FileInput, releases: readonly Release[]): Source {
  const { from, until, only } = input;
  const all = parseCustomers(linesIn(input.customers), input.customers);
  const ids = new Set(all.map((customer) => customer.profile.id));
  const events = input.events === null ? [] : parseEvents(linesIn(input.events), input.events, ids);
  const customers = only === null ? all : readerOf(only, all);
  return {
    releases,
    from,
    until,
    customers: customers.length,
    readers: simulateReaders({ customers, events, from, until }, releases),
    notes: [],
  };
}

/** The customer and all who share the address: caps and launches see them as one. */
function readerOf(idOrEmail: string, customers: readonly SimulatedCustomer[]): readonly SimulatedCustomer[] {
  const address = normaliseAddress(idOrEmail);
  const found =
    customers.find(({ profile }) => profile.id === idOrEmail) ??
    customers.find(({ profile }) => address !== null && addressOf(profile.email) === address);
  if (found === undefined) {
    const near = nearestAll(
      idOrEmail,
      customers.map(({ profile }) => profile.id),
      3,
    );
    const hint = near.length === 0 ? '' : ` Nearest: ${near.join(', ')}`;
    throw new SourceError(`There is no customer with the id or address "${idOrEmail}".${hint}`);
  }
  const shared = addressOf(found.profile.email);
  return customers.filter(
    (customer) => customer === found || (shared !== null && addressOf(customer.profile.email) === shared),
  );
}

function addressOf(email: string | null): string | null {
  return email === null ? null : normaliseAddress(email);
}

/** The file as an iterable of its lines: only a piece of it is in memory. */
function linesIn(file: string): Iterable<string> {
  const descriptor = orRefuse(file, () => openSync(file, 'r'));
  return lines(file, descriptor);
}

const PIECE_BYTES = 1 << 20;

function* lines(file: string, descriptor: number): Iterable<string> {
  const decoder = new StringDecoder('utf8');
  const piece = Buffer.alloc(PIECE_BYTES);
  let rest = '';
  try {
    for (;;) {
      const bytes = orRefuse(file, () => readSync(descriptor, piece));
      const rows = (rest + (bytes === 0 ? decoder.end() : decoder.write(piece.subarray(0, bytes)))).split('\n');
      rest = rows.pop() ?? '';
      yield* rows;
      if (bytes > 0) continue;
      yield rest;
      return;
    }
  } finally {
    closeSync(descriptor);
  }
}

function orRefuse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new SourceError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
