/**
 * Signs mails with the keys that the release names (`mail.dkim`), after they were composed and before they are offered.
 *
 * 1. Mail that leaves the machine goes out with all its signatures or waits: one of them missing is the operator's to
 *    mend, and no reader's server is to judge the mail without it.
 * 2. What stays in the local inbox is signed where the keys are there.
 * 3. A key is read when it is first needed, so a selector that a later release names needs no restart.
 */
import { domainOf, parseMailbox } from '../engine/message/address.ts';
import type { ComposedMail } from '../engine/message/compose.ts';
import type { Company } from '../engine/playbook/types.ts';
import type { Instant } from '../engine/time/types.ts';
import type { DkimKey } from '../engine/mail/dkim/key.ts';
import { signDkim } from '../engine/mail/dkim/sign.ts';
import { ConfigError, type Config, type ConfigProblem } from './config.ts';
import { loadDkimKey, NoDkimKey } from './dkim-keys.ts';
import { errorFields, type Logger } from './log.ts';

/** Signs mails. */
export interface Signer {
  /** Never rejects; `unsigned` says why a mail that must be signed cannot be. */
  sign(mail: ComposedMail, company: Company, at: Instant): Promise<Signed>;
}

/** What became of a mail. */
export type Signed =
  { readonly kind: 'ready'; readonly mail: ComposedMail } | { readonly kind: 'unsigned'; readonly reason: string };

/** What a signer works with. */
export interface SignerParts {
  readonly config: Pick<Config, 'projectDir' | 'dkimKeys' | 'smtpUrl'>;
  readonly log: Logger;
}

/** The domain that signs a company's mail: the one it names, else that of its sender. */
export function signingDomain({ from, dkim }: Company['mail']): string {
  const address = parseMailbox(from)?.address ?? from;
  return dkim?.domain ?? domainOf(address);
}

/** Looks whether the keys that a company's mail needs are there. @throws ConfigError that names those that are not. */
export async function requireDkimKeys(
  { mail }: Company,
  config: Pick<Config, 'projectDir' | 'dkimKeys'>,
): Promise<void> {
  const problems: ConfigProblem[] = [];
  for (const selector of mail.dkim?.selectors ?? []) {
    try {
      await loadDkimKey(config, selector);
    } catch (error) {
      if (!(error instanceof NoDkimKey)) throw error;
      problems.push({ variable: 'PERENNIAL_DKIM_KEYS', message: error.message });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Opens a signer; nothing is read yet. */
export function openSigner({ config, log }: SignerParts): Signer {
  const known = new Map<string, DkimKey>();
  /** Told of once, until it is there. */
  const missing = new Set<string>();

  const load = async (selector: string): Promise<DkimKey> => {
    const key = await loadDkimKey(config, selector);
    known.set(selector, key);
    missing.delete(selector);
    return key;
  };
  const report = (selector: string, error: unknown): void => {
    if (missing.has(selector)) return;
    missing.add(selector);
    const fields = { selector, ...errorFields(error) };
    if (config.smtpUrl === null) log.debug(fields, 'mail for the local inbox is not signed');
    else log.error(fields, 'mail waits: it cannot be signed');
  };

  return {
    sign: async (mail, company, at) => {
      const { dkim = null } = company.mail;
      if (dkim === null) return { kind: 'ready', mail };
      try {
        const keys: DkimKey[] = [];
        for (const selector of dkim.selectors) keys.push(known.get(selector) ?? (await load(selector)));
        const message = await signDkim(mail.message, { domain: signingDomain(company.mail), at, keys });
        return { kind: 'ready', mail: { ...mail, message } };
      } catch (error) {
        report(error instanceof NoDkimKey ? error.selector : 'all', error);
        if (config.smtpUrl === null) return { kind: 'ready', mail };
        return { kind: 'unsigned', reason: `DKIM: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
  };
}
