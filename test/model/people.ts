/** What people and their shops do: events, profiles, suppressions, pauses, cancels, deploys, held work. */
import { cancel } from '../../engine/store/cancel.ts';
import { holdCustomer, holdEnrolment } from '../../engine/store/hold.ts';
import { dropHeld } from '../../engine/store/held-drop.ts';
import { listHeld } from '../../engine/store/held.ts';
import { retryHeld } from '../../engine/store/held-retry.ts';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { pause, resume } from '../../engine/store/pauses.ts';
import { suppress, unsuppress } from '../../engine/store/suppress.ts';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import type { Profile } from '../../engine/journey/types.ts';
import { ADDRESSES, CUSTOMERS, ENDED_BY_REFUND, RELEASES, START } from './company.ts';
import { BY_TEST } from './invariants.ts';
import { ban, endedForGood, liftBan, nothingPromised, type Promised } from './promised.ts';
import type { World } from './world.ts';

const ACT = { by: 'test', reason: BY_TEST };
const LATE_MS = 24 * 3_600_000;

/** A run begins: the first release, and its customers. */
export async function begin(world: World): Promise<Promised> {
  await world.begin(RELEASES.first, START);
  for (const [index, customer] of CUSTOMERS.entries()) {
    await identify(world, customer, { email: ADDRESSES[index % ADDRESSES.length] ?? null, timezone: 'UTC' });
  }
  return nothingPromised(START, world.workers.length);
}

/** Shops say that something happened to these customers, `agoMs` before now. */
export interface Happening {
  /** With the customer it makes the event's id. */
  readonly id: string;
  readonly customers: readonly string[];
  readonly event: 'order.placed' | 'order.refunded' | 'page.viewed' | 'review.posted';
  readonly agoMs: number;
}

/** A batch of events is taken in; refunds that count end what they should. */
export async function happen(promised: Promised, world: World, what: Happening): Promise<void> {
  const { id, customers, event, agoMs } = what;
  const at = promised.now - agoMs;
  const ends = event === 'order.refunded' && agoMs <= LATE_MS;
  const before = ends ? await underWay(world, customers, ENDED_BY_REFUND, Math.min(at, promised.now)) : [];
  const data = event === 'order.placed' ? { total: 5 } : {};
  const batch = customers.map((customer): Incoming & { readonly kind: 'track' } => {
    const one = { id: `${id} of ${customer}`, event, at, data };
    return { kind: 'track', customer, createIfMissing: false, event: one };
  });
  const { rejected, duplicateIndexes, kept } = await ingest(world.db, world.cache, batch, { history: false });
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
  const isNew = batch.filter((_, index) => !duplicateIndexes.includes(index));
  for (const one of isNew) promised.answered.add(one.event.id);
  // Which of them were kept for held customers is not said.
  if (kept > 0) return;
  const those = new Set(isNew.map(({ customer }) => customer));
  endedForGood(
    promised,
    before.filter(({ customer }) => those.has(customer)).map((one) => one.id),
  );
}

/** These customers' active enrolments in these playbooks (all: null) that had started by `at`. */
async function underWay(
  world: World,
  customers: readonly string[],
  playbooks: readonly string[] | null,
  at: number,
): Promise<{ readonly id: number; readonly customer: string }[]> {
  return world.rows(
    `select e.id, c.key as customer from enrolments e join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id
     where c.key = any($1) and e.status = 'active' and e.started_at <= to_timestamp($3::float8 / 1000)
       and ($2::text[] is null or p.name = any($2))`,
    [customers, playbooks, at],
  );
}

/** Tells the engine about a customer. */
export async function identify(world: World, customer: string, traits: Partial<Profile>): Promise<void> {
  const { rejected } = await ingest(world.db, world.cache, [{ kind: 'identify', customer, traits }], {
    history: false,
  });
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
}

/** Somebody enrols a customer by hand; whether that is allowed is not the model's to know. */
export async function enrol(world: World, customer: string, playbook: string): Promise<void> {
  await triggerPlaybook(world.db, world.cache, { customer, playbook, vars: {}, dryRun: false, ...ACT });
}

/** Nothing (`*`), or nothing of a topic, may go to the address any more. */
export async function forbid(promised: Promised, world: World, address: string, scope: string): Promise<void> {
  await suppress(world.db, { address, scope, source: 'test', ...ACT });
  ban(promised, suppressionOf(address, scope), (mail) => {
    if (mail.address !== address) return false;
    return scope === '*' || (mail.lane === 'bulk' && mail.send.topic === scope);
  });
}

