/**
 * What signing costs, as a ratio to composing the same mails, in one process and in turns. Run it with: npm run bench -- dkim [SECONDS]
 * The mails are those of the sample company's note on an order. Signing hashes a body and makes one signature for each key.
 */
import { createDkimKey, readDkimKey, type DkimKey } from '../engine/mail/dkim/key.ts';
import { signDkim } from '../engine/mail/dkim/sign.ts';
import { compose, messageIdFor } from '../engine/message/compose.ts';
import { checkSources } from '../engine/project/check.ts';
import { companyWith, MAIL_AT_ORDER, TEMPLATE } from './support/company.ts';
import { median } from './support/figures.ts';

const SECONDS = Number(process.argv[2] ?? 2);
const ROUNDS = 5;
/** Signatures under way at a time, as in a process that delivers. */
const PARALLEL = 16;
const AT = Date.UTC(2026, 2, 2, 9, 15);
const DOMAIN = 'hearth.example';

const { release, templates } = checkSources(await companyWith(MAIL_AT_ORDER));
const template = templates.get(TEMPLATE);
if (release === null || template === null) throw new Error('the sample company has mistakes: run "perennial check"');
const words = template.render({
  customer: { first_name: 'Ada', orders: 1 },
  company: release.company.fields,
  event: { total: 42.5, order_id: 'HH-1', room: 'kitchen' },
  vars: {},
  unsubscribe_url: 'https://hearth.example/u/1',
  preferences_url: 'https://hearth.example/p/1',
  locale: 'en-GB',
  zone: { name: 'Europe/London', offsetAt: () => 0 },
  now: AT,
});

function composed(n: number): Buffer {
  return compose({
    from: 'Hearth & Home <hello@hearth.example>',
    to: `ada.${n}@example.com`,
    toName: `Ada ${n}`,
    replyTo: null,
    ...words,
    messageId: messageIdFor(n, DOMAIN),
    date: AT,
    headers: {},
  }).message;
}

const ready = Array.from({ length: 64 }, (_, n) => composed(n));

/** Calls a second. */
async function rate(run: (n: number) => unknown): Promise<number> {
  const startedMs = performance.now();
  let n = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < SECONDS * 1_000) await run((n += 1));
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return n / ((performance.now() - startedMs) / 1_000);
}

const sign =
  (keys: readonly DkimKey[]) =>
  async (n: number): Promise<Buffer> =>
    signDkim(ready[n % ready.length] ?? Buffer.alloc(0), { domain: DOMAIN, at: AT, keys });

const rsa = readDkimKey('r', await createDkimKey('rsa'));
const ed25519 = readDkimKey('e', await createDkimKey('ed25519'));
const runs: readonly (readonly [string, (n: number) => unknown])[] = [
  ['compose', composed],
  ['sign with RSA (2048 bits)', sign([rsa])],
  ['sign with Ed25519', sign([ed25519])],
  ['sign with both', sign([rsa, ed25519])],
];
const rates = new Map<string, number[]>(runs.map(([name]) => [name, []]));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, run] of runs) {
    const perSecond = await rate(run);
    // The first round warms up.
    if (round > 0) rates.get(name)?.push(perSecond);
  }
}
const composing = median(rates.get('compose') ?? []);
const size = `${((ready[0]?.length ?? 0) / 1_024).toFixed(1)} KB`;
process.stdout.write(`a mail of ${size}, ${PARALLEL} at a time, medians of ${ROUNDS} rounds in turns\n`);
for (const [name, found] of rates) {
  const perSecond = median(found);
  const cost = name === 'compose' ? '' : `  (${(composing / perSecond).toFixed(2)} times the cost of composing)`;
  process.stdout.write(`${name.padEnd(28)}${Math.round(perSecond).toLocaleString('en').padStart(8)} /s${cost}\n`);
}
