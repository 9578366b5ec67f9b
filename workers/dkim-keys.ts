/** Where the private keys are that sign mail: named by PERENNIAL_DKIM_KEYS, or in the company's own folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DkimKeyError, readDkimKey, type DkimKey } from '../engine/mail/dkim/key.ts';
import { codeOf } from '../engine/ingest/error-code.ts';

/** A key as the configuration has it. */
export type DkimKeySource =
  { readonly kind: 'file'; readonly file: string } | { readonly kind: 'inline'; readonly pem: string };

/** What is needed of the configuration. */
export interface DkimKeyPlaces {
  readonly projectDir: string;
  /** By selector; null where keys are in the company's folder. */
  readonly dkimKeys: ReadonlyMap<string, DkimKeySource> | null;
}

/** A selector's key cannot be used: why, and what to do. Never holds a part of the key. */
export class NoDkimKey extends Error {
  override readonly name = 'NoDkimKey';
  readonly code = 'no-dkim-key';
  readonly selector: string;

  constructor(selector: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.selector = selector;
  }
}

const INLINE = 'base64:';

/** `SELECTOR=FILE` or `SELECTOR=base64:…`, several by commas; a text instead says what is wrong. */
export function readDkimPlaces(text: string): ReadonlyMap<string, DkimKeySource> | string {
  const places = new Map<string, DkimKeySource>();
  for (const [index, part] of text.split(',').entries()) {
    const match = /^\s*([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)=(\S(?:.*\S)?)\s*$/.exec(part);
    const [, selector, place] = match ?? [];
    // The part itself is not shown: it may hold a key.
    if (selector === undefined || place === undefined) return `part ${index + 1} is not SELECTOR=FILE`;
    if (places.has(selector)) return `the selector "${selector}" is there twice`;
    places.set(
      selector,
      place.startsWith(INLINE)
        ? { kind: 'inline', pem: Buffer.from(place.slice(INLINE.length), 'base64').toString('latin1') }
        : { kind: 'file', file: place },
    );
  }
  return places;
}

/** Where keys are kept that `perennial dkim create` makes, and looked for where no places are configured. */
export function ownKeyFile(projectDir: string, selector: string): string {
  return path.join(projectDir, '.perennial', 'dkim', `${selector}.pem`);
}

/** Reads the key of a selector. @throws NoDkimKey */
export async function loadDkimKey({ projectDir, dkimKeys }: DkimKeyPlaces, selector: string): Promise<DkimKey> {
  const source: DkimKeySource | undefined =
    dkimKeys === null ? { kind: 'file', file: ownKeyFile(projectDir, selector) } : dkimKeys.get(selector);
  if (source === undefined) {
    throw new NoDkimKey(
      selector,
      `PERENNIAL_DKIM_KEYS names no key for the selector "${selector}": add ${selector}=FILE to it`,
    );
  }
  const file = source.kind === 'file' ? path.resolve(projectDir, source.file) : null;
  try {
    return readDkimKey(
      selector,
      source.kind === 'inline' ? source.pem : await readFile(path.resolve(projectDir, source.file), 'utf8'),
    );
  } catch (error) {
    const place = file ?? 'PERENNIAL_DKIM_KEYS';
    throw new NoDkimKey(
      selector,
      `the DKIM key of the selector "${selector}" in ${place} cannot be used: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DkimKeyError) return error.message;
  const code = codeOf(error);
  if (code === 'ENOENT')
    return 'there is no such file. Name it in PERENNIAL_DKIM_KEYS, or make a key with "perennial dkim create"';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a folder; expected a file';
  throw error;
}
