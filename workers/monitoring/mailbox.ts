/** Whose mailbox an address is, as far as many readers share it: a label of metrics, so from a short list. */
import { domainOf } from '../../engine/message/address.ts';

const BY_DOMAIN: readonly (readonly [RegExp, string])[] = [
  [/^(?:gmail|googlemail)\.com$/, 'google'],
  [/^(?:outlook|hotmail|live|msn)\.[a-z.]+$/, 'microsoft'],
  [/^(?:yahoo|ymail|rocketmail|aol)\.[a-z.]+$/, 'yahoo'],
  [/^(?:icloud|me|mac)\.com$/, 'apple'],
  [/^(?:gmx\.[a-z.]+|web\.de)$/, 'gmx'],
];

/** All that `mailboxProviderOf` can say. */
export const MAILBOX_PROVIDERS: readonly string[] = [...BY_DOMAIN.map(([, name]) => name), 'other'];

/** The provider of an address by its domain; `other` for companies' own domains and all that are not in the list. */
export function mailboxProviderOf(address: string): string {
  const domain = domainOf(address).toLowerCase();
  return BY_DOMAIN.find(([pattern]) => pattern.test(domain))?.[1] ?? 'other';
}
