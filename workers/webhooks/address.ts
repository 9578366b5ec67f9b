/**
 * Which addresses a webhook may call: public ones, and hosts that the configuration names. A playbook's URL must not reach
 * the database beside the worker, a cloud's metadata service, or anything else that trusts the network it is in.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IANA's special-purpose registries (RFC 6890 and its updates), multicast, and ways from IPv6 to IPv4. */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Public IPv6 is 2000::/3; within it these are not. IPv4-mapped addresses (::ffff:0:0/96) are judged as IPv4. */
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');
const SPECIAL_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [net, bits] of SPECIAL_V4) special.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of SPECIAL_V6) special.addSubnet(net, bits, 'ipv6');

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are 127.0.0.1. */
function mappedV4(address: string): string | null {
  const [, dotted, high, low] =
    /^(?:::|0:0:0:0:0:)ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return null;
  const bits = Number.parseInt(high, 16) * 0x1_00_00 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/** Whether an IP address is one of the public internet; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6: {
      const mapped = mappedV4(address);
      if (mapped !== null) return isPublicAddress(mapped);
      return PUBLIC_V6.check(address, 'ipv6') && !special.check(address, 'ipv6');
    }
    default:
      return false;
  }
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

/**
 * Refuses a URL whose host is an address that is not public: sockets look no such host up.
 * @throws ForbiddenAddress.
 */
export function requirePublicLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new ForbiddenAddress(host, host);
}

/**
 * Looks a name up for a socket, and refuses it when any of its addresses is not public. What is checked is what is
 * connected to: a name that points elsewhere a moment later changes nothing.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, found) => {
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
