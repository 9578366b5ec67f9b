/** DMARC (RFC 7489): the policy of a domain, and which domains count as one. */
import type { Dns } from './dns.ts';
import { tagsOf, type Tags } from './tags.ts';

/** A domain's DMARC record. */
export interface DmarcRecord {
  /** The domain that it is for, without `_dmarc`. */
  readonly domain: string;
  readonly text: string;
  readonly tags: Tags;
}

/** The records on the way up from a domain, its own first. */
export type DmarcWalk =
  | { readonly kind: 'walked'; readonly records: readonly DmarcRecord[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Questions at most: no domain has more labels that matter (DMARCbis, "DNS Tree Walk"). */
const MOST_STEPS = 8;

/** Asks the domain and those above it, up to its top (DMARCbis, "DNS Tree Walk", which needs no list of public suffixes). */
export async function walkDmarc(dns: Dns, domain: string): Promise<DmarcWalk> {
  const labels = domain.split('.');
  const records: DmarcRecord[] = [];
  const starts = [...labels.keys()].filter((start) => start === 0 || labels.length - start < MOST_STEPS);
  for (const start of starts) {
    const name = labels.slice(start).join('.');
    const looked = await dns.txt(`_dmarc.${name}`);
    if (looked.kind === 'unknown') return { kind: 'unknown', reason: `_dmarc.${name}: ${looked.reason}` };
    if (looked.kind === 'none') continue;
    const [text, ...more] = looked.values.filter((value) => /^v=DMARC1\s*(?:;|$)/.test(value));
    // Several records are as good as none (RFC 7489 section 6.6.3).
    if (text !== undefined && more.length === 0) records.push({ domain: name, text, tags: tagsOf(text) });
    if (records.at(-1)?.domain === name && /^[ny]$/.test(records.at(-1)?.tags.get('psd') ?? '')) break;
  }
  return { kind: 'walked', records };
}

/** The domain that stands for all below it: two with the same one are aligned in the relaxed mode. */
export function organisationOf(domain: string, records: readonly DmarcRecord[]): string {
  const top = records.at(-1);
  if (top === undefined) return domain;
  if (top.tags.get('psd') !== 'y' || top.domain === domain) return top.domain;
  const below = domain.split('.').length - top.domain.split('.').length - 1;
  return domain.split('.').slice(below).join('.');
}

/** The record that decides for a domain: its own, else that of its organisation. */
export function policyOf(domain: string, records: readonly DmarcRecord[]): DmarcRecord | null {
  const organisation = organisationOf(domain, records);
  return (
    records.find((record) => record.domain === domain) ??
    records.find((record) => record.domain === organisation) ??
    null
  );
}
