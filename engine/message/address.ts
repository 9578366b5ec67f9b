/**
 * E-mail addresses: what may stand in an envelope, and the key by which one reader is known.
 * Quoted local parts, address literals and non-ASCII local parts (which need SMTPUTF8, RFC 6531) are refused.
 */
import { domainToASCII } from 'node:url';

/** A display name and one address. `name` is null when none is given. */
export interface Mailbox {
  readonly name: string | null;
  readonly address: string;
}

/** RFC 5321 section 4.5.3.1.3 (a path of 256 octets, less its brackets). */
const MAX_ADDRESS = 254;
/** RFC 5321 section 4.5.3.1.1. */
const MAX_LOCAL_PART = 64;

const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN_CHARACTERS = /^[A-Za-z0-9.\-\u0080-\u{10ffff}]+$/u;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MAILBOX = /^(?:"((?:[^"\\]|\\.)*)"|([^"<>]*?))\s*<([^<>]*)>$/su;

/**
 * The one address that a text holds, surrounding space removed, the domain lower-cased and in punycode; the local
 * part keeps its case. Null unless it is exactly one address of at most 254 characters.
 */
export function validateAddress(text: string): string | null {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  if (at < 1) return null;
  const local = trimmed.slice(0, at);
  if (local.length > MAX_LOCAL_PART || !DOT_ATOM.test(local)) return null;
  const domain = asciiDomain(trimmed.slice(at + 1));
  if (domain === null) return null;
  const address = `${local}@${domain}`;
  return address.length <= MAX_ADDRESS ? address : null;
}

/**
 * The key for suppression, caps and launches: the valid address in lower case throughout. RFC 5321 lets a server
 * tell `Ada@` from `ada@`, but none that matters does, and two spellings are one reader. Null for no address.
 */
export function normaliseAddress(text: string): string | null {
  return validateAddress(text)?.toLowerCase() ?? null;
}

/** What stands behind the `@`. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** Reads `ada@example.com`, `Ada <ada@example.com>` or `"Ada, L." <ada@example.com>`; null for anything else. */
export function parseMailbox(text: string): Mailbox | null {
  const match = MAILBOX.exec(text.trim());
  if (match === null) {
    const bare = validateAddress(text);
    return bare === null ? null : { name: null, address: bare };
  }
  const address = validateAddress(match[3] ?? '');
  if (address === null) return null;
  const name = (match[1]?.replace(/\\(.)/gsu, '$1') ?? match[2] ?? '').trim();
  return { name: name === '' ? null : name, address };
}

/** Most readers share a few domains; emptied when it is full. */
const domains = new Map<string, string | null>();
const DOMAINS_KEPT = 2_000;

function asciiDomain(text: string): string | null {
  let domain = domains.get(text);
  if (domain === undefined) {
    domain = readDomain(text);
    if (domains.size >= DOMAINS_KEPT) domains.clear();
    if (text.length <= MAX_ADDRESS) domains.set(text, domain);
  }
  return domain;
}

function readDomain(text: string): string | null {
  // domainToASCII decodes percent signs and reads numbers as IPv4: only names may reach it.
  if (!DOMAIN_CHARACTERS.test(text)) return null;
  const domain = domainToASCII(text).toLowerCase();
  if (domain.length > 253 || !DOMAIN.test(domain)) return null;
  const top = domain.slice(domain.lastIndexOf('.') + 1);
  return /^\d+$/.test(top) ? null : domain;
}
