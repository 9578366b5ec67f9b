/** What workers do: claim, hand over, report, crash. */
import { claimSends, type ClaimedSend, type MailLane } from '../../engine/store/claim.ts';
import { settleSends, type SettleResult } from '../../engine/store/settle.ts';
import { BY_TEST } from './invariants.ts';
import { expectClaim, nextMoment, receive, refused, type Promised } from './promised.ts';
import type { World } from './world.ts';

/** How a mail's conversation ends. */
export type Ending = 'accepted' | 'retry' | 'permanent' | 'unknown' | 'withheld' | 'broken';

/** Both lanes of mail. */
export const LANES: readonly MailLane[] = ['transactional', 'bulk'];

/** Runs what a worker does; when its connections were cut meanwhile it has crashed, and forgets everything. */
export async function asWorker(promised: Promised, number: number, work: () => Promise<void>): Promise<void> {
  const hand = promised.hands[number];
  try {
    await work();
  } catch (error) {
    if (hand?.killed !== true) throw error;
    hand.claimed = [];
    hand.handed = [];
    hand.withheld = [];
  }
}

/** A mail in a worker's hands. */
export interface InHand {
  readonly number: number;
  readonly mail: ClaimedSend;
}

/** One worker claims; it keeps what it got. */
export async function claimBy(
  promised: Promised,
  world: World,
  number: number,
  lane: MailLane,
  customers: readonly number[],
  max = 500,
): Promise<void> {
  const claimed = await claimAs(promised, world, number, lane, customers, max);
  promised.hands[number]?.claimed.push(...claimed);
}

/** The same; into whose hands it comes is for the caller to say. */
export async function claimAs(
  promised: Promised,
  world: World,
  number: number,
  lane: MailLane,
  customers: readonly number[],
  max: number,
): Promise<readonly ClaimedSend[]> {
  const worker = world.workers[number];
  if (worker === undefined) throw new Error(`there is no worker ${number}`);
  const askedAt = nextMoment(promised);
  const { claimed } = await claimSends(worker.db, worker.cache, lane, customers, { max });
  for (const mail of claimed) expectClaim(promised, mail, askedAt);
  return claimed;
}

/** Takes the first `count` mails of the circle out of the pile. */
export function take(pile: ClaimedSend[], circle: string, count = Infinity): ClaimedSend[] {
  const taken: ClaimedSend[] = [];
  for (let index = 0; index < pile.length && taken.length < count;) {
    if (pile[index]?.profile.id.startsWith(circle) === true) taken.push(...pile.splice(index, 1));
    else index += 1;
  }
  return taken;
}

/** One worker asks to hand over the first `count` mails that it has claimed, all in one group. */
export async function handOverBy(promised: Promised, world: World, number: number, count: number): Promise<void> {
  const mails = promised.hands[number]?.claimed.splice(0, count) ?? [];
  await handOverAll(
    promised,
    world,
    mails.map((mail) => ({ number, mail })),
  );
}

/** Workers ask to hand these over, each all of its own in one group. */
export async function handOverAll(promised: Promised, world: World, asked: readonly InHand[]): Promise<void> {
  const askedAt = nextMoment(promised);
  const answers = await Promise.allSettled(
    asked.map(async ({ number, mail }) => world.workers[number]?.gate.handOver(mail)),
  );
  for (const [index, answer] of answers.entries()) {
    const { number = -1, mail } = asked[index] ?? {};
    const hand = promised.hands[number];
    if (mail === undefined || hand === undefined) continue;
    if (answer.status === 'rejected') {
      if (!hand.killed) throw answer.reason;
      promised.unheard.add(mail.sendId);
    } else if (answer.value === true) {
      receive(promised, mail, askedAt);
      hand.handed.push(mail);
    } else {
      hand.withheld.push(mail);
    }
  }
}

/** Which conversations end how: those of the circle in the hands of a worker. */
export interface Report {
  readonly number: number;
  readonly circle: string;
  readonly endings: readonly Ending[];
}

/** One worker reports how some of its conversations ended. */
export async function reportBy(
  promised: Promised,
  world: World,
  number: number,
  endings: readonly Ending[],
): Promise<void> {
  await reportAll(promised, world, [{ number, circle: '', endings }]);
}

/** Workers report: of those past the hand-over first, then of those refused it. */
export async function reportAll(promised: Promised, world: World, reports: readonly Report[]): Promise<void> {
  const results: SettleResult[] = [];
  const accepted: ClaimedSend[] = [];
  for (const { number, circle, endings } of reports) {
    const hand = promised.hands[number];
    if (hand === undefined) throw new Error(`there is no worker ${number}`);
    for (const ending of endings) {
      const [past] = take(hand.handed, circle, 1);
      const [without] = past === undefined ? take(hand.withheld, circle, 1) : [];
      const mail = past ?? without ?? take(hand.claimed, circle, 1)[0];
      if (mail === undefined) break;
      const kind = without === undefined ? endingOf(ending, past !== undefined) : 'withheld';
      results.push(resultOf(mail, kind));
      if (kind === 'accepted') accepted.push(mail);
      if (past !== undefined && NOT_RECEIVED.includes(ending)) refused(promised, mail);
    }
  }
  const worker = world.workers[reports[0]?.number ?? 0];
  if (worker === undefined || results.length === 0) return;
  await settleSends(worker.db, worker.cache, results);
  await expectRecorded(world, accepted);
}

