/** What readers agreed to and withdrew, word for word. */
export const consents = {
  name: '0007-consents',
  sql: `
-- Never changed: suppressions and opt_ins say what holds now, this says how it came to be. wording: what the reader agreed
-- to, as it was shown, in its language; null where it was given elsewhere. detail: e.g. the file of an import.
create table consents (
  id bigint generated always as identity primary key,
  address text not null,
  topic text not null,
  given boolean not null,
  at timestamptz not null,
  source text not null,
  wording text,
  language text,
  detail text,
  send_id bigint references sends (id) on delete set null
);
create index consents_address on consents (address, topic, at);
insert into consents (address, topic, given, at, source)
  select address, topic, true, at, source from opt_ins order by at, address, topic;
`,
} as const;
