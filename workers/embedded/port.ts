import { createServer, type AddressInfo } from 'node:net';
import { EmbeddedPostgresError } from './error.ts';

/** The port to listen on: any free one, preferably this one, or this one and no other. */
export type WantedPort =
  | { readonly kind: 'any' }
  | { readonly kind: 'preferred'; readonly port: number }
  | { readonly kind: 'exact'; readonly port: number };

/**
 * A port of 127.0.0.1 that nobody listens on.
 * @throws EmbeddedPostgresError `start_failed` when the exact port that is wanted is taken.
 */
export async function choosePort(wanted: WantedPort): Promise<number> {
  if (wanted.kind === 'any') return tryPort(0);
  if (wanted.kind === 'exact') return tryPort(wanted.port);
  return tryPort(wanted.port).catch(() => tryPort(0));
}

/** The port itself if nobody listens on it; for 0 a free one that the system picks. */
async function tryPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      reject(
        new EmbeddedPostgresError('start_failed', `Port ${port} of 127.0.0.1 cannot be had: ${error.message}`, error),
      );
    });
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
