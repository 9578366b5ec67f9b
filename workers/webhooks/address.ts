/**
 * Which addresses a webhook may call: public ones, and hosts that the configuration names. A playbook's URL must not reach
 * the database beside the worker, a cloud's metadata service, or anything else that trusts the network it is in.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Public IPv6 is 2000::/3 (RFC 4291 section 2.4 and IANA's registry); what is assigned to nobody yet is nobody's. */
const PUBLIC_V6 = { first: 0x2000, last: 0x3fff } as const;

/**
 * Whether an IP address is one of the public internet; false for what is no address. Not public are IANA's special-purpose
 * ranges (RFC 6890 and its updates), multicast, and ways from IPv6 to IPv4: 6to4, Teredo, NAT64. An IPv4-mapped address
 * (::ffff:0:0/96) is judged as the IPv4 one that it stands for.
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also reads `2130706433` and `0x7f.1`, which are names to a socket.
  if (isIP(address) === 0) return false;
  const read = ipaddr.process(address);
  if (read.range() !== 'unicast') return false;
  if (read instanceof ipaddr.IPv4) return true;
  const [first = 0] = read.parts;
  return first >= PUBLIC_V6.first && first <= PUBLIC_V6.last;
}

/** An address that a webhook may not call. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
  readonly code = 'forbidden-address';

  constructor(host: string, address: string) {
    const which = host === address ? address : `${host} (${address})`;
    super(
      `${which} is no address of the public internet, so it is not called; ` +
        'name the host in PERENNIAL_WEBHOOK_ALLOW if it may be',
    );
  }
}

/** Hosts that may be called whatever their addresses: `host` or `host:port`, in small letters. */
export type AllowedHosts = ReadonlySet<string>;

/** Whether the configuration names the host of a URL. */
export function isAllowedHost(url: URL, allow: AllowedHosts): boolean {
  return allow.has(url.hostname) || allow.has(`${url.hostname}:${portOf(url)}`);
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port;
  return protocol === 'https:' ? '443' : '80';
}

/** The name of this machine and all below it (RFC 6761 section 6.3), also written from the root. */
const LOCALHOST = /(?:^|\.)localhost\.?$/i;

/**
 * Refuses a URL whose host is an address that is not public, since sockets look no such host up, or this machine's name,
 * which some systems look up and others do not.
 * @throws ForbiddenAddress.
 */
export function requirePublicLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (LOCALHOST.test(host) || (isIP(host) !== 0 && !isPublicAddress(host))) throw new ForbiddenAddress(host, host);
}

/**
 * Looks a name up for a socket, and refuses it when any of its addresses is not public. What is checked is what is
 * connected to: a name that points elsewhere a moment later changes nothing.
 */
export function publicLookup(resolve: typeof dnsLookup = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const addresses = found as LookupAddress[] | undefined;
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const wrong = addresses?.find(({ address }) => !isPublicAddress(address));
      if (wrong !== undefined) {
        callback(new ForbiddenAddress(hostname, wrong.address), '', 0);
        return;
      }
      const [first] = addresses ?? [];
      if (options.all === true) callback(null, addresses ?? []);
      else callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}
