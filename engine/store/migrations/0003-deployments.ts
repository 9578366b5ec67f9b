/** Editing while customers are under way: into which version they go on, and the record of what ran when. */
export const deployments = {
  name: '0003-deployments',
  sql: `
-- moved_to: enrolments of this version are taken to be of that one, their steps called as moved_steps says (what it does
-- not name is called as it was). current_steps: what the steps are called in the playbook's latest version, whether
-- anybody moved or not: the identity that statistics go by.
alter table playbook_versions
  add column moved_to int references playbook_versions (id),
  add column moved_steps jsonb not null default '{}',
  add column current_steps jsonb not null default '{}';
-- True once the row has been written in another version than it started with. Null costs waiting rows nothing.
alter table enrolments add column moved boolean;

-- Which release ran from when, in order. at is business time.
create table deployments (
  seq int generated always as identity primary key,
  kind text not null check (kind in ('deploy', 'rollback')),
  release_id text not null references releases (id),
  previous_id text,
  at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  author text not null,
  note text,
  git_commit text,
  changes jsonb not null default '{}'
);
insert into deployments (kind, release_id, previous_id, at, recorded_at, author, note, git_commit, changes)
select 'deploy', a.detail ->> 'releaseId', a.detail ->> 'previousId', a.business_at, a.at, a.by, a.reason,
  a.detail ->> 'gitCommit', jsonb_build_object('added', coalesce(a.detail -> 'added', '[]'),
    'altered', coalesce(a.detail -> 'altered', '[]'), 'removed', coalesce(a.detail -> 'removed', '[]'))
from audit a join releases r on r.id = a.detail ->> 'releaseId' where a.action = 'deploy' order by a.id;
`,
} as const;
