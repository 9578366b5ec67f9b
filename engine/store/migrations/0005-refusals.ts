/** What was decided against: entries that were refused, and what a mail waits for. */
export const refusals = {
  name: '0005-refusals',
  sql: `
-- Triggers that fired in vain: the newest of each customer, playbook and reason, so it grows with customers, not with
-- events. values: what the audience read. Rows are overwritten again and again, each time on their own page.
create table refusals (
  customer_id bigint not null references customers (id) on delete cascade,
  playbook_id int not null references playbooks (id),
  because text not null,
  at timestamptz not null,
  entry_key text not null,
  release_id text not null,
  values jsonb,
  primary key (customer_id, playbook_id, because)
) with (fillfactor = 60);
-- The last attempt that put the mail off: what for and until when. It still holds while due_at is waits_until.
alter table sends add column waits_for text check (waits_for in ('window', 'cap')), add column waits_until timestamptz;
`,
} as const;
