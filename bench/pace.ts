/**
 * What limits cost that never bind: mails a second of one process with `sending` far above what it reaches, against the same company
 * without it. In turns, so that the ratio of the medians carries over to other machines. Run it with: npm run bench -- pace [MAILS]
 */
import type { SourceFile } from '../engine/playbook/problem.ts';
import { companyWith, MAIL_AT_ORDER } from './support/company.ts';
import { drain } from './support/drain.ts';
import { median } from './support/figures.ts';
import { customersFrom, plan } from './support/orders.ts';
import { openPlace, type Place } from './support/place.ts';
import { startRedis } from './support/redis.ts';
import { startSink, type Sink } from './support/sink.ts';

const MAILS = Number(process.argv[2] ?? 4_000);
const ROUNDS = 5;
const CONNECTIONS = 8;
/** To the server, to the one domain that all readers have, and to each other one. */
const LIMITS = "sending: { per_second: 10000, domains: { example.com: 10000, '*': 10000 } }\n";

async function sourcesWith(limits: string): Promise<readonly SourceFile[]> {
  const sources = await companyWith(MAIL_AT_ORDER);
  return sources.map((file) => (file.path === 'perennial.yaml' ? { ...file, text: `${file.text}\n${limits}` } : file));
}

let made = 0;

/** Mails a second of one round. */
async function round({ parts }: Place, sink: Sink): Promise<number> {
  await plan(parts, customersFrom(made + 1, MAILS));
  made += MAILS;
  const before = await sink.taken();
  const { ms } = await drain(parts);
  const count = (await sink.taken()) - before;
  if (count !== MAILS) throw new Error(`the sink took ${count} mails instead of ${MAILS}`);
  return (MAILS / ms) * 1_000;
}

/** The rows of limits in use. */
async function limitsOf({ parts }: Place): Promise<number> {
  const { rows } = await parts.db.query<{ limits: number }>('select count(*) as limits from pace');
  return rows[0]?.limits ?? 0;
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en');
}

const sink = await startSink();
const redis = await startRedis();
const env = {
  SMTP_URL: sink.url,
  PERENNIAL_SMTP_CONNECTIONS: String(CONNECTIONS),
  ...(redis === null ? {} : { REDIS_URL: redis.url }),
};
const free = await openPlace(env, await sourcesWith(''));
const limited = await openPlace(env, await sourcesWith(LIMITS));
try {
  const rates = { free: [] as number[], limited: [] as number[] };
  for (let number = 0; number <= ROUNDS; number += 1) {
    const without = await round(free, sink);
    const within = await round(limited, sink);
    // The first one warms up.
    if (number === 0) continue;
    rates.free.push(without);
    rates.limited.push(within);
    process.stdout.write(`round ${number}: ${rate(within)} mails/s with limits, ${rate(without)} without\n`);
  }
  if ((await limitsOf(limited)) === 0 || (await limitsOf(free)) > 0) throw new Error('the limits were not those meant');
  const ratio = median(rates.limited) / median(rates.free);
  process.stdout.write(
    `${rate(median(rates.limited))} mails/s with limits that never bind, ${ratio.toFixed(2)} times the ${rate(median(rates.free))} without; ` +
      `${MAILS} mails a round, medians of ${ROUNDS} rounds in turns\n`,
  );
} finally {
  await limited.close();
  await free.close();
  await redis?.close();
  await sink.close();
}
