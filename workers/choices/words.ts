/** The words of the pages on which readers choose their mail, by language. Another language is another file and an entry here. */
import { firstOf } from '../pages/language.ts';
import { EN } from './languages/en.ts';
import { DE } from './languages/de.ts';
import { ES } from './languages/es.ts';
import { FR } from './languages/fr.ts';
import { IT } from './languages/it.ts';
import { NL } from './languages/nl.ts';
import { PT } from './languages/pt.ts';
import type { Words } from './languages/words.ts';

export type { Words } from './languages/words.ts';

const LANGUAGES: ReadonlyMap<string, Words> = new Map(
  [EN, DE, ES, FR, IT, NL, PT].map((words) => [words.language, words]),
);

/** The words for the first of these locales (`de-AT`, `de_DE`, …) whose language there is; English where there is none. */
export function wordsFor(...locales: readonly (string | null | undefined)[]): Words {
  return firstOf(LANGUAGES, locales) ?? EN;
}

/** The languages that there are, as ISO 639-1 codes. */
export const languages: readonly string[] = [...LANGUAGES.keys()];
