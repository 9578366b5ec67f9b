/** Who the customer is has been said: what is true of somebody when they arrive turns no segment. */
export const identified = {
  name: '0002-identified',
  sql: `
-- Whoever is there already has arrived.
alter table customers add column identified boolean not null default true;
alter table customers alter column identified set default false;
`,
} as const;
