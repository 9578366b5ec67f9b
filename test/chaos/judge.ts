/** Compares what was promised and what is on record with what the counter at the other end of SMTP has seen. */
import { ENROLMENTS_PER_ORDER, MAILS_PER_ORDER, NEWS_WAIT_MS } from './company.ts';
import { addressOf } from './load.ts';
import type { MailLane, Site } from './site.ts';

/** What was found. Each list names what is wrong; all must be empty. */
export interface Verdict {
  /** Customers whose mails neither arrived nor are on record as in doubt, or refused for good. */
  readonly lost: readonly string[];
  /** Mails that arrived more often than the record admits. */
  readonly copies: readonly string[];
  /** Mails that arrived and should not have: not on record as sent, or at another address. */
  readonly strangers: readonly string[];
  /** Enrolments that have not ended, are too many or too few, or are held. */
  readonly stuck: readonly string[];
  /** Mails that went out before their wait was over. */
  readonly early: readonly string[];
  /** For the table. */
  readonly mails: number;
  readonly unknown: number;
  readonly resent: number;
  /** Mails that arrived twice or more, as the record admits. */
  readonly admittedCopies: number;
  /** Mails that arrived twice or more although they are not to be sent again when it is unknown whether they arrived. */
  readonly assumedCopies: number;
  /** How often a mail was called unknown, whatever was done about it then. */
  readonly doubts: number;
  /** Mails that are on record as failed: the server refused them for good. */
  readonly failed: number;
}

interface SendRow extends Record<string, unknown> {
  readonly customer: string;
  readonly lane: MailLane;
  readonly status: string;
  readonly message_id: string | null;
  readonly resends: number;
}

/** Judges a site after its work is done. `customers` are those whose order was taken in. */
export async function judge(site: Site, customers: readonly string[]): Promise<Verdict> {
  const { rows } = await site.db.query<SendRow>(
    `select c.key as customer, s.lane, s.status, s.message_id, s.resends
     from sends s join customers c on c.id = s.customer_id`,
  );
  const arrived = await arrivals(site);
  const known = new Map(rows.map((row) => [row.message_id ?? '', row]));
  const countOf = (row: SendRow): number => arrived.get(row.message_id ?? '')?.length ?? 0;
  const strangers = [...arrived].flatMap(([key, addresses]) => {
    const row = known.get(key);
    if (row === undefined) return [`${key} to ${addresses.join(', ')}: not on record`];
    if (row.status !== 'sent' && row.status !== 'unknown') return [`${key} is on record as ${row.status}`];
    return addresses.every((address) => address === addressOf(row.customer)) ? [] : [`${key} to ${addresses.join()}`];
  });
  return {
    lost: lostOf(customers, rows, countOf),
    copies: rows
      .filter((row) => countOf(row) > 1 + row.resends)
      .map((row) => `${describe(row)}: ${countOf(row)} times`),
    strangers,
    stuck: await stuckOf(site, customers.length),
    early: await earlyOf(site),
    mails: rows.length,
    unknown: rows.filter((row) => row.status === 'unknown').length,
    failed: rows.filter((row) => row.status === 'failed').length,
    resent: rows.filter((row) => row.resends > 0).length,
    admittedCopies: rows.filter((row) => countOf(row) > 1 && countOf(row) <= 1 + row.resends).length,
    // The policies of the company's playbooks are the default ones.
    assumedCopies: rows.filter((row) => row.lane === 'bulk' && countOf(row) > 1).length,
    doubts: rows.reduce((sum, row) => sum + row.resends + (row.status === 'unknown' ? 1 : 0), 0),
  };
}

/** The addresses at which each message arrived, by Message-ID. */
async function arrivals(site: Site): Promise<ReadonlyMap<string, string[]>> {
  const arrived = new Map<string, string[]>();
  for (const { messageId, to } of await site.sink.taken()) {
    arrived.set(messageId, [...(arrived.get(messageId) ?? []), ...to]);
  }
  return arrived;
}

function lostOf(
  customers: readonly string[],
  rows: readonly SendRow[],
  countOf: (row: SendRow) => number,
): readonly string[] {
  const accounted = new Map<string, number>();
  for (const row of rows) {
    if (countOf(row) === 0 && row.status !== 'unknown' && row.status !== 'failed') continue;
    const key = `${row.customer} ${row.lane}`;
    accounted.set(key, (accounted.get(key) ?? 0) + 1);
  }
  return customers.flatMap((customer) =>
    (['transactional', 'bulk'] as const).flatMap((lane) => {
      const count = accounted.get(`${customer} ${lane}`) ?? 0;
      return count === MAILS_PER_ORDER[lane] ? [] : [`${customer}: ${count} of ${MAILS_PER_ORDER[lane]} ${lane}`];
    }),
  );
}

async function stuckOf(site: Site, orders: number): Promise<readonly string[]> {
  const { rows } = await site.db.query<{ what: string; n: number }>(
    `select status as what, count(*) as n from enrolments where held_at is null group by 1
     union all select 'held enrolment', count(*) from enrolments where held_at is not null having count(*) > 0
     union all select 'held customer', count(*) from customers where held_at is not null having count(*) > 0
     union all select 'held send', count(*) from sends where held_at is not null having count(*) > 0`,
  );
  const right = orders * ENROLMENTS_PER_ORDER;
  return rows
    .filter(({ what, n }) => what !== 'complete' || n !== right)
    .map(({ what, n }) => `${what}: ${n} (expected ${right} complete)`);
}

async function earlyOf(site: Site): Promise<readonly string[]> {
  const { rows } = await site.db.query<{ customer: string }>(
    `select c.key as customer from sends a
     join sends b on b.enrolment_id = a.enrolment_id and b.step = 'tips' join customers c on c.id = a.customer_id
     where a.step = 'hello' and b.handed_at < a.handed_at + $1::float8 * interval '1 millisecond'`,
    [NEWS_WAIT_MS],
  );
  return rows.map((row) => row.customer);
}

function describe(row: SendRow): string {
  return `${row.lane} ${row.message_id} of ${row.customer} (${row.status}, resent ${row.resends})`;
}
