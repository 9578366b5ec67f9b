/** Whether what comes back can be delivered. */
import type { Dns } from './dns.ts';
import { fail, ok, warn, type Finding } from './report.ts';
import type { Sending } from './sending.ts';

const CHECK = 'mx';
const AGAIN = 'try again, or ask another server with --dns';

/** Mail that comes back goes to the mail exchangers of the return path's domain (RFC 5321 section 5.1). */
export async function checkMx(dns: Dns, { returnPath }: Sending): Promise<Finding> {
  const looked = await dns.mx(returnPath);
  if (looked.kind === 'unknown')
    return warn(CHECK, `the DNS gave no answer about ${returnPath} (${looked.reason})`, AGAIN);
  if (looked.kind === 'none') return withoutMx(dns, returnPath);
  const exchangers = [...looked.values].sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange);
  if (exchangers.every((exchange) => exchange === '')) {
    const todo = 'take a mailbox of a domain that receives mail (mail.bounces), or name its server in an MX record';
    return fail(CHECK, `${returnPath} says that it takes no mail at all (null MX), so bounces are lost`, todo);
  }
  for (const exchange of exchangers) {
    const addresses = await dns.addresses(exchange);
    if (addresses.kind === 'found') return ok(CHECK, `${returnPath} is served by ${exchangers.join(', ')}`);
    if (addresses.kind === 'unknown')
      return warn(CHECK, `the DNS gave no answer about ${exchange} (${addresses.reason})`, AGAIN);
  }
  return fail(CHECK, `${returnPath} is served by ${exchangers.join(', ')}, which has no address`, 'mend the MX record');
}

async function withoutMx(dns: Dns, domain: string): Promise<Finding> {
  const addresses = await dns.addresses(domain);
  const record = { name: domain, type: 'MX', value: `10 YOUR-MAIL-SERVER.${domain}.` } as const;
  const todo = 'publish one that names the server that takes what comes back';
  const seen = `${domain}, the domain of the return path, has no MX record`;
  if (addresses.kind === 'found') return warn(CHECK, `${seen}; mail goes to its own address instead`, todo, [record]);
  return fail(CHECK, `${seen}: bounces are lost, and many servers refuse such a sender`, todo, [record]);
}
