/** Which mail has a connection next, since its commands went out over it with the end of the mail before. */
import type { MailConnection } from './connection.ts';
import type { OutgoingMail } from './conversation.ts';
import { type AskedOnce, GOOD_FOR_MS } from './hand-over.ts';
import type { Outcome } from './outcome.ts';

/** What a mail that waits is given: a connection, or why there is none. */
export type Slot = { readonly connection: MailConnection } | { readonly failure: Outcome };

/** A mail that is to go, and its hand-over. */
export interface Going {
  readonly mail: OutgoingMail;
  readonly asked: AskedOnce;
}

/** A mail that waits for a connection. */
export interface Waiter {
  /** What may go ahead; null: nothing may. */
  readonly going: Going | null;
  readonly give: (slot: Slot) => void;
}

/** The mails that follow, one for each connection at most. */
export class Followers {
  readonly #of = new Map<MailConnection, { readonly waiter: Waiter; readonly timer: NodeJS.Timeout | null }>();

  add(connection: MailConnection, waiter: Waiter): void {
    this.#of.set(connection, { waiter, timer: null });
  }

  /** The same, and asks for the mail's hand-over; hears when the connection has not become free for as long as that is good. */
  addAhead(connection: MailConnection, waiter: Waiter, onOverdue: () => void): void {
    const timer = setTimeout(onOverdue, GOOD_FOR_MS).unref();
    this.#of.set(connection, { waiter, timer });
    waiter.going?.asked.ahead();
  }

  /** Whose it is next, if anybody's; from now on it is nobody's. */
  take(connection: MailConnection): Waiter | undefined {
    const found = this.#of.get(connection);
    this.#of.delete(connection);
    if (found?.timer !== null) clearTimeout(found?.timer);
    return found?.waiter;
  }
}
