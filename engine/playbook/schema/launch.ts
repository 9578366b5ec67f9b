import { z } from 'zod';
import { parseInstant, parseLocalDateTime, TimeSyntaxError } from '../../time/text.ts';
import type { Instant, LocalDateTime } from '../../time/types.ts';
import { text, words } from './text.ts';

/** `public_at` as written: with an offset a moment, without one a local time in the company's zone. */
export type PublicAt = { readonly at: Instant } | { readonly local: LocalDateTime };

function parsePublicAt(written: string): PublicAt {
  if (/(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$/.test(written) && /\d:\d/.test(written)) return { at: parseInstant(written) };
  try {
    return { local: parseLocalDateTime(written) };
  } catch (error) {
    if (!(error instanceof TimeSyntaxError)) throw error;
    throw new TimeSyntaxError(written, 'is no moment', 'a day and a time, such as "2026-10-27T10:00"');
  }
}

/** A file playbooks/launches/NAME.yaml. */
export const launch = z
  .object({
    title: words('a title').describe('What is launched.'),
    public_at: text('a day and a time', ['2026-10-27T10:00', '2026-10-27T10:00:00Z'], parsePublicAt).describe(
      "When everybody may know. Without an offset in the company's zone.",
    ),
  })
  .catchall(z.unknown())
  .describe('A launch; any further fields are `launch.…` in conditions and templates.')
  .meta({ title: 'launch' });

export type LaunchSource = z.output<typeof launch>;