/** Takes one of the suppressions in force back. */
export async function allow(promised: Promised, world: World, pick: number): Promise<void> {
  const rows = await world.rows<{ address: string; scope: string }>(
    'select address, scope from suppressions order by address, scope',
  );
  const found = rows[pick % Math.max(1, rows.length)];
  if (found === undefined) return;
  liftBan(promised, suppressionOf(found.address, found.scope));
  await unsuppress(world.db, { ...found, source: 'test', ...ACT });
}

function suppressionOf(address: string, scope: string): string {
  return `the suppression of ${address} for ${scope}`;
}

/** Pauses a playbook, or all (`*`). */
export async function stop(promised: Promised, world: World, scope: string): Promise<void> {
  await pause(world.db, scope, ACT.by, ACT.reason);
  promised.paused.add(scope);
  ban(promised, pauseOf(scope), (mail) => scope === '*' || mail.send.playbook === scope);
}

/** Resumes it, with what waited spread over `spreadMs`. */
export async function goOn(promised: Promised, world: World, scope: string, spreadMs: number): Promise<void> {
  liftBan(promised, pauseOf(scope));
  promised.paused.delete(scope);
  await resume(world.db, world.cache, scope, ACT.by, ACT.reason, { spreadMs });
}

function pauseOf(scope: string): string {
  return `the pause of ${scope}`;
}

/** Ends a customer's enrolments, in one playbook or all (null). */
export async function callOff(
  promised: Promised,
  world: World,
  customer: string,
  playbook: string | null,
): Promise<void> {
  const before = await underWay(world, [customer], playbook === null ? null : [playbook], promised.now);
  const { outcome } = await cancel(world.db, world.cache, { customer, playbook, ...ACT });
  if (outcome !== 'cancelled') return;
  endedForGood(
    promised,
    before.map(({ id }) => id),
  );
}

/** Switches to a release; a deploy may be refused for the templates it takes away, and these take none. */
export async function deploy(world: World, release: keyof typeof RELEASES): Promise<void> {
  const { outcome } = await world.deploy(RELEASES[release]);
  if (outcome !== 'deployed') throw new Error(`the deploy was ${outcome}`);
}

/** What the engine does with a culprit: holds the customer, or one enrolment, if possible one that waits for a mail. */
export async function hold(world: World, customer: string, what: 'customer' | 'enrolment'): Promise<void> {
  const [found] = await world.rows<{ id: number; playbook: string | null; entryKey: string | null }>(
    `select c.id, p.name as playbook, e.entry_key as "entryKey" from customers c
     left join enrolments e on e.customer_id = c.id and e.status = 'active'
     left join playbooks p on p.id = e.playbook_id where c.key = $1 order by e.due_at is null desc, e.id limit 1`,
    [customer],
  );
  if (found === undefined) return;
  const { id, playbook, entryKey } = found;
  await world.db.transaction(async (tx) => {
    if (what === 'customer') await holdCustomer(tx, id, BY_TEST);
    else if (playbook !== null && entryKey !== null) await holdEnrolment(tx, id, { playbook, entryKey }, BY_TEST);
  });
}

/** Retries everything that is held. @throws Error when something fails again: nothing here is really broken. */
export async function retryAll(promised: Promised, world: World): Promise<void> {
  const unknown = (await listHeld(world.db)).filter((item) => item.unknown);
  for (const { ref, outcome } of await retryHeld(world.db, world.cache, 'all', ACT)) {
    if (outcome === 'held again') throw new Error(`${ref.kind} ${ref.id} was held again`);
    if (outcome !== 'released' || !unknown.some(({ kind, id }) => kind === ref.kind && id === ref.id)) continue;
    promised.resentByHand.set(ref.id, (promised.resentByHand.get(ref.id) ?? 0) + 1);
  }
}

/** Drops one of the things that are held. */
export async function dropOne(promised: Promised, world: World, pick: number): Promise<void> {
  const held = await listHeld(world.db);
  const item = held[pick % Math.max(1, held.length)];
  if (item === undefined) return;
  const kept = await world.rows<{ id: number; key: string }>(
    `select id, event -> 'event' ->> 'id' as key from held_events where customer_id = $1 and event ? 'event'`,
    [item.customerId],
  );
  await dropHeld(world.db, world.cache, item, ACT);
  if (item.kind === 'customer') for (const { key } of kept) promised.discarded.add(key);
  if (item.kind === 'event') for (const { id, key } of kept) if (id === item.id) promised.discarded.add(key);
}
