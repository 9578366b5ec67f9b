/** When, where and in which words the readers of an import agreed to what they are `subscribed` to. Pure. */
import type { Company } from '../../playbook/types.ts';
import { own } from '../../playbook/own.ts';
import { parseInstant } from '../../time/text.ts';
import type { Instant } from '../../time/types.ts';
import type { Fields } from '../json.ts';
import { checkEventTime } from '../keys.ts';
import { present } from '../validate.ts';
import { unexpected, type InputProblem } from '../problem.ts';
import type { IgnoredTrait } from '../traits.ts';

/** The fields of a line of customers. One that the company declares as an attribute is that attribute. */
export const PROOF_FIELDS = ['consent_at', 'consent_source', 'consent_wording', 'consent_language'] as const;

/** What a line says of how its consent was given; null where it says nothing. */
export interface ConsentProof {
  readonly at: Instant | null;
  /** Where: a form, a shop, a telephone call. */
  readonly source: string | null;
  /** What the reader agreed to, word for word. */
  readonly wording: string | null;
  /** Of the wording, such as `de`. */
  readonly language: string | null;
}

/** Of a line that says nothing of it. */
export const NO_PROOF: ConsentProof = { at: null, source: null, wording: null, language: null };

const MAX_LENGTHS = { consent_source: 200, consent_wording: 4_000, consent_language: 35 } as const;

/** A line's fields of proof, and all others. */
export function partProof(given: Fields, company: Company): { readonly proof: Fields; readonly rest: Fields } {
  const names = new Set(proofFields(company).filter((name) => Object.hasOwn(given, name)));
  // Most files have none, and an import reads thousands of lines a second.
  if (names.size === 0) return { proof: {}, rest: given };
  const entries = Object.entries(given);
  return {
    proof: Object.fromEntries(entries.filter(([name]) => names.has(name))),
    rest: Object.fromEntries(entries.filter(([name]) => !names.has(name))),
  };
}

/** The fields of proof that this company's files have. */
export function proofFields(company: Company): readonly string[] {
  return PROOF_FIELDS.filter((name) => own(company.attributes, name) === undefined);
}

/** Checks the fields of proof of a line that subscribes to `topics`. `proof` is only to be used without problems. */
export function checkProof(
  given: Fields,
  topics: readonly string[],
  company: Company,
): {
  readonly proof: ConsentProof;
  readonly problems: readonly InputProblem[];
  readonly noticed: readonly IgnoredTrait[];
} {
  const at = given['consent_at'] ?? null;
  const problems = present([
    at === null ? null : checkEventTime(at, 'consent_at'),
    ...Object.entries(MAX_LENGTHS).map(([name, most]) => checkText(given[name], name, most)),
  ]);
  const textOf = (name: keyof typeof MAX_LENGTHS): string | null => (given[name] as string | null | undefined) ?? null;
  const proof: ConsentProof = {
    at: at === null || problems.length > 0 ? null : parseInstant(at as string),
    source: textOf('consent_source'),
    wording: textOf('consent_wording'),
    language: textOf('consent_language'),
  };
  const noticed = topics.length === 0 ? forNothing(given) : unproven(proof, topics, company);
  return { proof, problems, noticed };
}

/** Not refused: `--set` gives the same words to all lines, also to those of customers who agreed to nothing. */
function forNothing(given: Fields): readonly IgnoredTrait[] {
  const [named] = Object.entries(given).find(([, value]) => value !== undefined && value !== null) ?? [];
  return named === undefined
    ? []
    : [{ name: named, because: 'for nothing: the line has no "subscribed"', nearest: null }];
}

/** Topics that are `out` by default are sent for consent alone, which has to be shown when somebody asks (GDPR article 7). */
function unproven(proof: ConsentProof, topics: readonly string[], company: Company): readonly IgnoredTrait[] {
  const isNeeded = topics.some((topic) => own(company.topics, topic)?.default === 'out');
  const isWhole = proof.at !== null && proof.source !== null && proof.wording !== null;
  return isNeeded && !isWhole ? [{ name: 'subscribed', because: UNPROVEN, nearest: null }] : [];
}

const UNPROVEN =
  'taken without proof of consent: to topics that are "out" belong consent_at, consent_source and consent_wording';

function checkText(value: unknown, path: string, most: number): InputProblem | null {
  if (value === undefined || value === null) return null;
  const expected = `a text of at most ${most} characters`;
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, expected);
  return value.trim() === '' || value.length > most ? unexpected('invalid', path, value, expected) : null;
}
