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

/** Promises of connections, one for each at most. */
export class Promises {
  readonly #made = new Map<MailConnection, { readonly waiter: Waiter; readonly timer: NodeJS.Timeout | null }>();

  make(connection: MailConnection, waiter: Waiter): void {
    this.#made.set(connection, { waiter, timer: null });
  }

  /** The same, and asks for the mail's hand-over; hears when the connection has not become free for as long as that is good. */
  makeAhead(connection: MailConnection, waiter: Waiter, onOverdue: () => void): void {
    const timer = setTimeout(onOverdue, GOOD_FOR_MS).unref();
    this.#made.set(connection, { waiter, timer });
    waiter.going?.asked.ahead();
  }

  /** Whose it is next, if anybody's; from now on it is nobody's. */
  take(connection: MailConnection): Waiter | undefined {
    const made = this.#made.get(connection);
    this.#made.delete(connection);
    if (made?.timer !== null) clearTimeout(made?.timer);
    return made?.waiter;
  }
}
