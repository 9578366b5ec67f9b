/** Who was erased: keyed hashes of their ids and addresses, and nothing else of them. */
export const erasures = {
  name: '0008-erasures',
  sql: `
-- HMAC-SHA256 with its two keys written out. Without them, nobody can try addresses against the hashes. Each UUID has 122
-- random bits of PostgreSQL's strong source.
create table erasure_key (
  id int primary key default 1 check (id = 1),
  inner_key bytea not null,
  outer_key bytea not null
);
insert into erasure_key (inner_key, outer_key) values
  (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
   sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table erasures (
  hash bytea primary key,
  kind text not null check (kind in ('id', 'address')),
  at timestamptz not null
);

-- Whoever is forgotten is forgotten with the records that were merged into theirs.
create index customers_merged on customers (merged_into) where merged_into is not null;
`,
} as const;
