/**
 * What a database that was restored from a backup cannot know: which mails went out after the backup.
 *
 * A mail that is due by the end of that time may have gone out. It is decided on as of the time at which the lost fleet
 * would have decided, by the same rules: what would have been put off or skipped is, and what would have gone is in
 * doubt and not sent. What follows from it goes on from that time, so that a whole way through a playbook is found again;
 * and an event of that time that a shop sends once more brings no second mail.
 */
import type { Instant } from '../time/types.ts';

/** What is done about mail in doubt: as if it was sent, held for a person, or as its playbook says. */
export type DoubtPolicy = 'assume_sent' | 'hold' | 'own';

/** From the backup until the last moment at which the lost fleet may have sent; business time. */
export interface Doubt {
  readonly from: Instant;
  readonly until: Instant;
  readonly mail: DoubtPolicy;
}

/** When a due mail may have gone out, unknown to this database; null when it cannot have. */
export function doubtAt(send: { readonly dueAt: Instant }, doubt: Doubt | null): Instant | null {
  return doubt === null || send.dueAt > doubt.until ? null : Math.max(send.dueAt, doubt.from);
}
