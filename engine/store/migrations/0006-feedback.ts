/** What came back of mails: bounces, complaints, and reports of delivery. */
export const feedback = {
  name: '0006-feedback',
  sql: `
-- One row for each mail, kind and verdict: the same report twice counts once. verdict: of bounces, else ''.
create table feedback (
  id bigint generated always as identity primary key,
  send_id bigint not null references sends (id) on delete cascade,
  kind text not null check (kind in ('delivered', 'bounced', 'complained')),
  verdict text not null default '' check (verdict in ('', 'hard', 'soft', 'sender', 'unclear')),
  at timestamptz not null,
  status text,
  detail text,
  unique (send_id, kind, verdict),
  check ((kind = 'bounced') = (verdict <> ''))
);
create index feedback_complaints on feedback (at) where kind = 'complained';

-- Which mail a suppression came from.
alter table suppressions add column send_id bigint references sends (id) on delete set null;

-- Domains that refuse our mail for what we are, not for whom we write to.
create table refusing_domains (
  domain text primary key,
  first_at timestamptz not null,
  last_at timestamptz not null,
  count int not null default 1,
  status text,
  detail text
);
`,
} as const;
