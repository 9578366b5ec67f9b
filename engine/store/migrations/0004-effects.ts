/** What steps do besides mail: tasks for people, answers to surveys, calls of other systems, coupon codes. */
export const effects = {
  name: '0004-effects',
  sql: `
create table tasks (
  id bigint generated always as identity primary key,
  customer_id bigint not null references customers (id),
  enrolment_id bigint not null references enrolments (id),
  playbook_id int not null references playbooks (id),
  step text not null,
  visit smallint not null default 0,
  title text not null,
  assignee text,
  created_at timestamptz not null,
  due_at timestamptz,
  done_at timestamptz,
  done_by text,
  note text,
  unique (enrolment_id, step, visit),
  check ((done_at is null) = (done_by is null))
);
create index tasks_open on tasks (due_at, id) where done_at is null;
create index tasks_customer on tasks (customer_id);

-- What a survey's mail asks; null for all other mail.
alter table sends add column ask text;

-- Keys under which links in mails are signed. A link names its key, so a new one leaves sent mail valid.
create table signing_keys (
  id smallint generated always as identity primary key,
  secret bytea not null,
  created_at timestamptz not null default now()
);
-- Each UUID has 122 random bits of PostgreSQL's strong source.
insert into signing_keys (secret) values
  (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Calls of other systems: recorded with the step, made afterwards. key is the same for every attempt. Due times and
-- leases are machine time of the database: they are about servers, not about customers.
create table webhook_calls (
  id bigint generated always as identity primary key,
  key uuid not null unique default gen_random_uuid(),
  customer_id bigint not null references customers (id),
  enrolment_id bigint not null references enrolments (id),
  playbook_id int not null references playbooks (id),
  step text not null,
  visit smallint not null default 0,
  at timestamptz not null,
  url text not null,
  body text not null,
  status text not null default 'planned' check (status in ('planned', 'done', 'failed', 'dropped')),
  attempts smallint not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz,
  fence int not null default 0,
  settled_at timestamptz,
  answer text,
  held_at timestamptz,
  held_error text,
  unique (enrolment_id, step, visit)
);
create index webhook_calls_due on webhook_calls (due_at) where status = 'planned';
create index webhook_calls_held on webhook_calls (held_at) where held_at is not null;
create index webhook_calls_customer on webhook_calls (customer_id);

create table coupon_pools (
  name text primary key,
  created_at timestamptz not null default now()
);
-- after_send: the latest mail of the enrolment when the code was reserved; a later one carries the code.
create table coupon_codes (
  id bigint generated always as identity primary key,
  pool text not null references coupon_pools (name),
  code text not null,
  status text not null default 'free' check (status in ('free', 'reserved', 'committed')),
  customer_id bigint references customers (id),
  enrolment_id bigint references enrolments (id),
  step text,
  visit smallint,
  after_send bigint,
  reserved_at timestamptz,
  committed_at timestamptz,
  unique (pool, code),
  unique (enrolment_id, step, visit),
  check ((status = 'free') = (enrolment_id is null)),
  check ((status = 'committed') = (committed_at is not null))
);
create index coupon_codes_free on coupon_codes (pool, id) where status = 'free';
create index coupon_codes_reserved on coupon_codes (enrolment_id) where status = 'reserved';
`,
} as const;
