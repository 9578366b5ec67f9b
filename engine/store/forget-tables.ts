/**
 * What forgetting a customer does to each table, in this order. What counts stays, as rows that name nobody: mails and
 * enrolments keep their playbook, step, times and outcome. Everything else goes.
 */

/** What is counted for the person who forgets somebody. */
export type ErasedThing = 'events' | 'enrolments' | 'mails' | 'tasks' | 'webhooks' | 'suppressions' | 'audit entries';

/** One statement. In `where` and `set` stand `:ids`, `:addresses` (normalised) and `:at`. */
export interface ErasedPart {
  readonly table: string;
  readonly where: string;
  /** What is overwritten; null: the rows are deleted. */
  readonly set: string | null;
  readonly counted?: ErasedThing;
}

const THEIRS = 'customer_id = any(:ids::bigint[])';

function emptied(table: string, set: string, counted?: ErasedThing, where = THEIRS): ErasedPart {
  return { table, where, set, ...(counted === undefined ? {} : { counted }) };
}

function deleted(table: string, counted?: ErasedThing, where = THEIRS): ErasedPart {
  return { table, where, set: null, ...(counted === undefined ? {} : { counted }) };
}

/**
 * Claimed mail is cancelled by the update of its own row, as hand.ts asks of everything that forbids mail. One that was
 * handed over may be with the reader: nobody waits for its outcome any more, but `sent` is still recorded when it comes.
 */
const MAILS = `
  status = case when status in ('planned', 'claimed') then 'cancelled' when status = 'handed' then 'unknown' else status end,
  settled_at = case when status in ('planned', 'claimed', 'handed') then :at::timestamptz else settled_at end,
  reason = case when status = 'skipped' then reason when status in ('planned', 'claimed', 'handed') then 'erased' end,
  claimed_at = case when status = 'claimed' then null else claimed_at end,
  lease_until = null, address = null, message_id = null, held_at = null, held_error = null`;

/** Entry keys hold the ids of events; the reason of a cancelled one is a person's. */
const ENROLMENTS = `
  status = case when status = 'active' then 'cancel' else status end,
  ended_at = coalesce(ended_at, :at::timestamptz), step = null, due_at = null, ready = false,
  reason = case when status in ('active', 'cancel') then 'erased' else reason end,
  entry_key = 'erased:' || id, origin = null, vars = null, held_at = null, held_error = null`;

/** A worker that is making a call reports under an older fence: what it was answered is not written. */
const WEBHOOKS = `
  status = case when status = 'planned' then 'dropped' else status end, fence = fence + 1, lease_until = null,
  url = 'erased', body = '{}', answer = null, held_at = null, held_error = null`;

const TASKS = `
  title = 'erased', note = null, done_at = coalesce(done_at, :at::timestamptz), done_by = coalesce(done_by, 'erased')`;

const CUSTOMERS = `
  key = 'erased:' || gen_random_uuid(), email = null, address = null, name = null, first_name = null, last_name = null,
  timezone = null, locale = null, birthday = null, created_at = null, tags = '{}', attributes = '{}', orders = 0, spent = 0,
  first_order_at = null, last_order_at = null, last_seen_at = null, satisfaction = null, held_at = null, held_error = null,
  erased_at = :at::timestamptz`;

/** Mails of others to an address that is forgotten: they had it before. */
const OTHERS_MAILS = `lower(address) = any(:addresses::text[])
  and customer_id in (select customer_id from former_addresses where address = any(:addresses::text[]))`;

const SENDS_OF_THEIRS = 'send_id in (select id from sends where customer_id = any(:ids::bigint[]))';
const AT_ADDRESS = 'address = any(:addresses::text[])';

/** Words of a server that name an address of theirs. */
const NAMED_IN_DETAIL = 'exists (select from unnest(:addresses::text[]) a where position(a in lower(detail)) > 0)';

/** All of it. Customers come last; enrolments before sends, as everywhere. */
export const ERASED_PARTS: readonly ErasedPart[] = [
  emptied('enrolments', ENROLMENTS, 'enrolments'),
  emptied('sends', MAILS, 'mails'),
  emptied('sends', 'address = null, message_id = null', undefined, OTHERS_MAILS),
  emptied('feedback', 'detail = null', undefined, SENDS_OF_THEIRS),
  emptied(
    'reactions',
    `url = case when url = '' then '' else 'erased:' || gen_random_uuid() end`,
    undefined,
    SENDS_OF_THEIRS,
  ),
  emptied('suppressions', 'reason = null', undefined, SENDS_OF_THEIRS),
  deleted('suppressions', 'suppressions', AT_ADDRESS),
  deleted('opt_ins', undefined, AT_ADDRESS),
  deleted('consents', undefined, AT_ADDRESS),
  emptied('tasks', TASKS, 'tasks'),
  emptied('webhook_calls', WEBHOOKS, 'webhooks'),
  emptied('coupon_codes', 'customer_id = null'),
  deleted('timers'),
  deleted('refusals'),
  deleted('run_owed'),
  deleted('run_asked'),
  deleted('journal'),
  deleted('event_stats'),
  deleted('held_events', 'events'),
  deleted('event_keys', undefined, 'key in (select key from events where customer_id = any(:ids::bigint[]))'),
  deleted('events', 'events'),
  emptied('refusing_domains', 'detail = null', undefined, NAMED_IN_DETAIL),
  emptied('domain_holds', 'detail = null', undefined, NAMED_IN_DETAIL),
  emptied(
    'audit',
    `reason = null, detail = '{}'`,
    'audit entries',
    `(${THEIRS} or detail ->> 'address' = any(:addresses::text[]))`,
  ),
  deleted('former_addresses', undefined, `(${THEIRS} or ${AT_ADDRESS})`),
  emptied('customers', CUSTOMERS, undefined, 'id = any(:ids::bigint[])'),
];
