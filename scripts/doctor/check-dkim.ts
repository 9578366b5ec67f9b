/** Whether readers' servers can verify what is signed here. */
import { dkimRecordName, publicKeyData, type DkimKey } from '../../engine/mail/dkim/key.ts';
import { loadDkimKey, NoDkimKey, type DkimKeyPlaces } from '../../workers/dkim-keys.ts';
import { dkimDnsRecord } from '../dkim/record.ts';
import type { Dns } from './dns.ts';
import { fail, ok, warn, type Finding } from './report.ts';
import type { Sending } from './sending.ts';
import { tagsOf } from './tags.ts';

/** RFC 8301 section 3.2: at least 1024 bits, and should be this. */
const GOOD_RSA_BITS = 2048;

/** One finding for each selector. */
export async function checkDkim(dns: Dns, { dkim }: Sending, places: DkimKeyPlaces): Promise<readonly Finding[]> {
  if (dkim === null) {
    const todo =
      'let your mail server sign, or make a key with "perennial dkim create SELECTOR" and name it in perennial.yaml (mail.dkim)';
    return [warn('dkim', 'perennial.yaml names no key (mail.dkim): mail is not signed here', todo)];
  }
  const findings: Finding[] = [];
  const keys: DkimKey[] = [];
  for (const selector of dkim.selectors) {
    const key = await keyOf(places, selector);
    if (!(key instanceof NoDkimKey)) keys.push(key);
    findings.push(await checkSelector(dns, selector, dkim.domain, key));
  }
  const isComplete = keys.length === dkim.selectors.length;
  if (isComplete && keys.every(({ algorithm }) => algorithm === 'ed25519')) {
    const todo = 'add an RSA key beside it (perennial dkim create SELECTOR): each mail then has both signatures';
    findings.push(warn('dkim algorithm', 'all keys are Ed25519, which many servers cannot verify', todo));
  }
  return findings;
}

async function keyOf(places: DkimKeyPlaces, selector: string): Promise<DkimKey | NoDkimKey> {
  try {
    return await loadDkimKey(places, selector);
  } catch (error) {
    if (error instanceof NoDkimKey) return error;
    throw error;
  }
}

async function checkSelector(dns: Dns, selector: string, domain: string, key: DkimKey | NoDkimKey): Promise<Finding> {
  const check = `dkim ${selector}`;
  const name = dkimRecordName(selector, domain);
  const looked = await dns.txt(name);
  if (looked.kind === 'unknown') {
    return warn(
      check,
      `the DNS gave no answer about ${name} (${looked.reason})`,
      'try again, or ask another server with --dns',
    );
  }
  const found = looked.kind === 'found' ? looked.values : [];
  if (key instanceof NoDkimKey) return withoutKey(check, name, found.length, key);
  const wrong = judgeRecord(found, name, key);
  if (wrong !== null)
    return fail(check, wrong, 'publish this record, and no other under that name', [dkimDnsRecord(key, domain)]);
  const { algorithm, bits } = key;
  if (algorithm === 'rsa' && bits < GOOD_RSA_BITS) {
    return warn(
      check,
      `${name} is right, but the key has only ${bits} bits`,
      `make one of ${GOOD_RSA_BITS} bits under another selector`,
    );
  }
  if (/(?:^|:)\s*y\s*(?::|$)/.test(tagsOf(found[0] ?? '').get('t') ?? '')) {
    return warn(
      check,
      `${name} is in test mode (t=y): servers may take signed mail for unsigned`,
      'take "t=y" out of the record',
    );
  }
  return ok(check, `${name} has the public key of the private one (${algorithm}, ${bits} bits)`);
}

function withoutKey(check: string, name: string, records: number, missing: NoDkimKey): Finding {
  const seen =
    records === 0
      ? `there is no record at ${name}, and here is no key`
      : `${name} is there, and here is no key to compare it with`;
  const todo = `on a machine that delivers, this holds all mail up: ${missing.message}`;
  return records === 0 ? fail(check, seen, todo) : warn(check, seen, todo);
}

/** What is wrong with the records under a key's name (RFC 6376 section 3.6.1); null when they are right. */
function judgeRecord(found: readonly string[], name: string, key: DkimKey): string | null {
  const [text] = found;
  if (text === undefined) return `there is no record at ${name}`;
  if (found.length > 1) return `there are ${found.length} text records at ${name}`;
  const tags = tagsOf(text);
  const version = tags.get('v') ?? 'DKIM1';
  const published = tags.get('p')?.replaceAll(/\s/g, '');
  const kind = tags.get('k') ?? 'rsa';
  if (version !== 'DKIM1') return `${name} is no DKIM record (v=${version})`;
  if (published === undefined) return `${name} has no key (p=)`;
  if (published === '') return `the key at ${name} is revoked (p= is empty)`;
  if (kind !== key.algorithm) return `${name} has a key of the kind ${kind}, and the private one is ${key.algorithm}`;
  if (published !== publicKeyData(key)) return `the key at ${name} is another one than the private key's`;
  if (!listHas(tags.get('h'), 'sha256')) return `${name} does not allow SHA-256 (h=)`;
  if (!listHas(tags.get('s'), 'email')) return `${name} is not for mail (s=)`;
  return null;
}

/** Whether a list of names, where there is one, has this name or `*`. */
function listHas(list: string | undefined, name: string): boolean {
  const names = list?.split(':').map((one) => one.trim()) ?? ['*'];
  return names.includes('*') || names.includes(name);
}
