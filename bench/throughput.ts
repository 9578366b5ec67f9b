/**
 * From due to accepted by SMTP and recorded: mails a second of one process, against a bare nodemailer pool that sends
 * the same mails to the same sink over as many connections and records nothing. In turns, and the ratio is the median of
 * the turns' own ratios: it carries over to other machines, also to one whose host is now faster and now slower. Run it with:
 * npm run bench -- throughput [MAILS]
 *
 * What is timed of ours: scheduler, hints, claims, rendering, composing, hand-overs, SMTP, outcomes. What is timed of
 * the bare loop: composing and SMTP; its texts are rendered before.
 */
import { createTransport } from 'nodemailer';
import { checkSources } from '../engine/project/check.ts';
import { scopeOf } from '../engine/journey/view.ts';
import type { Parts } from '../workers/parts.ts';
import { companyWith, MAIL_AT_ORDER, TEMPLATE } from './support/company.ts';
import { drain, stopwatch, type Taken } from './support/drain.ts';
import { median } from './support/figures.ts';
import { customersFrom, orderOf, plan, type Customer } from './support/orders.ts';
import { openPlace } from './support/place.ts';
import { startRedis } from './support/redis.ts';
import { startSink, type Sink } from './support/sink.ts';

/** Enough that the first and the last ones, which have the fleet to themselves, weigh little. */
const MAILS = Number(process.argv[2] ?? 8_000);
/** A server runs for weeks: what is compiled and cached only once must not be in what is timed. */
const WARM_UP = 8_000;
const ROUNDS = 5;
const CONNECTIONS = 8;

const sources = await companyWith(MAIL_AT_ORDER);
const { release, templates } = checkSources(sources);
const template = templates.get(TEMPLATE);
if (release === null || template === null) throw new Error('the sample company has mistakes: run "perennial check"');
const words = { release, template };
const { company } = release;

let made = 0;

function newCustomers(count: number): readonly Customer[] {
  made += count;
  return customersFrom(made - count + 1, count);
}

/** Lets a fleet deliver a mail to each, until every mail is recorded as sent. */
async function ours(parts: Parts, sink: Sink, customers: readonly Customer[]): Promise<Taken> {
  await plan(parts, customers);
  const before = await sink.taken();
  const taken = await drain(parts);
  await verify(parts, customers.length, (await sink.taken()) - before);
  return taken;
}

/** Every mail went out once and every enrolment has gone on to its wait. */
async function verify(parts: Parts, count: number, taken: number): Promise<void> {
  if (taken !== count) throw new Error(`the sink took ${taken} mails instead of ${count}`);
  const { rows } = await parts.db.query<{ sent: number; waiting: number }>(
    `select (select count(*) from sends where status = 'sent') as sent,
       (select count(*) from enrolments where status = 'active' and due_at is not null) as waiting`,
  );
  const { sent = 0, waiting = 0 } = rows[0] ?? {};
  if (sent !== made - bareMails || waiting !== sent) {
    throw new Error(`${sent} mails are sent and ${waiting} enrolments wait, of ${made - bareMails}`);
  }
}

let bareMails = 0;

/** Sends the same mails through nodemailer's pool, until all are accepted. */
async function bare(sink: Sink, customers: readonly Customer[]): Promise<Taken> {
  bareMails += customers.length;
  const mails = customers.map(mailOf);
  const pool = createTransport({
    host: sink.host,
    port: sink.port,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Infinity,
    ignoreTLS: true,
  });
  const before = await sink.taken();
  const stop = stopwatch();
  await Promise.all(mails.map(async (mail) => pool.sendMail(mail)));
  const taken = stop();
  pool.close();
  const count = (await sink.taken()) - before;
  if (count !== customers.length) throw new Error(`the sink took ${count} mails instead of ${customers.length}`);
  return taken;
}

interface Mail {
  readonly from: string;
  readonly replyTo: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

function mailOf(customer: Customer): Mail {
  const now = Date.now();
  const facts = { name: null, last_name: null, timezone: null, locale: null, birthday: null, created_at: now };
  const orders = { orders: 1, spent: 42.5, first_order_at: now, last_order_at: now, last_seen_at: now };
  const profile = { ...customer, ...facts, ...orders, tags: [], attributes: {}, satisfaction: null };
  const event = { id: '1', event: 'order.placed', at: now, data: orderOf(customer) };
  const { subject, html, text } = words.template.render({
    ...scopeOf(profile, words.release, now, { event }),
    company: company.fields,
    unsubscribe_url: 'mailto:friends@hearth.example?subject=unsubscribe',
    preferences_url: 'mailto:friends@hearth.example?subject=preferences',
    locale: company.locale,
  });
  const to = { name: customer.first_name, address: customer.email };
  return { from: company.mail.from, replyTo: company.mail.replyTo ?? company.mail.from, to, subject, html, text };
}

async function compare(name: string, sink: Sink, redisUrl: string | null): Promise<void> {
  made = 0;
  bareMails = 0;
  const env = { SMTP_URL: sink.url, PERENNIAL_SMTP_CONNECTIONS: String(CONNECTIONS) };
  const place = await openPlace({ ...env, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) }, sources);
  try {
    await ours(place.parts, sink, newCustomers(WARM_UP));
    await bare(sink, newCustomers(WARM_UP));
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const timeOurs = async (): Promise<Taken> => ours(place.parts, sink, newCustomers(MAILS));
      const timeBare = async (): Promise<Taken> => bare(sink, newCustomers(MAILS));
      // Now the one first and now the other: a host that becomes slower or faster favours neither.
      const before = round % 2 === 0 ? await timeBare() : null;
      const mine = await timeOurs();
      const theirs = before ?? (await timeBare());
      rates.ours.push((MAILS / mine.ms) * 1_000);
      rates.bare.push((MAILS / theirs.ms) * 1_000);
      process.stdout.write(`${name}, round ${round}: ${described(mine)}; bare ${described(theirs)}\n`);
    }
    const ratio = median(rates.ours.map((mine, round) => mine / (rates.bare[round] ?? Number.NaN)));
    process.stdout.write(
      `${name}: ${rate(median(rates.ours))} mails/s, the bare loop ${rate(median(rates.bare))}; median ratio of the rounds ${ratio.toFixed(2)}\n`,
    );
  } finally {
    await place.close();
  }
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en');
}

function described({ ms, cpuMs }: Taken): string {
  return `${rate((MAILS / ms) * 1_000)} mails/s, ${Math.round((cpuMs / MAILS) * 1_000)} us of CPU a mail`;
}

const example = mailOf({ id: 'c0', email: 'reader@example.com', first_name: 'Ada' });
process.stdout.write(
  `${MAILS} mails a round (${(example.html.length / 1024).toFixed(1)} KB of HTML), ${CONNECTIONS} connections, ${ROUNDS} rounds in turns\n`,
);
const sink = await startSink();
const redis = await startRedis();
try {
  if (redis !== null) await compare('queue on Redis', sink, redis.url);
  await compare('queue on PostgreSQL', sink, null);
} finally {
  await redis?.close();
  await sink.close();
}
