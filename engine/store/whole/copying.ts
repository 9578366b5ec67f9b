/** COPY over a connection of pg, which has the messages of the protocol and no streams for them. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type pg from 'pg';

/** Rows come one to a message; they go on in parcels of about this size. */
const PARCEL_BYTES = 65_536;
/** What may wait in the socket before the sender waits. */
const BACKLOG_BYTES = 1_048_576;

const ROWS = /^COPY (\d+)$/;

/** What pg has for this and its types do not name. */
interface CopyConnection extends pg.Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

interface Complete {
  readonly text?: string;
}

/** Runs `copy … to stdout`; ends with the last row. `rows` is how many there were, once it has ended. */
export class CopyOut extends Readable {
  readonly #sql: string;
  #connection: pg.Connection | null = null;
  #parts: Buffer[] = [];
  #bytes = 0;
  rows = 0;

  constructor(sql: string) {
    super();
    this.#sql = sql;
  }

  /** Called by pg when its turn has come; so are the `handle…` below. */
  submit(connection: pg.Connection): void {
    this.#connection = connection;
    connection.query(this.#sql);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    // It is a view of what pg reads into next.
    this.#parts.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#bytes >= PARCEL_BYTES) this.#flush();
  }

  handleCommandComplete({ text = '' }: Complete): void {
    this.rows = Number(ROWS.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#flush();
    if (!this.destroyed) this.push(null);
  }

  handleError(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.#connection?.stream.resume();
  }

  /** Whoever wants no more leaves the rest to run out: the connection must hear the end before it is asked something else. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection?.stream.resume();
    done(error);
  }

  #flush(): void {
    if (this.#bytes === 0 || this.destroyed) return;
    const parcel = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (!this.push(parcel)) this.#connection?.stream.pause();
  }
}

/** Asks for rows as text, in the format of COPY. The connection must be used for nothing else until they have ended. */
export function copyOut(client: pg.Client, sql: string): CopyOut {
  return client.query(new CopyOut(sql));
}

class CopyIn {
  readonly #sql: string;
  readonly ready: Promise<CopyConnection>;
  readonly done: Promise<number>;
  #start: (connection: CopyConnection) => void = () => undefined;
  #end: (rows: number) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #rows = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.done = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    // Refused at once, the refusal is the answer to both.
    this.ready = Promise.race([
      new Promise<CopyConnection>((resolve) => {
        this.#start = resolve;
      }),
      this.done.then(() => {
        throw new Error('the server ended a copy before it began');
      }),
    ]);
    this.ready.catch(() => undefined);
    this.done.catch(() => undefined);
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#start(connection);
  }

  handleCommandComplete({ text = '' }: Complete): void {
    this.#rows = Number(ROWS.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#end(this.#rows);
  }

  handleError(error: Error): void {
    this.#fail(error);
  }
}

/** Runs `copy … from stdin` over these bytes and returns how many rows came in. @throws what the server or the source throws. */
export async function copyIn(client: pg.Client, sql: string, bytes: AsyncIterable<Buffer>): Promise<number> {
  const copy = client.query(new CopyIn(sql));
  const connection = await copy.ready;
  const refused = copy.done.then(
    () => true,
    () => true,
  );
  try {
    for await (const chunk of bytes) {
      connection.sendCopyFromChunk(chunk);
      const { stream } = connection;
      // A server that has refused a row reads on, and says so before all of it is sent.
      if (stream.writableLength > BACKLOG_BYTES && (await Promise.race([once(stream, 'drain'), refused])) === true)
        break;
    }
  } catch (error) {
    connection.sendCopyFail('the source of the rows failed');
    await refused;
    throw error;
  }
  connection.endCopyFrom();
  return copy.done;
}
