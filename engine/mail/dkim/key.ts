/** Keys that sign mail (RFC 6376 section 3.3.1, RFC 8463): read, made, and written as the DNS record that verifies them. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** The algorithms that verifiers know (RFC 8301, RFC 8463). */
export const DKIM_ALGORITHMS = ['rsa', 'ed25519'] as const;
export type DkimAlgorithm = (typeof DKIM_ALGORITHMS)[number];

/** A private key under the name by which verifiers find its public half. */
export interface DkimKey {
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  /** Of an RSA modulus; 256 for Ed25519. */
  readonly bits: number;
  readonly privateKey: KeyObject;
}

/** A text that is no usable key; the message never quotes it. */
export class DkimKeyError extends Error {
  override readonly name = 'DkimKeyError';
  readonly code = 'bad-dkim-key';
}

/** RFC 8301 section 3.2: shorter ones must not sign. */
const SHORTEST_RSA = 1024;
/** The same section: verifiers must take keys up to here. */
const LONGEST_RSA = 4096;
/** What fits into one DNS answer without TCP, and is held to be safe. */
const NEW_RSA_BITS = 2048;
/** RFC 8463 section 4: the record holds the bare key, which is the end of its SPKI form. */
const ED25519_BYTES = 32;

/** Reads a private key in PEM (PKCS#8 or PKCS#1). @throws DkimKeyError that says what was expected. */
export function readDkimKey(selector: string, pem: string): DkimKey {
  const privateKey = parse(pem);
  const { asymmetricKeyType: type } = privateKey;
  if (type === 'ed25519') return { selector, algorithm: 'ed25519', bits: 256, privateKey };
  if (type !== 'rsa')
    throw new DkimKeyError(`the key is of the kind "${type ?? 'unknown'}"; DKIM knows rsa and ed25519`);
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < SHORTEST_RSA || bits > LONGEST_RSA) {
    throw new DkimKeyError(
      `the RSA key has ${bits} bits; verifiers take ${SHORTEST_RSA} to ${LONGEST_RSA}, and ${NEW_RSA_BITS} is usual`,
    );
  }
  return { selector, algorithm: 'rsa', bits, privateKey };
}

function parse(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // OpenSSL's own words help nobody, and its cause might hold a part of the text.
    const { code } = error as NodeJS.ErrnoException;
    const isLocked = code === 'ERR_MISSING_PASSPHRASE';
    throw new DkimKeyError(
      isLocked
        ? 'the key is locked with a passphrase; expected one without'
        : 'it holds no private key in PEM; expected "-----BEGIN PRIVATE KEY-----" and what follows',
    );
  }
}

/** A fresh private key in PEM (PKCS#8). */
export async function createDkimKey(algorithm: DkimAlgorithm): Promise<string> {
  const { privateKey } =
    algorithm === 'rsa'
      ? await promisify(generateKeyPair)('rsa', { modulusLength: NEW_RSA_BITS })
      : await promisify(generateKeyPair)('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The `p=` of the record that verifies this key: base64. */
export function publicKeyData(key: DkimKey): string {
  const spki = createPublicKey(key.privateKey).export({ type: 'spki', format: 'der' });
  return (key.algorithm === 'rsa' ? spki : spki.subarray(-ED25519_BYTES)).toString('base64');
}

/** The text of the DNS record that verifies this key (RFC 6376 section 3.6.1). */
export function dkimRecord(key: DkimKey): string {
  return `v=DKIM1; k=${key.algorithm}; p=${publicKeyData(key)}`;
}

/** Where verifiers look for it (RFC 6376 section 3.6.2.1). */
export function dkimRecordName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`;
}
