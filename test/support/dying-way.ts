/** A way to PostgreSQL on which sessions die in the moment in which they begin. */
import { once } from 'node:events';
import net from 'node:net';

/** An open way. */
export interface DyingWay {
  readonly url: string;
  /** From now on (or no longer), whatever begins ends with the packet in which the server says that it is ready. */
  letDie(dies: boolean): void;
  /** Sessions that have died so. */
  deaths(): number;
  close(): void;
}

/** ReadyForQuery, idle; ErrorResponse of an administrator's command (protocol 3, message formats). */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const FIELDS = Buffer.from(
  'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0',
  'latin1',
);
const FATAL = Buffer.concat([Buffer.from([0x45, 0, 0, 0, FIELDS.length + 4]), FIELDS]);

/** Opens one, to a server over TCP. */
export async function openDyingWay(url: string): Promise<DyingWay> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<net.Socket>();
  let dies = false;
  let deaths = 0;
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      if (!dies || !chunk.includes(READY)) {
        near.write(chunk);
        return;
      }
      deaths += 1;
      near.end(Buffer.concat([chunk, FATAL]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as net.AddressInfo).port);
  through.searchParams.delete('host');
  return {
    url: through.href,
    letDie: (now) => (dies = now),
    deaths: () => deaths,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
