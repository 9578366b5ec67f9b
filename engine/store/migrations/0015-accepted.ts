/** When the server's acceptance of a mail was noted, ahead of its outcome: in a column of its own, which no index has. */
export const accepted = {
  name: '0015-accepted',
  sql: `
alter table sends add column accepted_at timestamptz;
update sends set accepted_at = settled_at, settled_at = null where status = 'handed' and settled_at is not null;
-- The note follows the hand-over within milliseconds: with room on the page, no index hears of it.
alter table sends set (fillfactor = 80);
`,
} as const;