/** What a server accepted is on record, unless somebody has claimed the mail anew, or it was over before. */
async function expectRecorded(world: World, accepted: readonly ClaimedSend[]): Promise<void> {
  const rows = await world.look<{ id: number; status: string }>(
    `select s.id, s.status from unnest($1::bigint[], $2::int[]) as a (id, fence)
     join sends s on s.id = a.id and s.fence = a.fence where s.status not in ('sent', 'cancelled', 'skipped')`,
    [accepted.map((mail) => mail.sendId), accepted.map((mail) => mail.fence)],
  );
  if (rows.length > 0) throw new Error(`mails were accepted, and are on record as: ${JSON.stringify(rows)}`);
}

/** Endings of a mail that was handed over after which its reader has not got it; it may be withheld, its turn not having come. */
const NOT_RECEIVED: readonly Ending[] = ['retry', 'permanent', 'withheld'];

/** Before the hand-over nothing can be accepted or unknown; after it nothing can be unwritten. */
function endingOf(wanted: Ending, isHanded: boolean): Ending {
  if (isHanded) return wanted === 'broken' ? 'accepted' : wanted;
  return wanted === 'accepted' || wanted === 'unknown' ? 'withheld' : wanted;
}

const RETRY_MS = 90_000;

function resultOf({ sendId, fence, customerId }: ClaimedSend, kind: Ending): SettleResult {
  const of = { sendId, fence, customerId };
  switch (kind) {
    case 'accepted':
    case 'withheld':
      return { ...of, kind };
    case 'retry':
      return { ...of, kind, delayMs: RETRY_MS, reason: 'later' };
    case 'permanent':
    case 'unknown':
      return { ...of, kind, reason: kind };
    case 'broken':
      return { ...of, kind, reason: BY_TEST };
  }
}

/** The worker is gone with all it knew of the circle ('': of anybody); its leases are as good as run out. */
export async function crash(promised: Promised, world: World, number: number, circle = ''): Promise<void> {
  const hand = promised.hands[number];
  if (hand === undefined) throw new Error(`there is no worker ${number}`);
  await runOut(
    world,
    [hand.claimed, hand.handed, hand.withheld].flatMap((pile) => take(pile, circle)),
  );
}

/** The leases of these mails have run out. */
export async function runOut(world: World, lost: readonly ClaimedSend[]): Promise<void> {
  await world.look(
    `update sends s set lease_until = clock_timestamp() - interval '1 day' from unnest($1::bigint[], $2::int[]) as l (id, fence)
     where s.id = l.id and s.fence = l.fence and s.status in ('claimed', 'handed')`,
    [lost.map((mail) => mail.sendId), lost.map((mail) => mail.fence)],
  );
}

/** Cuts the worker's connections under whatever it does; how far that got is the database's to say. */
export async function kill(promised: Promised, world: World, number: number): Promise<void> {
  const hand = promised.hands[number];
  const worker = world.workers[number];
  if (hand === undefined || worker === undefined) throw new Error(`there is no worker ${number}`);
  hand.killed = true;
  await world.db.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and application_name = $1`,
    [worker.name],
  );
}

/** Claims, hands over and reports everything of these customers, in both lanes; every server says yes. */
export async function deliverAll(
  promised: Promised,
  world: World,
  number: number,
  customers: readonly number[],
): Promise<void> {
  const hand = promised.hands[number];
  if (hand === undefined) return;
  for (const lane of LANES) await claimBy(promised, world, number, lane, customers);
  await finish(promised, world, number);
}

/** One worker hands over and reports everything it has claimed; every server says yes. */
export async function finish(promised: Promised, world: World, number: number): Promise<void> {
  const hand = promised.hands[number];
  if (hand === undefined) return;
  if (hand.claimed.length > 0) await handOverBy(promised, world, number, hand.claimed.length);
  const open = [...hand.handed, ...hand.withheld];
  if (open.length === 0) return;
  await reportBy(
    promised,
    world,
    number,
    open.map(() => 'accepted' as const),
  );
}

/** A worker that was killed starts again: connections that died with it are out of its pool. */
export async function restart(promised: Promised, world: World, number: number): Promise<void> {
  const hand = promised.hands[number];
  const worker = world.workers[number];
  if (hand?.killed !== true || worker === undefined) return;
  for (let failed = true; failed;) {
    const pings = await Promise.allSettled(Array.from({ length: 3 }, async () => worker.db.query('select 1')));
    failed = pings.some(({ status }) => status === 'rejected');
  }
  hand.killed = false;
}

/** Waits for all of them, so that none is left running, and then throws what the first of them threw. */
export async function settled(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
