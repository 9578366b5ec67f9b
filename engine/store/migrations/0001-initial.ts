/** The first shape of the truth. Later migrations only go forward from here. */
export const initial = {
  name: '0001-initial',
  sql: `
-- One row: which release runs, and the business clock when it is stepped (null: the database's own time).
-- installation keeps the Message-IDs of two databases apart that send for one domain, such as a staging copy.
create table engine (
  id int primary key default 1 check (id = 1),
  installation text not null default left(replace(gen_random_uuid()::text, '-', ''), 10),
  release_id text,
  release_seq int not null default 0,
  stepped_at timestamptz
);
insert into engine (id) values (1);

create table customers (
  id bigint generated always as identity primary key,
  key text not null unique,
  email text,
  address text,
  name text,
  first_name text,
  last_name text,
  timezone text,
  locale text,
  birthday date,
  created_at timestamptz,
  tags text[] not null default '{}',
  attributes jsonb not null default '{}',
  orders int not null default 0,
  spent double precision not null default 0,
  first_order_at timestamptz,
  last_order_at timestamptz,
  last_seen_at timestamptz,
  satisfaction double precision,
  arrived_at timestamptz not null,
  merged_into bigint references customers (id),
  erased_at timestamptz,
  held_at timestamptz,
  held_error text
);
create index customers_address on customers (address) where address is not null;
-- Addresses that a customer had before: what was sent there counts for whoever has the address now.
create table former_addresses (
  address text not null,
  customer_id bigint not null references customers (id),
  primary key (address, customer_id)
);
create index customers_held on customers (held_at) where held_at is not null;

create table event_stats (
  customer_id bigint not null references customers (id),
  event text not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  count int not null,
  primary key (customer_id, event)
);

-- Uniqueness of event ids lives apart, so that events can be partitioned by their time.
create table event_keys (key text primary key);
create table events (
  id bigint generated always as identity,
  key text not null,
  customer_id bigint not null,
  event text not null,
  at timestamptz not null,
  received_at timestamptz not null,
  data jsonb not null,
  history boolean not null default false,
  primary key (at, id)
) partition by range (at);
create index events_customer on events (customer_id, at);

-- Events of customers that are held: processed, in this order, when they are retried.
create table held_events (
  id bigint generated always as identity primary key,
  customer_id bigint not null references customers (id),
  event jsonb not null,
  history boolean not null default false,
  held_at timestamptz not null,
  error text not null
);
create index held_events_customer on held_events (customer_id, id);

create table blobs (hash text primary key, text text not null);
create table releases (
  id text primary key,
  seq int generated always as identity unique,
  created_at timestamptz not null default now(),
  deployed_at timestamptz not null,
  author text not null,
  note text,
  git_commit text,
  language int not null default 1
);
create table release_files (
  release_id text not null references releases (id),
  path text not null,
  hash text not null references blobs (hash),
  primary key (release_id, path)
);

-- Short ids for what every row names. armed_from: its triggers of time look forward from here.
create table playbooks (
  id int generated always as identity primary key,
  name text not null unique,
  armed_from timestamptz not null,
  trigger_hash text not null,
  live boolean not null
);
create table playbook_versions (
  id int generated always as identity primary key,
  playbook_id int not null references playbooks (id),
  hash text not null,
  release_id text not null references releases (id),
  unique (playbook_id, hash)
);

create table enrolments (
  id bigint generated always as identity primary key,
  customer_id bigint not null references customers (id),
  playbook_id int not null references playbooks (id),
  version_id int not null references playbook_versions (id),
  -- active: waiting at due_at (ready: at the step itself, not past it), or, due_at null, for an open send; else ended.
  status text not null check (status in ('active', 'complete', 'exit', 'goal', 'cancel')),
  ready boolean not null default false,
  due_at timestamptz,
  started_at timestamptz not null,
  ended_at timestamptz,
  entry_key text not null,
  step text,
  reason text,
  origin jsonb,
  vars jsonb,
  held_at timestamptz,
  held_error text,
  unique (customer_id, playbook_id, entry_key),
  check ((status = 'active') = (ended_at is null)),
  check ((status = 'active') = (step is not null))
);
-- The due indexes end in the customer: the tick walks them by (due_at, customer_id), reads nothing else, and goes on
-- in the middle of the many rows that a launch makes due at one instant.
create index enrolments_due on enrolments (playbook_id, due_at, customer_id)
  where due_at is not null and held_at is null;
create index enrolments_held on enrolments (held_at) where held_at is not null;

create table timers (
  customer_id bigint not null references customers (id),
  playbook_id int not null references playbooks (id),
  due_at timestamptz,
  basis text not null,
  primary key (customer_id, playbook_id)
);
create index timers_due on timers (playbook_id, due_at, customer_id) where due_at is not null;

create table sends (
  id bigint generated always as identity primary key,
  enrolment_id bigint not null references enrolments (id),
  customer_id bigint not null references customers (id),
  playbook_id int not null references playbooks (id),
  step text not null,
  visit smallint not null default 0,
  template text not null,
  topic text not null,
  -- The lane is 'transactional' or 'bulk': transactional mail knows no window and no cap.
  lane text not null check (lane in ('transactional', 'bulk')),
  status text not null check (status in
    ('planned', 'claimed', 'handed', 'sent', 'failed', 'skipped', 'cancelled', 'unknown')),
  first_due_at timestamptz not null,
  due_at timestamptz not null,
  fence int not null default 0,
  attempts smallint not null default 0,
  -- How often it was sent again although a server may have taken it: where not 0, the reader may have copies.
  resends smallint not null default 0,
  -- Machine time of the database; all other times here are business time.
  lease_until timestamptz,
  claimed_at timestamptz,
  handed_at timestamptz,
  settled_at timestamptz,
  release_id text,
  address text,
  message_id text,
  reason text,
  held_at timestamptz,
  held_error text,
  unique (enrolment_id, step, visit)
);
create index sends_due on sends (playbook_id, lane, due_at, customer_id) where status = 'planned' and held_at is null;
create index sends_lease on sends (lease_until) where status in ('claimed', 'handed');
create index sends_customer on sends (customer_id, handed_at);
create index sends_open on sends (customer_id) where status in ('planned', 'claimed', 'handed');
create index sends_held on sends (held_at) where held_at is not null;
create index sends_unknown on sends (settled_at) where status = 'unknown';

-- What enrolments and sends do not say themselves: tags, attributes set, steps skipped by their own condition, staff's acts.
create table journal (
  id bigint generated always as identity primary key,
  customer_id bigint not null,
  enrolment_id bigint,
  at timestamptz not null,
  "do" text not null,
  step text,
  reason text
);
create index journal_customer on journal (customer_id, at);

-- Scope '*' is everything, otherwise a topic's name.
create table suppressions (
  address text not null,
  scope text not null,
  at timestamptz not null,
  source text not null,
  reason text,
  primary key (address, scope)
);
create table opt_ins (
  address text not null,
  topic text not null,
  at timestamptz not null,
  source text not null,
  primary key (address, topic)
);

-- Mass work: a launch asks everyone, a new trigger arms everyone. asked: customers handled ahead of the cursor.
create table runs (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('launch', 'arm')),
  playbook_id int not null references playbooks (id),
  launch text not null default '',
  due_at timestamptz not null,
  status text not null default 'planned' check (status in ('planned', 'running', 'done')),
  cursor_id bigint not null default 0,
  until_id bigint,
  unique (kind, playbook_id, launch, due_at)
);
create index runs_open on runs (due_at) where status <> 'done';
create table run_asked (
  run_id bigint not null references runs (id) on delete cascade,
  customer_id bigint not null,
  primary key (run_id, customer_id)
);
-- Customers that a launch went past while they were held: asked when they are released, whatever became of the run.
create table run_owed (
  customer_id bigint not null references customers (id) on delete cascade,
  run_id bigint not null references runs (id) on delete cascade,
  primary key (customer_id, run_id)
);

-- Scope '*' is everything, otherwise a playbook's name.
create table pauses (
  scope text primary key,
  at timestamptz not null,
  by text not null,
  reason text not null
);

create table leases (
  name text primary key,
  holder text not null,
  until timestamptz not null
);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  business_at timestamptz not null,
  by text not null,
  action text not null,
  customer_id bigint,
  playbook text,
  reason text,
  detail jsonb not null default '{}'
);
create index audit_customer on audit (customer_id, at);

create table imports (
  fingerprint text primary key,
  kind text not null,
  file text not null,
  bytes_done bigint not null default 0,
  lines_done bigint not null default 0,
  accepted bigint not null default 0,
  rejected bigint not null default 0,
  finished_at timestamptz,
  updated_at timestamptz not null default now()
);
`,
} as const;
