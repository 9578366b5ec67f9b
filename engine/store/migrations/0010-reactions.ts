/** What readers did with a mail, where the company records it. */
export const reactions = {
  name: '0010-reactions',
  sql: `
-- One row for each mail, kind and link. url: of clicks, without query and fragment, which may name the reader; of openings ''.
create table reactions (
  send_id bigint not null references sends (id) on delete cascade,
  kind text not null check (kind in ('opened', 'clicked')),
  url text not null default '',
  first_at timestamptz not null,
  last_at timestamptz not null,
  count int not null default 1,
  check ((kind = 'clicked') = (url <> ''))
);
create unique index reactions_once on reactions (send_id, kind, md5(url));
`,
} as const;
