/** A company whose customers get mail after an order, and the steps of the protocol in short. */
import { advance } from '../../engine/store/advance.ts';
import { claimSends, type ClaimedSend, type ClaimOptions, type MailLane } from '../../engine/store/claim.ts';
import { openHandOver } from '../../engine/store/hand.ts';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { settleSends, type SettleResult, type Settled } from '../../engine/store/settle.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';

export const START = '2026-03-02T09:00:00Z';

/** Two mails, a day apart, after each order; a refund ends it. */
export const THANKS = `title: Thanks
topic: news
trigger: { event: order.placed }
entry: { again: always }
exit:
  - { event: order.refunded }
steps:
  - email: thanks/first
  - wait: 1 days
  - email: thanks/second
`;

/** One transactional mail after each question. */
export const ANSWER = `title: Answer
topic: service
trigger: { event: question.asked }
steps:
  - email: thanks/first
`;

/** Mail at any hour. */
export const COMPANY = `company:
  name: Sample
  address: 1 Sample Street
mail:
  from: Sample <hello@sample.example>
defaults:
  timezone: Europe/London
  at: "09:00"
  send_window: any
  late_after: 3 days
purchase: { event: order.placed, amount: total }
events:
  order.placed: { total: number }
  order.refunded: {}
  question.asked: {}
attributes:
  plan: string
  renewal_date: date
topics:
  news: { title: News, default: in }
  service: { title: Service, transactional: true }
`;

export const FILES: Readonly<Record<string, string>> = {
  'perennial.yaml': COMPANY,
  'playbooks/thanks.yaml': THANKS,
  'playbooks/answer.yaml': ANSWER,
  'templates/thanks/first.hbs': 'First',
  'templates/thanks/second.hbs': 'Second',
};

/** A database with the company deployed, and short words for what the fleet does. */
export interface Fleet extends Staffed {
  take(items: readonly Incoming[], history?: boolean): ReturnType<typeof ingest>;
  /** An event of each of these customers, now. */
  event(name: string, keys: readonly string[], data?: Record<string, number>): ReturnType<typeof ingest>;
  claim(lane: MailLane, ids: readonly number[], options?: ClaimOptions): Promise<readonly ClaimedSend[]>;
  hand(claimed: readonly ClaimedSend[]): Promise<readonly boolean[]>;
  settle(claimed: readonly ClaimedSend[], outcome: Outcome): Promise<Settled>;
  /** Claims, hands over and settles as accepted all that is due; returns what went out as `KEY step`. */
  deliver(lane: MailLane, ids: readonly number[]): Promise<readonly string[]>;
  advance(ids: readonly number[]): ReturnType<typeof advance>;
  /** Rows of sends as `KEY step status reason`, in order. */
  sends(): Promise<readonly string[]>;
  /** Makes the leases of all claimed and handed mails run out. */
  expireAll(): Promise<void>;
}

type Distribute<T> = T extends unknown ? Omit<T, 'sendId' | 'fence' | 'customerId'> : never;
export type Outcome = Distribute<SettleResult>;

let events = 0;

/** An event with an id of its own. */
export function eventOf(customer: string, event: string, at: string, data: Record<string, number> = {}): Incoming {
  events += 1;
  const id = `event-${events}`;
  return { kind: 'track', customer, createIfMissing: false, event: { id, event, at: Date.parse(at), data } };
}

/** Opens a fleet at START, with these files over the usual ones. */
export async function openFleet(files: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  const staffed = await openStaffed(START);
  const { db, cache } = staffed;
  const deployed = await staffed.deploy({ ...FILES, ...files });
  if (deployed.outcome !== 'deployed') throw new Error('the files of the test were refused');
  const now = async (): Promise<string> => {
    const [row] = await staffed.rows<{ now: number }>('select stepped_at as now from engine');
    return new Date(row?.now ?? Number.NaN).toISOString();
  };
  const take: Fleet['take'] = async (items, history = false) => ingest(db, cache, items, { history });
  const claim: Fleet['claim'] = async (lane, ids, options) => (await claimSends(db, cache, lane, ids, options)).claimed;
  const hand: Fleet['hand'] = async (claimed) => {
    const handOver = openHandOver(db);
    const answers = await Promise.all(claimed.map(async (send) => handOver.handOver(send)));
    await handOver.close();
    return answers;
  };
  const settle: Fleet['settle'] = async (claimed, outcome) =>
    settleSends(
      db,
      cache,
      claimed.map(({ sendId, fence, customerId }) => ({ sendId, fence, customerId, ...outcome })),
    );
  return {
    ...staffed,
    take,
    event: async (name, keys, data) => {
      const at = await now();
      return take(keys.map((key) => eventOf(key, name, at, data)));
    },
    claim,
    hand,
    settle,
    deliver: async (lane, ids) => {
      const claimed = await claim(lane, ids);
      await hand(claimed);
      await settle(claimed, { kind: 'accepted' });
      return claimed.map(({ profile, send }) => `${profile.id} ${send.step}`);
    },
    advance: async (ids) => advance(db, cache, ids),
    sends: async () => {
      const rows = await staffed.rows<{ line: string }>(
        `select concat_ws(' ', c.key, s.step, s.status, s.reason) as line
         from sends s join customers c on c.id = s.customer_id order by c.id, s.id`,
      );
      return rows.map((row) => row.line);
    },
    expireAll: async () => {
      await db.query(`update sends set lease_until = clock_timestamp() - interval '1 second'
        where status in ('claimed', 'handed')`);
    },
  };
}

/** Empties everything but the release. */
export async function clear(fleet: Fleet): Promise<void> {
  await fleet.db.query(
    'truncate customers, enrolments, timers, sends, events, event_keys, event_stats, held_events, suppressions, pauses, journal, pace, domain_holds cascade',
  );
  await fleet.at(START);
}
