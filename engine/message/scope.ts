/** What goes into a template and what comes out. */
import type { Instant, Zone } from '../time/types.ts';
import type { SurveyVariable } from './survey.ts';

/** What a template sees: its variables by name, and for the helpers the reader's locale, zone and time. */
export interface MailScope {
  readonly customer: Readonly<Record<string, unknown>>;
  readonly company: Readonly<Record<string, unknown>>;
  readonly event?: Readonly<Record<string, unknown>> | undefined;
  readonly launch?: Readonly<Record<string, unknown>> | undefined;
  readonly trigger?: Readonly<Record<string, unknown>> | undefined;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly unsubscribe_url: string;
  readonly preferences_url: string;
  /** In the mail of a survey only. */
  readonly survey?: SurveyVariable | undefined;
  /** A BCP 47 tag that Intl knows: see `usableLocale`. */
  readonly locale: string;
  /** The customer's zone. */
  readonly zone: Zone;
  readonly now: Instant;
}

/** A mail's words, before it is composed. */
export interface Rendered {
  /** One line, not escaped. */
  readonly subject: string;
  readonly html: string;
  /** The same in plain text. */
  readonly text: string;
  /** Whether the text was written by hand; else it was made from the HTML. */
  readonly isTextByHand: boolean;
  /** The line that inboxes show beside the subject; empty when the template has none. */
  readonly preheader: string;
}

/** Upper bounds that keep one mail from taking a worker down: bytes of HTML or text, and turns of all loops. */
export const RENDER_LIMITS = { bytes: 256 * 1024, loopTurns: 10_000 } as const;

/**
 * A mail that cannot be rendered for this customer. `path` is the variable or helper at fault, as written.
 * - `missing-variable`: a variable that is printed has no value; nothing goes out with a hole in it.
 * - `bad-value`: a helper was given what it cannot format, or an object was printed.
 * - `line-break-in-subject`: a value would have split the subject.
 * - `too-large`: over {@link RENDER_LIMITS}.
 */
export class RenderError extends Error {
  readonly code: 'missing-variable' | 'bad-value' | 'line-break-in-subject' | 'too-large';
  readonly path: string;

  constructor(code: RenderError['code'], path: string, message: string) {
    super(message);
    this.name = 'RenderError';
    this.code = code;
    this.path = path;
  }
}

/**
 * The first of the candidates that Intl can use, in canonical form (`en_gb` becomes `en-GB`), else `en`.
 * Customers' locales come from outside; a misspelt one must not keep a mail from going out.
 */
export function usableLocale(...candidates: readonly (string | null)[]): string {
  for (const candidate of candidates) {
    const canonical = candidate === null ? null : canonicalLocale(candidate);
    if (canonical !== null) return canonical;
  }
  return 'en';
}

/** Asking Intl costs as much as rendering a short mail, and a company's customers have a handful of locales. */
const canonicalLocales = new Map<string, string | null>();
/** Customers' locales come from outside: ever new ones must not fill the memory. */
const MOST_LOCALES = 1_000;

function canonicalLocale(text: string): string | null {
  const known = canonicalLocales.get(text);
  if (known !== undefined) return known;
  const canonical = canonicalTag(text);
  if (canonicalLocales.size < MOST_LOCALES) canonicalLocales.set(text, canonical);
  return canonical;
}

/** A tag as customers' locales are written: `en_gb` becomes `en-GB`. Null for what is none. */
export function canonicalTag(text: string): string | null {
  // A tag's language is two or three letters; Intl also takes words such as `english`, of which it knows nothing.
  if (!/^[A-Za-z]{2,3}([_-][A-Za-z0-9]{1,8})*$/.test(text)) return null;
  try {
    return Intl.getCanonicalLocales(text.replaceAll('_', '-'))[0] ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
