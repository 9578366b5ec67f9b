/** In which language to speak to a reader. */
import type { Context } from 'hono';

/** What there is in the first of these locales (`de-AT`, `de_DE`, …) whose language there is; null where there is none. */
export function firstOf<T>(
  languages: ReadonlyMap<string, T>,
  locales: readonly (string | null | undefined)[],
): T | null {
  for (const locale of locales) {
    const words = languages.get((locale ?? '').split(/[-_]/, 1)[0]?.toLowerCase() ?? '');
    if (words !== undefined) return words;
  }
  return null;
}

/** For a reader who is not known: what their browser asks for, first things first. */
export function browserLocales(c: Context): readonly (string | undefined)[] {
  const asked = c.req.header('accept-language') ?? '';
  return asked.split(',').map((part) => part.split(';', 1)[0]?.trim());
}
