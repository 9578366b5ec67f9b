/** What a caller says of a customer, checked and turned into a change of the profile. */
import type { Profile } from '../journey/types.ts';
import { validateAddress } from '../message/address.ts';
import { nearest } from '../playbook/nearest.ts';
import type { Company, Json } from '../playbook/types.ts';
import { parseInstant } from '../time/text.ts';
import { checkDeclared, EXPECTED, reads } from './declared.ts';
import type { Fields } from './json.ts';
import { checkOneLine } from './keys.ts';
import { unexpected, within, type InputProblem } from './problem.ts';
import { own } from '../playbook/own.ts';

/** A trait that was left out of the profile, and why. */
export interface IgnoredTrait {
  readonly name: string;
  readonly because:
    | 'not declared in perennial.yaml'
    | 'kept by the engine itself'
    | 'not a field of an event'
    /** Of consent in an import: it was taken. */
    | `taken without proof of consent${string}`
    /** Proof of no consent. */
    | 'for nothing: the line has no "subscribed"';
  /** The name that was probably meant; null when none is near. */
  readonly nearest: string | null;
}

/** Traits, checked. `patch` is only to be used without problems. */
export interface CheckedTraits {
  readonly patch: Partial<Profile>;
  readonly ignored: readonly IgnoredTrait[];
  readonly problems: readonly InputProblem[];
}

/** How Segment spells some of the fields. */
const ALIASES: Readonly<Record<string, string>> = {
  firstName: 'first_name',
  lastName: 'last_name',
  createdAt: 'created_at',
};

/** Facts that the engine counts from events; nobody sets them. docs/playbooks.md. */
const FACTS: ReadonlySet<string> = new Set([
  'orders',
  'spent',
  'first_order_at',
  'last_order_at',
  'last_seen_at',
  'stage',
  'satisfaction',
]);

type Patch = { -readonly [Name in keyof Profile]?: Profile[Name] };

/** Puts a value that is right into the patch, or says what is wrong with it. Null takes the value away. */
type Reader = (value: unknown, path: string, patch: Patch) => InputProblem | null;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['email', readEmail],
  ['name', oneLine('name')],
  ['first_name', oneLine('first_name')],
  ['last_name', oneLine('last_name')],
  ['timezone', oneLine('timezone')],
  ['locale', readLocale],
  ['birthday', readBirthday],
  ['created_at', readCreatedAt],
  ['tags', readTags],
]);

/** The names of all fields of a customer that may be set from outside. */
export function customerFields(company: Company): readonly string[] {
  return [...READERS.keys(), ...Object.keys(company.attributes)];
}

/**
 * Checks traits: the built-in fields by their own rules, attributes by their declared types. Names that are declared
 * nowhere are left out and listed; null removes a value.
 */
export function checkTraits(traits: Fields, company: Company, path: string): CheckedTraits {
  const patch: Patch = {};
  const attributes: Record<string, Json> = {};
  const ignored: IgnoredTrait[] = [];
  const problems: InputProblem[] = [];
  for (const [given, value] of Object.entries(traits)) {
    const name = own(ALIASES, given) ?? given;
    const type = own(company.attributes, name);
    const reader = READERS.get(name);
    let problem: InputProblem | null = null;
    if (reader !== undefined) problem = reader(value, within(path, given), patch);
    else if (type === undefined) ignored.push(ignoredTrait(given, company));
    else problem = checkDeclared(type, value, within(path, given));
    if (problem !== null) problems.push(problem);
    else if (reader === undefined && type !== undefined) attributes[name] = value as Json;
  }
  if (Object.keys(attributes).length > 0) patch.attributes = attributes;
  return { patch, ignored, problems };
}

function ignoredTrait(name: string, company: Company): IgnoredTrait {
  if (FACTS.has(name)) return { name, because: 'kept by the engine itself', nearest: null };
  return { name, because: 'not declared in perennial.yaml', nearest: nearest(name, customerFields(company)) };
}

function oneLine(field: 'name' | 'first_name' | 'last_name' | 'timezone'): Reader {
  return (value, path, patch) => {
    const problem = checkOneLine(value, path);
    if (problem === null) patch[field] = value as string | null;
    return problem;
  };
}

function readEmail(value: unknown, path: string, patch: Patch): InputProblem | null {
  const expected = 'one e-mail address, such as "ada@example.com", or null';
  if (value !== null && typeof value !== 'string') return unexpected('wrong-type', path, value, expected);
  const address = value === null ? null : validateAddress(value);
  if (value !== null && address === null) {
    const problem = unexpected('invalid', path, value, expected);
    return { ...problem, message: `${problem.message}: ${faultOfAddress(value)}` };
  }
  patch.email = address;
  return null;
}

function faultOfAddress(text: string): string {
  if (/[,;]/.test(text)) return 'it holds a comma or semicolon, as if there were several';
  if (!text.includes('@')) return 'it has no @';
  if (/[<>]/.test(text)) return 'leave out the name and the angle brackets';
  if (/\s/.test(text.trim())) return 'it holds a space';
  const local = text.slice(0, text.lastIndexOf('@'));
  if (/[^\p{ASCII}]/u.test(local)) return 'only ASCII letters may stand before the @';
  return 'its form is not that of an address on the internet';
}

/** The form with an underscore (en_GB) is common in shops' data; what is kept is the tag of BCP 47. */
function readLocale(value: unknown, path: string, patch: Patch): InputProblem | null {
  const expected = 'a language tag of BCP 47, such as "en-GB"';
  if (value === null) {
    patch.locale = null;
    return null;
  }
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, expected);
  try {
    const [tag] = Intl.getCanonicalLocales(value.trim().replaceAll('_', '-'));
    if (tag === undefined) return unexpected('invalid', path, value, expected);
    patch.locale = tag;
    return null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return unexpected('invalid', path, value, expected);
  }
}

function readBirthday(value: unknown, path: string, patch: Patch): InputProblem | null {
  const problem = checkDeclared('date', value, path);
  if (problem === null) patch.birthday = value as string | null;
  return problem;
}

function readCreatedAt(value: unknown, path: string, patch: Patch): InputProblem | null {
  if (value === null) {
    patch.created_at = null;
    return null;
  }
  if (typeof value !== 'string') return unexpected('wrong-type', path, value, EXPECTED.datetime);
  if (!reads(parseInstant, value)) return unexpected('invalid', path, value, EXPECTED.datetime);
  patch.created_at = parseInstant(value);
  return null;
}

function readTags(value: unknown, path: string, patch: Patch): InputProblem | null {
  const expected = 'a list of texts, none of them empty';
  if (value === null) {
    patch.tags = [];
    return null;
  }
  const isTag = (tag: unknown): tag is string => typeof tag === 'string' && tag !== '';
  if (!Array.isArray(value) || !value.every(isTag)) return unexpected('wrong-type', path, value, expected);
  patch.tags = [...new Set(value)];
  return null;
}
