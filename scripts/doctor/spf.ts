/** SPF (RFC 7208): may these addresses send for a domain, and is its record sound? */
import { BlockList, isIP } from 'node:net';
import type { Dns, Looked } from './dns.ts';

/** What a domain's SPF says of an address. */
export type SpfVerdict =
  | { readonly kind: 'none' }
  /** RFC 7208's permerror: servers take such a record for none, or refuse. */
  | { readonly kind: 'broken'; readonly reason: string }
  /** The DNS did not answer. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | {
      readonly kind: 'judged';
      readonly result: 'pass' | 'fail' | 'softfail' | 'neutral';
      /** The term that decided; null when none matched. */
      readonly by: string | null;
      readonly record: string;
      /** Questions to the DNS that it took, of {@link MOST_LOOKUPS}. */
      readonly lookups: number;
    };

/** Section 4.6.4. */
export const MOST_LOOKUPS = 10;

type Result = 'pass' | 'fail' | 'softfail' | 'neutral';
const QUALIFIERS: Readonly<Record<string, Result>> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' };
const TERM = /^([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(.+))?$/i;

/** A record that cannot be followed to its end. */
class SpfStop extends Error {
  readonly kind: 'broken' | 'unknown';

  constructor(kind: SpfStop['kind'], reason: string) {
    super(reason);
    this.kind = kind;
  }
}

interface Walk {
  readonly dns: Dns;
  /** Null matches no address, so that the whole record is walked. */
  readonly ip: string | null;
  lookups: number;
}

/** What the domain's record says of an address; null walks all of it, as a server does for one that matches nothing. */
export async function judgeSpf(dns: Dns, domain: string, ip: string | null): Promise<SpfVerdict> {
  const walk: Walk = { dns, ip, lookups: 0 };
  try {
    const record = await recordOf(dns, domain);
    if (record === null) return { kind: 'none' };
    const { result, by } = await judge(walk, domain, record);
    return { kind: 'judged', result, by, record, lookups: walk.lookups };
  } catch (error) {
    if (error instanceof SpfStop) return { kind: error.kind, reason: error.message };
    throw error;
  }
}

/** Section 4.5: exactly one record, or none. */
async function recordOf(dns: Dns, domain: string): Promise<string | null> {
  const texts = found(await dns.txt(domain), domain);
  const records = texts.filter((text) => /^v=spf1(?: |$)/i.test(text));
  if (records.length > 1) throw new SpfStop('broken', `${domain} has ${records.length} SPF records; there must be one`);
  return records[0] ?? null;
}

async function judge(walk: Walk, domain: string, record: string): Promise<{ result: Result; by: string | null }> {
  const terms = record
    .split(/ +/)
    .slice(1)
    .filter((term) => term !== '');
  for (const term of terms.filter((term) => !/^[a-z][a-z0-9_.-]*=/i.test(term))) {
    const [, qualifier = '', name = '', separator = '', rest = ''] = TERM.exec(term) ?? [];
    if (name === '') throw new SpfStop('broken', `"${term}" in the SPF record of ${domain} is no term of SPF`);
    const argument = separator === '/' ? `/${rest}` : rest;
    if (await matches(walk, domain, name.toLowerCase(), argument)) {
      return { result: QUALIFIERS[qualifier === '' ? '+' : qualifier] ?? 'neutral', by: term };
    }
  }
  const redirect = terms.map((term) => /^redirect=(.+)$/i.exec(term)?.[1]).find((target) => target !== undefined);
  if (redirect === undefined) return { result: 'neutral', by: null };
  count(walk);
  const next = await recordOf(walk.dns, redirect);
  if (next === null) throw new SpfStop('broken', `${redirect}, to which ${domain} redirects, has no SPF record`);
  return judge(walk, redirect, next);
}

async function matches(walk: Walk, domain: string, name: string, argument: string): Promise<boolean> {
  const [, host = '', four, six] = /^([^/]*)(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(argument) ?? [];
  const prefixes = { four: Number(four ?? 32), six: Number(six ?? 128) };
  switch (name) {
    case 'all':
      return true;
    case 'ip4':
    case 'ip6':
      return matchesNetwork(walk.ip, argument, domain);
    case 'include':
      return matchesInclude(walk, argument);
    case 'a':
      count(walk);
      return matchesHosts(walk, [host === '' ? domain : host], prefixes);
    case 'mx': {
      count(walk);
      const name = host === '' ? domain : host;
      const exchangers = found(await walk.dns.mx(name), name);
      const names = exchangers.map(({ exchange }) => exchange).filter((exchange) => exchange !== '');
      return matchesHosts(walk, names, prefixes);
    }
    default:
      // `exists` depends on macros of the single mail, and `ptr` is not to be used (section 5.5): both count, and are
      // taken to match nothing.
      count(walk);
      return false;
  }
}

async function matchesInclude(walk: Walk, target: string): Promise<boolean> {
  count(walk);
  const record = await recordOf(walk.dns, target);
  if (record === null) throw new SpfStop('broken', `${target}, which is included, has no SPF record`);
  // An `all` of what is included says nothing of an address that is not known.
  const { result, by } = await judge(walk, target, record);
  return walk.ip !== null && result === 'pass' && by !== null;
}

async function matchesHosts(
  walk: Walk,
  hosts: readonly string[],
  prefixes: { readonly four: number; readonly six: number },
): Promise<boolean> {
  for (const host of hosts) {
    for (const address of found(await walk.dns.addresses(host), host)) {
      const prefix = isIP(address) === 4 ? prefixes.four : prefixes.six;
      if (matchesNetwork(walk.ip, `${address}/${prefix}`, host)) return true;
    }
  }
  return false;
}

function matchesNetwork(ip: string | null, network: string, domain: string): boolean {
  const [address = '', prefix] = network.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
  if (family === 0 || !Number.isInteger(bits) || bits > (family === 4 ? 32 : 128)) {
    throw new SpfStop('broken', `"${network}" in the SPF record of ${domain} is no network`);
  }
  if (ip === null || isIP(ip) !== family) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, bits, type);
  return list.check(ip, type);
}

function count(walk: Walk): void {
  walk.lookups += 1;
  if (walk.lookups <= MOST_LOOKUPS) return;
  throw new SpfStop(
    'broken',
    `following it takes more than ${MOST_LOOKUPS} questions to the DNS, and servers stop there`,
  );
}

function found<T>(looked: Looked<T>, name: string): readonly T[] {
  switch (looked.kind) {
    case 'found':
      return looked.values;
    case 'none':
      return [];
    case 'unknown':
      throw new SpfStop('unknown', `the DNS gave no answer about ${name} (${looked.reason})`);
  }
}
