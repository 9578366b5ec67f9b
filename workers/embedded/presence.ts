import process from 'node:process';
import pg from 'pg';
import type { Logger } from 'pino';
import { isAlive, startTicks } from './liveness.ts';

const APPLICATION = 'perennial presence';
const RESTART_PAUSE_MS = 1_000;

/** Who else uses the server when this process leaves it. */
export type Others = 'none' | 'processes' | 'clients' | 'server_gone';

/** What a presence needs to have its server started again. */
export interface ServerHandle {
  /** Runs `body` under the project's lock. */
  locked(body: () => Promise<void>): Promise<void>;
  /** Sees to it that the server runs at the same URL; may fail, and is then called again. */
  ensureRunning(): Promise<void>;
}

/**
 * One session that says that this process uses the server. It notices when the server dies, which nobody asked
 * for, and has it started again, until it is left.
 */
export class Presence {
  readonly #url: string;
  readonly #log: Logger;
  readonly #server: ServerHandle;
  #client: pg.Client;
  #left = false;

  private constructor(url: string, log: Logger, server: ServerHandle, client: pg.Client) {
    this.#url = url;
    this.#log = log;
    this.#server = server;
    this.#client = client;
    this.#watch();
  }

  /** Connects to a server that runs. */
  static async open(url: string, log: Logger, server: ServerHandle): Promise<Presence> {
    return new Presence(url, log, server, await connect(url));
  }

  /**
   * Ends the session and says who else is there. Sessions that are just ending (of this process, or of one that
   * was killed) get `patienceMs` to be gone, half a second by default. Call it under the project's lock.
   */
  async leave(patienceMs = 500): Promise<Others> {
    this.#left = true;
    const client = this.#client;
    try {
      for (let waitedMs = 0; ; waitedMs += 20) {
        const others = await this.#others(client);
        if (others !== 'clients' || waitedMs >= patienceMs) return others;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'Embedded PostgreSQL was gone before it was left');
      return 'server_gone';
    } finally {
      await client
        .end()
        .catch((error: unknown) => this.#log.debug({ err: error }, 'The presence was closed by the server'));
    }
  }

  async #others(client: pg.Client): Promise<Others> {
    const { rows } = await client.query<{ name: string }>(
      `select application_name as name from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    for (const { name } of rows) if (await isPresence(name)) return 'processes';
    return rows.length > 0 ? 'clients' : 'none';
  }

  #watch(): void {
    // Without a listener an error would end the process; the end that follows it is what is acted on.
    this.#client.on('error', (error) => this.#log.debug({ err: error }, 'Embedded PostgreSQL: the presence broke'));
    this.#client.once('end', () => {
      if (!this.#left) void this.#recover();
    });
  }

  async #rejoin(): Promise<void> {
    // Leaving happens under the lock as well: what was left while this waited for the lock is not started again.
    if (this.#left) return;
    await this.#server.ensureRunning();
    this.#client = await connect(this.#url);
    this.#watch();
  }

  async #recover(): Promise<void> {
    this.#log.warn('Embedded PostgreSQL has ended unexpectedly: starting it again');
    while (!this.#left) {
      try {
        await this.#server.locked(() => this.#rejoin());
        return;
      } catch (error) {
        this.#log.error({ err: error }, 'Embedded PostgreSQL could not be started again; trying again in a second');
        await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS));
      }
    }
  }
}

async function connect(url: string): Promise<pg.Client> {
  const ticks = (await startTicks(process.pid)) ?? '';
  const client = new pg.Client({ connectionString: url, application_name: `${APPLICATION} ${process.pid} ${ticks}` });
  await client.connect();
  return client;
}

/** Whether a session is the presence of a process that lives. That of a killed one is still listed for a moment. */
async function isPresence(name: string): Promise<boolean> {
  if (!name.startsWith(APPLICATION)) return false;
  const [pid = '', ticks = ''] = name.slice(APPLICATION.length + 1).split(' ');
  return (await isAlive(Number(pid))) && ((await startTicks(Number(pid))) ?? '') === ticks;
}
