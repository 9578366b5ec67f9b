/** Indexes for what was read whole: of mails by playbook, of the record of what people did. */
export const ways = {
  name: '0011-ways',
  sql: `
-- Which mails of a playbook went out lately: for rates of complaints, and for mails that cannot be written one after the
-- other. Without what is open, so that a mail is entered once, when it is settled.
create index sends_settled on sends (playbook_id, handed_at) where status in ('sent', 'failed', 'unknown');
create index sends_held_of on sends (playbook_id, held_at) where held_at is not null;

create index audit_resumed on audit (business_at) where action = 'resume';
create index audit_address on audit ((detail ->> 'address')) where detail ->> 'address' is not null;
create index suppressions_send on suppressions (send_id) where send_id is not null;
create index coupon_codes_customer on coupon_codes (customer_id) where customer_id is not null;
`,
} as const;
