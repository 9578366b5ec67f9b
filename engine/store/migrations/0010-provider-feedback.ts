/** What mail providers report: events that were taken in, and how many of what. */
export const providerFeedback = {
  name: '0010-provider-feedback',
  sql: `
-- Events that were taken in, so that each counts once. Machine time: when it may be forgotten.
create table provider_events (
  provider text not null,
  id text not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (provider, id)
);
create index provider_events_received on provider_events (received_at);

-- How many events came to what.
create table provider_counts (
  provider text not null,
  outcome text not null,
  count bigint not null default 0,
  last_at timestamptz not null,
  primary key (provider, outcome)
);
`,
} as const;
