/** Where the database is at home, why no fleet may start on it, and from when to when a lost one may have sent its mails. */
export const whereabouts = {
  name: '0014-whereabouts',
  sql: `
-- home: server and database in which the fleet last started; another one is a copy. away: why no fleet may start here:
-- restored from a backup, being moved, or moved to away_to. backed_up_at: business time of the backup.
-- doubt_*: mail due by doubt_until may have gone out after that backup, and is dealt with as doubt_mail says.
alter table engine
  add column home text,
  add column away text check (away in ('restored', 'moving', 'moved')),
  add column away_to text,
  add column backed_up_at timestamptz,
  add column doubt_from timestamptz,
  add column doubt_until timestamptz,
  add column doubt_mail text check (doubt_mail in ('assume_sent', 'hold', 'own')),
  add check ((doubt_from is null) = (doubt_until is null) and (doubt_until is null) = (doubt_mail is null));
`,
} as const;
