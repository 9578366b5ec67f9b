/** The pages of the documentation, and the examples within them. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** A page, by its path in the checkout. */
export function readPage(path: string): string {
  return readFileSync(resolve(ROOT, path), 'utf8');
}

/** README.md and everything that stands in docs/ itself. */
export const PATHS: readonly string[] = [
  'README.md',
  ...readdirSync(resolve(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A fenced block of a page. */
export interface Example {
  readonly language: string;
  /** What stands after the language, such as a file's path. */
  readonly info: string;
  readonly text: string;
  /** Its first line in the page, from 1. */
  readonly line: number;
}

const FENCE = /^ *```(\S*) ?(.*)\n([\s\S]*?)^ *```$/gm;

/** All fenced blocks of a page, in order. */
export function examplesOf(page: string): readonly Example[] {
  return [...page.matchAll(FENCE)].map(({ 1: language = '', 2: info = '', 3: text = '', index }) => ({
    language,
    info,
    text,
    line: page.slice(0, index).split('\n').length + 1,
  }));
}
