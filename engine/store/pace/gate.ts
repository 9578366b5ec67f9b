/**
 * Lets mails through at their pace, within the claim's own transaction: the limits' rows are locked after the customers,
 * in the order of their keys, and what is decided on them commits with the claims or not at all.
 */
import { formatLocalDate } from '../../time/text.ts';
import type { Draft } from '../../journey/draft.ts';
import { domainOf } from '../../message/address.ts';
import type { Sending } from '../../playbook/types.ts';
import type { LocalDate } from '../../time/types.ts';
import type { MailLane } from '../lane.ts';
import type { StoreContext } from '../context.ts';
import type { Queryable, Tx } from '../database.ts';
import { storedOf } from '../stored.ts';
import {
  lockLimits,
  openLimit,
  recordLimits,
  takePlaces,
  wait,
  WARM_UP,
  type Admission,
  type Limit,
  type LimitRow,
} from './limits.ts';
import { volumeAt, type DayVolume } from './volume.ts';

export type { Admission } from './limits.ts';

/** The limits that concern one claim, locked. */
export interface Gate {
  admit(address: string): Admission;
  /** Stores what was given out. Last of all, since nothing may be given out afterwards. */
  record(tx: Tx): Promise<void>;
}

/** Where a domain that was held has no limit, its mail comes again so far apart. */
const AFTER_HOLD_SPACING_MS = 100;
/** The same for a day's mails, when a new day has come. */
const NEW_DAY_SPACING_MS = 10;

/** The key of a mail server's limit. */
export function serverKey(server: string): string {
  return `server ${server}`;
}

/** The key of a recipient domain's limit. */
export function domainKey(domain: string): string {
  return `domain ${domain}`;
}

/** How many mails of a warm-up's day have gone. */
export async function warmUpUse(db: Queryable, day: LocalDate): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select day_count as n from pace where key = $1 and day = $2', [
    WARM_UP,
    formatLocalDate(day),
  ]);
  return rows[0]?.n ?? 0;
}

interface Needs {
  readonly server: { readonly key: string; readonly perSecond: number } | null;
  readonly volume: DayVolume | null;
  /** Null: no limit, but a hold. */
  readonly domains: ReadonlyMap<string, number | null>;
}

/**
 * Opens what concerns the mail of these customers that is due in the lane. Null, without a statement, where nothing is
 * limited and nothing is held.
 */
export async function openGate(
  tx: Tx,
  lane: MailLane,
  server: string,
  drafts: readonly Draft[],
  ctx: StoreContext,
): Promise<Gate | null> {
  const sending = ctx.release.company.sending ?? null;
  if (sending === null && ctx.holds.size === 0) return null;
  const needs = needsOf(sending, server, domainsDue(drafts, lane, ctx), ctx);
  const keys = [
    ...(needs.server === null ? [] : [needs.server.key]),
    ...(needs.volume === null ? [] : [WARM_UP]),
    ...[...needs.domains.keys()].map(domainKey),
  ].sort();
  if (keys.length === 0) return null;
  const rows = await lockLimits(tx, keys);
  return makeGate(needs, rows, lane, ctx);
}

function domainsDue(drafts: readonly Draft[], lane: MailLane, ctx: StoreContext): ReadonlySet<string> {
  const domains = new Set<string>();
  for (const draft of drafts) {
    const { address } = storedOf(draft);
    if (address === null) continue;
    for (const send of draft.sends.values()) {
      if (send.dueAt <= ctx.now && send.transactional === (lane === 'transactional')) domains.add(domainOf(address));
    }
  }
  return domains;
}

function needsOf(sending: Sending | null, server: string, due: ReadonlySet<string>, ctx: StoreContext): Needs {
  const none: Needs = { server: null, volume: null, domains: new Map() };
  if (due.size === 0) return none;
  const domains = new Map<string, number | null>();
  for (const domain of due) {
    const perSecond = rateOf(sending, domain);
    if (perSecond !== null || ctx.holds.has(domain)) domains.set(domain, perSecond);
  }
  if (sending === null) return { ...none, domains };
  return {
    server: sending.perSecond === null ? null : { key: serverKey(server), perSecond: sending.perSecond },
    volume: volumeAt(sending.warmUp, ctx.now, ctx.release.company.zone),
    domains,
  };
}

/** Mails per second to a domain; null: no limit. */
export function rateOf(sending: Sending | null, domain: string): number | null {
  if (sending === null) return null;
  const { domains } = sending;
  return (Object.hasOwn(domains, domain) ? domains[domain] : domains['*']) ?? null;
}

function makeGate(needs: Needs, rows: ReadonlyMap<string, LimitRow>, lane: MailLane, ctx: StoreContext): Gate {
  const { now } = ctx;
  const { volume } = needs;
  const limits = new Map<string, Limit>();
  const open = (key: string, perSecond: number | null, idleSpacingMs: number): Limit => {
    const limit = limits.get(key) ?? openLimit(key, rows.get(key), perSecond, idleSpacingMs, now);
    limits.set(key, limit);
    return limit;
  };
  const server = needs.server === null ? null : open(needs.server.key, needs.server.perSecond, 0);
  const warmUp = volume === null ? null : open(WARM_UP, null, NEW_DAY_SPACING_MS);
  const today = volume === null ? null : formatLocalDate(volume.day);
  const warmUpRow = rows.get(WARM_UP);
  let dayCount = warmUpRow?.day === today ? (warmUpRow?.day_count ?? 0) : 0;

  return {
    admit: (address) => {
      const domain = domainOf(address);
      const perSecond = needs.domains.get(domain);
      const own = perSecond === undefined ? null : open(domainKey(domain), perSecond, AFTER_HOLD_SPACING_MS);
      const heldUntil = ctx.holds.get(domain);
      if (own !== null && heldUntil !== undefined) return wait(own, lane, heldUntil, 'domain', now);
      // Transactional mail counts, but a day's volume does not hold it.
      if (warmUp !== null && volume !== null && lane === 'bulk' && dayCount >= volume.mails) {
        return wait(warmUp, lane, volume.endsAt, 'warm_up', now);
      }
      const admission = takePlaces(server, own, lane, now);
      if (!admission.goes || warmUp === null) return admission;
      dayCount += 1;
      return { ...admission, limits: [...admission.limits, WARM_UP] };
    },
    record: async (tx) => recordLimits(tx, limits.values(), today, dayCount),
  };
}
