/** Pace: limits of the whole fleet, domains that are held, and what mail waits for because of them. */
export const pace = {
  name: '0009-pace',
  sql: `
alter table sends drop constraint sends_waits_for_check;
alter table sends
  add constraint sends_waits_for_check check (waits_for in ('window', 'cap', 'pace', 'warm_up', 'domain')),
  -- When it was due before its pace put it off. It holds while due_at is waits_until.
  add column paced_from timestamptz;

-- One row for each limit in use. Times are business time, in ms since 1970 and parts of them.
create table pace (
  -- 'server HOST:PORT', 'domain NAME' or 'warm-up'
  key text primary key,
  -- From when on the next mail may go: any mail; transactional mail, which passes all other.
  next_ms double precision not null default 0,
  first_ms double precision not null default 0,
  -- Up to when mail that waits was given times.
  next_book_ms double precision not null default 0,
  first_book_ms double precision not null default 0,
  -- Between two mails, as when it was last used.
  spacing_ms double precision not null default 0,
  -- Of the warm-up: the company's day, and how many mails it has had.
  day date,
  day_count int not null default 0,
  used_at timestamptz not null default clock_timestamp()
);

-- Domains to which nothing goes until then. Kept for a while, since the next hold is longer.
create table domain_holds (
  domain text primary key,
  because text not null check (because in ('throttled', 'refused')),
  since timestamptz not null,
  until timestamptz not null,
  strikes int not null,
  detail text
);
`,
} as const;
