/** Whether the domain of the return path lets the mail server send for it. */
import type { Dns } from './dns.ts';
import { fail, ok, warn, type Finding } from './report.ts';
import type { Sending } from './sending.ts';
import { judgeSpf, type SpfVerdict } from './spf.ts';

const CHECK = 'spf';

/** @param addresses public addresses of the mail server; it may send from others. */
export async function checkSpf(dns: Dns, { returnPath }: Sending, addresses: readonly string[]): Promise<Finding> {
  const whole = await judgeSpf(dns, returnPath, null);
  if (whole.kind !== 'judged') return unusable(whole, returnPath, addresses);
  const { record } = whole;
  if (/^\+?all$/i.test(whole.by ?? '')) {
    const todo = `let it end in "~all" or "-all": with "${whole.by ?? ''}" everybody may send as ${returnPath}`;
    return fail(CHECK, `${returnPath}: ${record}`, todo);
  }
  if (whole.by === null) {
    return warn(CHECK, `${returnPath}: ${record} does not say what holds for other servers`, 'let it end in "~all"');
  }
  for (const address of addresses) {
    const verdict = await judgeSpf(dns, returnPath, address);
    if (verdict.kind === 'judged' && verdict.result === 'pass') continue;
    const seen = `${returnPath}: ${record} does not name ${address}, the mail server's address`;
    const todo =
      `add "${termFor(address)}" to the record, or, if the server sends from other addresses or hands the mail on, ` +
      'the "include:" that its operator names';
    return warn(CHECK, seen, todo);
  }
  const servers = addresses.length === 0 ? '' : ` allows the mail server (${addresses.join(', ')})`;
  return ok(CHECK, `${returnPath}: ${record}${servers}`);
}

function unusable(
  verdict: Exclude<SpfVerdict, { kind: 'judged' }>,
  domain: string,
  addresses: readonly string[],
): Finding {
  switch (verdict.kind) {
    case 'none': {
      const terms = addresses.length === 0 ? 'include:YOUR-MAIL-PROVIDER' : addresses.map(termFor).join(' ');
      const record = { name: domain, type: 'TXT', value: `v=spf1 ${terms} ~all` } as const;
      const todo = 'publish one that names the servers from which your mail goes out; your mail provider says which';
      return fail(CHECK, `${domain}, the domain of the return path, has no SPF record`, todo, [record]);
    }
    case 'broken':
      return fail(CHECK, verdict.reason, 'mend the record: until then servers take it for none, or refuse');
    case 'unknown':
      return warn(CHECK, verdict.reason, 'try again, or ask another server with --dns');
  }
}

function termFor(address: string): string {
  return `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`;
}
