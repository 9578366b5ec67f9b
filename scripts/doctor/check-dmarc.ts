/** Whether the sender that readers see is the one that SPF and DKIM vouch for. */
import type { Dns } from './dns.ts';
import { organisationOf, policyOf, walkDmarc, type DmarcRecord } from './dmarc.ts';
import { fail, ok, warn, type Finding } from './report.ts';
import type { Sending } from './sending.ts';

const POLICIES: ReadonlySet<string> = new Set(['none', 'quarantine', 'reject']);
const AGAIN = 'try again, or ask another server with --dns';

/** The policy, the alignment of both, and of senders that templates name. */
export async function checkDmarc(dns: Dns, sending: Sending): Promise<readonly Finding[]> {
  const { from } = sending;
  const walk = await walkDmarc(dns, from);
  if (walk.kind === 'unknown') return [warn('dmarc', `the DNS gave no answer about ${walk.reason}`, AGAIN)];
  const record = policyOf(from, walk.records);
  const organisation = organisationOf(from, walk.records);
  return [
    judgePolicy(from, record),
    await judgeAlignment(dns, sending, record, organisation),
    ...(await judgeOtherSenders(dns, sending, organisation)),
  ];
}

function judgePolicy(from: string, record: DmarcRecord | null): Finding {
  const example = { name: `_dmarc.${from}`, type: 'TXT', value: `v=DMARC1; p=none; rua=mailto:dmarc@${from}` } as const;
  if (record === null) {
    const todo = 'publish one: the large providers refuse mass mail of domains without. p=none changes nothing else';
    return fail('dmarc', `there is no DMARC record for ${from}`, todo, [example]);
  }
  const { domain, text, tags } = record;
  const seen = `_dmarc.${domain}: ${text}`;
  const policy = (domain === from ? undefined : tags.get('sp')) ?? tags.get('p');
  if (policy === undefined || !POLICIES.has(policy.toLowerCase())) {
    return fail('dmarc', `${seen} has no policy`, 'give it p=none, p=quarantine or p=reject', [example]);
  }
  if (policy.toLowerCase() === 'none' && !tags.has('rua')) {
    const todo = 'add "rua=mailto:" and a mailbox: with p=none and without reports the record does nothing';
    return warn('dmarc', seen, todo);
  }
  return ok('dmarc', seen);
}

async function judgeAlignment(
  dns: Dns,
  { from, returnPath, dkim }: Sending,
  record: DmarcRecord | null,
  organisation: string,
): Promise<Finding> {
  const aligned = async (domain: string, mode: string | undefined): Promise<boolean> =>
    domain === from || (mode?.toLowerCase() !== 's' && (await organisationFor(dns, domain)) === organisation);
  const byDkim = dkim !== null && (await aligned(dkim.domain, record?.tags.get('adkim')));
  const bySpf = await aligned(returnPath, record?.tags.get('aspf'));
  if (byDkim) {
    const also = bySpf ? ` and the return path's (${returnPath})` : '';
    return ok('alignment', `the domain that signs (${dkim.domain})${also} agrees with the sender's (${from})`);
  }
  const todo =
    dkim === null
      ? `let mail be signed for ${from} (mail.dkim): a signature survives forwarding, SPF does not`
      : `sign for ${from}: mail.dkim.domain is ${dkim.domain}`;
  if (bySpf)
    return warn('alignment', `only the return path (${returnPath}) agrees with the sender's domain (${from})`, todo);
  const seen = `neither the domain that signs nor the return path (${returnPath}) agrees with the sender's (${from})`;
  return fail('alignment', seen, `${todo}, and take a mailbox below it for bounces`);
}

async function organisationFor(dns: Dns, domain: string): Promise<string | null> {
  const walk = await walkDmarc(dns, domain);
  return walk.kind === 'unknown' ? null : organisationOf(domain, walk.records);
}

async function judgeOtherSenders(
  dns: Dns,
  { otherSenders, dkim }: Sending,
  organisation: string,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const sender of otherSenders) {
    const own = await organisationFor(dns, sender);
    if (own === organisation || sender === dkim?.domain) continue;
    const todo = `use a sender of ${organisation} in those templates`;
    const seen = `templates name senders of ${sender}, and neither the signature nor the return path is of that domain`;
    findings.push(fail(`sender ${sender}`, seen, todo));
  }
  return findings;
}
