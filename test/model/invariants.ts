/** What must hold after every command, read from the rows themselves. */
import { RESENDS } from './company.ts';
import type { Promised } from './promised.ts';
import type { World } from './world.ts';

/** The error with which this test itself holds things; anything else that is held fails it. */
export const BY_TEST = 'held by the test';

/** Each statement finds the ids of rows that break the rule; none may. */
const RULES: Readonly<Record<string, string>> = {
  'an active enrolment is due, or waits for exactly one mail': `
    select e.id from enrolments e where e.status = 'active' and 1 <> (e.due_at is not null)::int + (
      select count(*) from sends s where s.enrolment_id = e.id and (s.status in ('planned', 'claimed', 'handed')
        or s.status = 'unknown' and s.held_at is not null))`,
  'an open mail belongs to the step on which its active enrolment stands': `
    select s.id from sends s join enrolments e on e.id = s.enrolment_id
    where s.status in ('planned', 'claimed') and (e.status <> 'active' or e.step <> s.step)`,
  'one mail for each enrolment, step and visit': `
    select min(id) from sends group by enrolment_id, step, visit having count(*) > 1`,
  'a claimed mail has its fence, lease, address and Message-ID': `
    select id from sends where status = 'claimed' and (fence = 0 or lease_until is null or claimed_at is null
      or address is null or message_id is null or release_id is null)`,
  'a handed mail has its hand-over and a lease': `
    select id from sends where status = 'handed' and (handed_at is null or lease_until is null)`,
  'a planned mail has neither lease nor claim': `
    select id from sends where status = 'planned' and (lease_until is not null or claimed_at is not null)`,
  'what has gone out says when': `
    select id from sends where status in ('sent', 'unknown') and (handed_at is null or settled_at is null)`,
  'what has ended is not held': `
    select id from sends where status in ('sent', 'failed', 'skipped', 'cancelled') and held_at is not null
    union all select id from enrolments where status <> 'active' and held_at is not null`,
  'nothing is held for an enrolment that has ended': `
    select s.id from sends s join enrolments e on e.id = s.enrolment_id where s.held_at is not null and e.status <> 'active'`,
  'nobody enters a playbook twice that says never': `
    select min(e.id) from enrolments e join playbooks p on p.id = e.playbook_id where p.name = 'welcome'
    group by e.customer_id having count(*) > 1`,
  'nobody is twice under way in one playbook': `
    select min(id) from enrolments where status = 'active' group by customer_id, playbook_id having count(*) > 1`,
  'no customer is held but by the test': `
    select id from customers where held_at is not null and held_error <> '${BY_TEST}'`,
  'no enrolment is held but by the test': `
    select id from enrolments where held_at is not null and held_error <> '${BY_TEST}'`,
  'a mail is held only as broken, unaddressed, or unknown in a playbook that says so': `
    select s.id from sends s join playbooks p on p.id = s.playbook_id where s.held_at is not null and not (
      s.status = 'planned' and (s.held_error = '${BY_TEST}' or s.held_error like '%is not an address%')
      or s.status = 'unknown' and p.name = 'browse')`,
  'facts count every event once': `
    select c.id from customers c where c.orders <> (
      select count(*) from events e where e.customer_id = c.id and e.event = 'order.placed')`,
  'what has ended stays as it is': 'select id from model_broken',
  'an event is stored once': `select min(id) from events group by key having count(*) > 1`,
};

const ALL_RULES = Object.entries(RULES)
  .map(
    ([rule, sql]) => `select '${rule.replaceAll("'", "''")}' as rule, broken.id::bigint from (${sql}) as broken (id)`,
  )
  .join(' union all ');

/**
 * What has ended stays as it is, whoever commits what; an unknown mail may still turn out to be sent. The database itself
 * watches every change and writes down those that break the rule.
 */
export const WATCH = `
  create unlogged table model_broken (what text not null, id bigint not null);
  create function model_broken() returns trigger language plpgsql as $$ begin
    insert into model_broken values (concat_ws(' ', tg_table_name, old.status, 'became', new.status), old.id);
    return new; end $$;
  create trigger model_enrolments before update on enrolments for each row
    when (old.status <> 'active' and (old.status, old.ended_at, old.reason) is distinct from (new.status, new.ended_at, new.reason))
    execute function model_broken();
  create trigger model_sends before update on sends for each row
    when (old.status in ('sent', 'failed', 'skipped', 'cancelled')
      and (old.status, old.settled_at, old.handed_at, old.attempts, old.reason)
        is distinct from (new.status, new.settled_at, new.handed_at, new.attempts, new.reason)
      or old.status = 'unknown' and old.held_at is null and new.status not in ('unknown', 'sent'))
    execute function model_broken();`;

/** @throws Error that names what is broken, with the ids of its rows. */
export async function expectInvariants(promised: Promised, world: World): Promise<void> {
  await Promise.all([expectRules(world), expectCopiesCounted(promised, world), expectEndedStay(promised, world)]);
}

async function expectRules(world: World): Promise<void> {
  const broken = await world.look<{ rule: string; id: number }>(ALL_RULES);
  if (broken.length === 0) return;
  const changes = await world.look<{ what: string }>('select what from model_broken');
  throw new Error(
    [...broken.map(({ rule, id }) => `broken: ${rule} (row ${id})`), ...changes.map(({ what }) => what)].join('\n'),
  );
}

async function expectEndedStay({ ended }: Promised, world: World): Promise<void> {
  const rows = await world.look<{ id: number }>(`select id from enrolments where status = 'active' and id = any($1)`, [
    [...ended],
  ]);
  if (rows.length > 0) throw new Error(`enrolments live after their end: ${rows.map(({ id }) => id).join(', ')}`);
}

const GONE_OUT: ReadonlySet<string> = new Set(['handed', 'sent', 'unknown']);

/** One hand-over for each mail, and one more for each time that the row says it was sent again; and none on record that nobody received. */
async function expectCopiesCounted({ receivedOf, resentByHand, unheard }: Promised, world: World): Promise<void> {
  const rows = await world.look<{ id: number; resends: number; status: string; playbook: string }>(
    `select s.id, s.resends, s.status, p.name as playbook from sends s join playbooks p on p.id = s.playbook_id
     where s.resends > 0 or s.handed_at is not null`,
  );
  for (const { id, resends, status, playbook } of rows) {
    const handed = receivedOf.get(id) ?? [];
    const copies = handed.filter(({ refused }) => !refused).length;
    if (GONE_OUT.has(status) && handed.length === 0 && !unheard.has(id)) {
      throw new Error(`mail ${id} is "${status}", and nobody has it`);
    }
    if (copies > 1 + resends)
      throw new Error(`mail ${id} went out ${copies} times, and its row counts ${resends} more`);
    const allowed = (RESENDS.has(playbook) ? 3 : 0) + (resentByHand.get(id) ?? 0);
    if (resends > allowed) throw new Error(`mail ${id} of "${playbook}" was sent again ${resends} times`);
  }
}

/** @throws Error when an event that was answered for is neither taken in nor kept. */
export async function expectEventsKept({ answered, discarded }: Promised, world: World): Promise<void> {
  const rows = await world.look<{ key: string }>(
    `select key from events union all select event -> 'event' ->> 'id' from held_events where event ? 'event'`,
  );
  const kept = new Set(rows.map(({ key }) => key));
  const lost = [...answered].filter((id) => !kept.has(id) && !discarded.has(id));
  if (lost.length > 0) throw new Error(`events were answered for and are lost: ${lost.join(', ')}`);
}
