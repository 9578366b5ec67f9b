/** Where mail of each lane goes. */
import { startInbox } from '../engine/mail/inbox/server.ts';
import { openTransport, type Transport } from '../engine/mail/transport.ts';
import type { MailLane } from '../engine/store/claim.ts';
import { closeEach } from './closing.ts';
import { inboxDir, type Parts } from './parts.ts';

/** The ways out of one process. */
export interface Outgoing {
  readonly transports: Readonly<Record<MailLane, Transport>>;
  /** What start-up should say about them, one sentence a line. */
  readonly notes: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens the ways out: to the server of SMTP_URL, over connections of each lane's own; without one, to the local inbox. */
export async function openOutgoing(parts: Parts): Promise<Outgoing> {
  const { config, log } = parts;
  const connections = config.smtpConnections;
  const isLocal = config.smtpUrl === null && config.inboxUrl === null;
  const inbox = isLocal ? await startInbox({ dir: inboxDir(config), host: '127.0.0.1', port: 0 }) : null;
  const url = config.smtpUrl ?? config.inboxUrl ?? inbox?.url ?? '';
  const bulk = openTransport({ url, connections, log });
  const transactional = openTransport({ url, connections, log });
  return {
    transports: { transactional, bulk },
    notes: config.smtpUrl === null ? [NO_SMTP] : [],
    close: async () =>
      closeEach(
        [
          { what: 'transactional mail', close: async () => transactional.close() },
          { what: 'other mail', close: async () => bulk.close() },
          ...(inbox === null ? [] : [{ what: 'the local inbox', close: async () => inbox.close() }]),
        ],
        log,
      ),
  };
}

const NO_SMTP =
  'No SMTP_URL: all mail goes to the local inbox, nothing leaves this machine. Read it with "perennial inbox".';
