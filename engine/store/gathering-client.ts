/** A connection that sends what is asked of it in one turn of the event loop as one packet. */
import { Socket } from 'node:net';
import pg from 'pg';

/**
 * With pg's `pipeline` a statement does not wait for the one before it, but each still costs a system call of its own,
 * and that is most of what a short statement costs a process.
 */
export class GatheringClient extends pg.Client {
  readonly #socket: Socket;
  #gathers = false;

  constructor(config?: string | pg.ClientConfig) {
    const socket = new Socket();
    super({ ...(typeof config === 'string' ? { connectionString: config } : config), stream: () => socket });
    this.#socket = socket;
    // A session may end in the very moment in which it is lent, when nobody listens yet: that would end the process.
    // Whoever asks it something is told.
    this.on('error', () => undefined);
  }

  /** Keeps back what is written until this turn is over. Under TLS the statements go one by one. */
  gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#gathers = false;
      this.#socket.uncork();
    });
  }
}
