/** What the options of `perennial import` mean. */
import path from 'node:path';
import type { FileFormat } from '../../engine/ingest/file/batches.ts';
import type { ImportKind } from '../../engine/ingest/file/fields.ts';
import type { ImportOptions } from '../../engine/ingest/file/import.ts';
import { MappingError, parseAssignment, parseFilter } from '../../engine/ingest/file/mapping.ts';
import { nearest } from '../../engine/playbook/nearest.ts';
import { zone } from '../../engine/time/zone.ts';

/** The options as commander gives them. */
export interface ImportFlags {
  readonly project: string;
  readonly format?: string;
  readonly map: readonly string[];
  readonly set: readonly string[];
  readonly where: readonly string[];
  readonly delimiter?: string;
  readonly timeZone?: string;
  readonly createCustomers?: boolean;
  readonly history?: boolean;
  readonly restart?: boolean;
  readonly json?: boolean;
}

/** An option that makes no sense, alone or with the others; the command ends with exit code 2. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly code = 'bad-option';
}

/** Reads the options. @throws FlagError. */
export function readFlags(kind: ImportKind, file: string, flags: ImportFlags): ImportOptions {
  return {
    kind,
    format: formatOf(file, flags),
    zone: zoneOf(flags.timeZone),
    createCustomers: flags.createCustomers ?? false,
    history: flags.history ?? false,
    restart: flags.restart ?? false,
  };
}

function formatOf(file: string, flags: ImportFlags): FileFormat {
  const kind = flags.format ?? formatByName(file);
  const forCsvOnly = [...flags.map, ...flags.set, ...flags.where].length > 0 || flags.delimiter !== undefined;
  if (kind === 'jsonl') {
    if (forCsvOnly)
      throw new FlagError('--map, --set, --where and --delimiter are for CSV; JSON lines name their fields');
    return { kind: 'jsonl' };
  }
  if (kind !== 'csv') throw new FlagError(`--format is "${kind}"; expected jsonl or csv`);
  const delimiter = flags.delimiter === 'tab' ? '\t' : (flags.delimiter ?? ',');
  if (!/^[\t -!#-~]$/.test(delimiter)) {
    throw new FlagError(`--delimiter is "${delimiter}"; expected one character such as ; or the word tab`);
  }
  return { kind: 'csv', mapping: { ...assignments(flags), delimiter } };
}

function assignments({
  map,
  set,
  where,
}: ImportFlags): Omit<Extract<FileFormat, { kind: 'csv' }>['mapping'], 'delimiter'> {
  try {
    return {
      map: map.map((text) => {
        const [field, column] = parseAssignment(text, 'column');
        return { field, column };
      }),
      set: set.map((text) => {
        const [field, value] = parseAssignment(text, 'value');
        return { field, value };
      }),
      where: where.map(parseFilter),
    };
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    throw new FlagError(error.message, { cause: error });
  }
}

function formatByName(file: string): string {
  if (file === '-') throw new FlagError('standard input has no name that says its format; give --format jsonl or csv');
  const name = path.basename(file).toLowerCase().replace(/\.gz$/, '');
  if (/\.(jsonl|ndjson)$/.test(name)) return 'jsonl';
  if (/\.(csv|tsv)$/.test(name)) return 'csv';
  throw new FlagError(`the name of ${file} does not say its format (.jsonl or .csv); give --format jsonl or csv`);
}

function zoneOf(name: string | undefined): ImportOptions['zone'] {
  if (name === undefined) return null;
  const found = zone(name);
  if (found !== null) return found;
  const close = nearest(name, Intl.supportedValuesOf('timeZone'));
  const hint = close === null ? '' : `; did you mean ${close}?`;
  throw new FlagError(`--time-zone is "${name}"; expected a zone such as Europe/London${hint}`);
}
