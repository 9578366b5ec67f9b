/** As whom a company sends: the domains that receivers look at. */
import { domainOf, parseMailbox } from '../../engine/message/address.ts';
import type { TemplateSet } from '../../engine/message/templates.ts';
import type { Company } from '../../engine/playbook/types.ts';
import { signingDomain } from '../../workers/signing.ts';

/** What receivers see of a company's mail. */
export interface Sending {
  /** Of the sender that readers see: what SPF and DKIM must agree with. */
  readonly from: string;
  /** Of the return path: what SPF is asked for, and where bounces go. */
  readonly returnPath: string;
  /** Null when nothing is signed here. */
  readonly dkim: { readonly domain: string; readonly selectors: readonly string[] } | null;
  /** Domains of senders that templates name besides `from`. */
  readonly otherSenders: readonly string[];
}

/** The sending domains of a company and its templates. */
export function sendingOf({ mail }: Company, templates: TemplateSet): Sending {
  const from = mailboxDomain(mail.from);
  const { bounces = null, dkim = null } = mail;
  const senders = templates.names.map((name) => templates.get(name)?.from ?? null).filter((sender) => sender !== null);
  return {
    from,
    returnPath: bounces === null ? from : mailboxDomain(bounces),
    dkim: dkim === null ? null : { domain: signingDomain(mail), selectors: dkim.selectors },
    otherSenders: [...new Set(senders.map(mailboxDomain))].filter((domain) => domain !== from),
  };
}

function mailboxDomain(mailbox: string): string {
  const address = parseMailbox(mailbox)?.address ?? mailbox;
  return domainOf(address).toLowerCase();
}
