/** What people and their shops do: events, profiles, suppressions, pauses, cancels, deploys, held work. */
import { ALL_TOPICS } from '../../engine/journey/attempt.ts';
import { findReader, recordChoices } from '../../engine/store/choices.ts';
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
import { ADDRESSES, circleOf, CUSTOMERS, ENDED_BY_REFUND, RELEASES, START } from './company.ts';
import { BY_TEST } from './invariants.ts';
import { ban, endedForGood, liftBan, nothingPromised, type Promised } from './promised.ts';
import type { World } from './world.ts';

const ACT = { by: 'test', reason: BY_TEST };
const LATE_MS = 24 * 3_600_000;

/** A run begins: the first release, and the customers of its circles. */
export async function begin(world: World, circles: readonly string[] = ['']): Promise<Promised> {
  await world.begin(RELEASES.first, START);
  await identifyAll(
    world,
    circles.flatMap((circle) =>
      CUSTOMERS.map((customer, index) => ({
        customer: circle + customer,
        traits: { email: `${circle}${ADDRESSES[index % ADDRESSES.length]}`, timezone: 'UTC' },
      })),
    ),
  );
  const promised = nothingPromised(START, world.workers.length);
  const rows = await world.look<{ id: number; key: string }>('select id, key from customers order by id');
  for (const { id, key } of rows) {
    promised.members.set(circleOf(key), [...(promised.members.get(circleOf(key)) ?? []), id]);
  }
  return promised;
}

/** Shops say that something happened to these customers, `agoMs` before now. */
export interface Happening {
  /** With the customer it makes the event's id. */
  readonly id: string;
  readonly customers: readonly string[];
  readonly event: 'order.placed' | 'order.refunded' | 'page.viewed' | 'review.posted';
  readonly agoMs: number;
}

/** Events are taken in; refunds that count end what they should. */
export async function happen(promised: Promised, world: World, what: Happening): Promise<void> {
  await happenAll(promised, world, [what]);
}

/** The same for several at once. */
export async function happenAll(promised: Promised, world: World, all: readonly Happening[]): Promise<void> {
  const ending: { readonly id: number; readonly customer: string }[] = [];
  for (const { customers, event, agoMs } of all) {
    const at = Math.min(promised.now - agoMs, promised.now);
    const ends = event === 'order.refunded' && agoMs <= LATE_MS;
    if (ends) ending.push(...(await underWay(world, customers, ENDED_BY_REFUND, at)));
  }
  const batch = all.flatMap(({ id, customers, event, agoMs }) =>
    customers.map((customer): Incoming & { readonly kind: 'track' } => {
      const data = event === 'order.placed' ? { total: 5 } : {};
      const one = { id: `${id} of ${customer}`, event, at: promised.now - agoMs, data };
      return { kind: 'track', customer, createIfMissing: false, event: one };
    }),
  );
  const { rejected, duplicateIndexes } = await ingest(world.db, world.cache, batch, { history: false });
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
  const isNew = batch.filter((_, index) => !duplicateIndexes.includes(index));
  for (const one of isNew) promised.answered.add(one.event.id);
  if (ending.length === 0) return;
  // Those kept for held customers have ended nothing yet.
  const kept = await world.look<{ id: string }>(`select event -> 'event' ->> 'id' as id from held_events`);
  const waiting = new Set(kept.map(({ id }) => id));
  const those = new Set(isNew.filter(({ event }) => !waiting.has(event.id)).map(({ customer }) => customer));
  for (const { id, customer } of ending) {
    if (those.has(customer)) endedForGood(promised, circleOf(customer), [id]);
  }
}

/** These customers' active enrolments in these playbooks (all: null) that had started by `at`. */
async function underWay(
  world: World,
  customers: readonly string[],
  playbooks: readonly string[] | null,
  at: number,
): Promise<{ readonly id: number; readonly customer: string }[]> {
  return world.look(
    `select e.id, c.key as customer from enrolments e join customers c on c.id = e.customer_id join playbooks p on p.id = e.playbook_id
     where c.key = any($1) and e.status = 'active' and e.started_at <= to_timestamp($3::float8 / 1000)
       and ($2::text[] is null or p.name = any($2))`,
    [customers, playbooks, at],
  );
}

/** What is told of a customer. */
export interface Identity {
  readonly customer: string;
  readonly traits: Partial<Profile>;
}

/** Tells the engine about a customer. */
export async function identify(world: World, customer: string, traits: Partial<Profile>): Promise<void> {
  await identifyAll(world, [{ customer, traits }]);
}

/** Tells it about several. */
export async function identifyAll(world: World, all: readonly Identity[]): Promise<void> {
  const items = all.map((one): Incoming => ({ kind: 'identify', ...one }));
  const { rejected } = await ingest(world.db, world.cache, items, { history: false });
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
}

/** Somebody enrols a customer by hand; whether that is allowed is not the model's to know. */
export async function enrol(world: World, customer: string, playbook: string): Promise<void> {
  await triggerPlaybook(world.db, world.cache, { customer, playbook, vars: {}, dryRun: false, ...ACT });
}

/** Nothing (`*`), or nothing of a topic, may go to the circle's address any more. */
export async function forbid(
  promised: Promised,
  world: World,
  circle: string,
  address: string,
  scope: string,
): Promise<void> {
  await suppress(world.db, { address, scope, source: 'test', ...ACT });
  banSuppressed(promised, circle, address, scope);
}

