/** Questions to the DNS, with answers that tell "there is none" from "nobody answered". */
import { Resolver } from 'node:dns/promises';
import { codeOf } from '../../engine/ingest/error-code.ts';

/** What the DNS said. */
export type Looked<T> =
  | { readonly kind: 'found'; readonly values: readonly T[] }
  /** There is no such name, or it has no record of that kind. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A mail exchanger (RFC 5321 section 5.1). */
export interface Exchanger {
  readonly exchange: string;
  readonly priority: number;
}

/** Asks the DNS. Never rejects. */
export interface Dns {
  /** Text records, their parts joined. */
  txt(name: string): Promise<Looked<string>>;
  mx(name: string): Promise<Looked<Exchanger>>;
  /** Addresses of both families. */
  addresses(name: string): Promise<Looked<string>>;
}

const TIMEOUT_MS = 3_000;
const TRIES = 2;
const NO_SUCH: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** @param server `ADDRESS` or `ADDRESS:PORT` to ask instead of those of the system; null: those. @throws TypeError for what is no address. */
export function openDns(server: string | null): Dns {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (server !== null) resolver.setServers([server]);
  return {
    txt: async (name) => {
      const looked = await look(resolver.resolveTxt(name));
      return looked.kind === 'found' ? { ...looked, values: looked.values.map((parts) => parts.join('')) } : looked;
    },
    mx: async (name) => look(resolver.resolveMx(name)),
    addresses: async (name) => {
      const [four, six] = await Promise.all([look(resolver.resolve4(name)), look(resolver.resolve6(name))]);
      if (four.kind === 'found' && six.kind === 'found')
        return { kind: 'found', values: [...four.values, ...six.values] };
      if (four.kind === 'found') return four;
      if (six.kind === 'found') return six;
      return four.kind === 'unknown' ? four : six;
    },
  };
}

async function look<T>(asked: Promise<readonly T[]>): Promise<Looked<T>> {
  try {
    const values = await asked;
    return values.length === 0 ? { kind: 'none' } : { kind: 'found', values };
  } catch (error) {
    const code = codeOf(error);
    return NO_SUCH.has(code) ? { kind: 'none' } : { kind: 'unknown', reason: code === '' ? String(error) : code };
  }
}