/** It has committed: no such mail to the address. */
function banSuppressed(promised: Promised, circle: string, address: string, scope: string): void {
  for (const one of promised.chosen) {
    if (one.startsWith(`${address} `) && (scope === ALL_TOPICS || one === `${address} ${scope}`)) {
      promised.chosen.delete(one);
    }
  }
  ban(promised, circle, suppressionOf(address, scope), ({ address: to, lane, send: { topic } }) => {
    if (to !== address) return false;
    if (scope === ALL_TOPICS) return lane === 'bulk' && !promised.chosen.has(`${address} ${topic}`);
    return scope === '*' || (lane === 'bulk' && topic === scope);
  });
}

/** Takes one of the circle's suppressions in force back. */
export async function allow(promised: Promised, world: World, circle: string, pick: number): Promise<void> {
  const rows = await world.look<{ address: string; scope: string }>(
    'select address, scope from suppressions where starts_with(address, $1) order by address, scope',
    [circle],
  );
  const found = rows[pick % Math.max(1, rows.length)];
  if (found === undefined) return;
  liftBan(promised, circle, suppressionOf(found.address, found.scope));
  await unsuppress(world.db, { ...found, source: 'test', ...ACT });
}

function suppressionOf(address: string, scope: string): string {
  return `the suppression of ${address} for ${scope}`;
}

/** What a reader says by the links in a mail. */
export interface Wish {
  /** Of the circle's mails that went out. */
  readonly pick: number;
  /** A topic, or `ALL_TOPICS`. */
  readonly no: string | null;
  readonly yes: string | null;
}

/** The reader of a mail unsubscribes, or chooses a topic again. */
export async function wish(promised: Promised, world: World, circle: string, { pick, no, yes }: Wish): Promise<void> {
  const mails = promised.received.filter(({ mail }) => circleOf(mail.profile.id) === circle);
  const sendId = mails[pick % Math.max(1, mails.length)]?.mail.sendId;
  const reader = sendId === undefined ? null : await findReader(world.db, sendId);
  const { address = null, presentAddress = null } = reader ?? {};
  if (reader === null || address === null) return;
  if (yes !== null) {
    liftBan(promised, circle, suppressionOf(address, yes));
    promised.chosen.add(`${address} ${yes}`);
  }
  await recordChoices(world.db, reader, {
    source: 'preferences',
    no: no === null ? [] : [no],
    yes: yes === null ? [] : [{ topic: yes, wording: yes }],
    language: 'en',
  });
  if (no === null) return;
  for (const one of new Set([address, presentAddress ?? address])) banSuppressed(promised, circle, one, no);
}

/** Pauses a playbook, or all (`*`). */
export async function stop(promised: Promised, world: World, scope: string): Promise<void> {
  await pause(world.db, scope, ACT.by, ACT.reason);
  promised.paused.add(scope);
  ban(promised, '', pauseOf(scope), (mail) => scope === '*' || mail.send.playbook === scope);
}

/** Resumes it, with what waited spread over `spreadMs`. */
export async function goOn(promised: Promised, world: World, scope: string, spreadMs: number): Promise<void> {
  liftBan(promised, '', pauseOf(scope));
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
    circleOf(customer),
    before.map(({ id }) => id),
  );
}

/** Switches to a release; a deploy may be refused for the templates it takes away, and these take none. */
export async function deploy(world: World, files: Readonly<Record<string, string>>): Promise<void> {
  const { outcome } = await world.deploy(files);
  if (outcome !== 'deployed') throw new Error(`the deploy was ${outcome}`);
}

/** What the engine does with a culprit: holds the customer, or one enrolment, if possible one that waits for a mail. */
export async function hold(world: World, customer: string, what: 'customer' | 'enrolment'): Promise<void> {
  const [found] = await world.look<{ id: number; playbook: string | null; entryKey: string | null }>(
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

/** Retries all that is held in the circle ('': anywhere). @throws Error when something fails again: nothing here is really broken. */
export async function retryAll(promised: Promised, world: World, circle = ''): Promise<void> {
  const held = (await listHeld(world.db, { limit: 10_000 })).filter(({ customer }) => customer.startsWith(circle));
  const unknown = held.filter((item) => item.unknown);
  const refs = held.filter(({ kind }) => kind !== 'event');
  for (const { ref, outcome } of await retryHeld(world.db, world.cache, refs, ACT)) {
    if (outcome === 'held again') throw new Error(`${ref.kind} ${ref.id} was held again`);
    if (outcome !== 'released' || !unknown.some(({ kind, id }) => kind === ref.kind && id === ref.id)) continue;
    promised.resentByHand.set(ref.id, (promised.resentByHand.get(ref.id) ?? 0) + 1);
  }
}

/** Drops one of the things that are held in the circle. */
export async function dropOne(promised: Promised, world: World, circle: string, pick: number): Promise<void> {
  const held = (await listHeld(world.db, { limit: 10_000 })).filter(({ customer }) => customer.startsWith(circle));
  const item = held[pick % Math.max(1, held.length)];
  if (item === undefined) return;
  const kept = await world.look<{ id: number; key: string }>(
    `select id, event -> 'event' ->> 'id' as key from held_events where customer_id = $1 and event ? 'event'`,
    [item.customerId],
  );
  await dropHeld(world.db, world.cache, item, ACT);
  if (item.kind === 'customer') for (const { key } of kept) promised.discarded.add(key);
  if (item.kind === 'event') for (const { id, key } of kept) if (id === item.id) promised.discarded.add(key);
}
