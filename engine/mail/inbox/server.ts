/** The local inbox: a mail server that keeps everything and sends nothing on. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { InboxWriter } from './store.ts';

/** A running inbox. */
export interface LocalInbox {
  /** For `openTransport`. */
  readonly url: string;
  /** Stops listening; mails that were answered are on disk. */
  close(): Promise<void>;
}

/** Mails larger than this are refused, as many servers do. */
const MAX_BYTES = 10 * 1024 * 1024;

/**
 * Starts an inbox that keeps its mails in `dir`, one file each, written before the reply. `port` 0 takes a free one.
 * Several may share a folder. Listen on a loopback address only: whoever reaches it can write into the folder.
 */
export async function startInbox(options: {
  readonly dir: string;
  readonly host: string;
  readonly port: number;
}): Promise<LocalInbox> {
  const writer = await InboxWriter.open(options.dir);
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_BYTES,
    logger: false,
    closeTimeout: 1_000,
    onData: (stream, session, answer) => void receive(writer, stream, session, answer),
  });
  // A conversation that breaks off is the client's affair; only failing to listen is ours, and `once` below rejects.
  server.on('error', () => undefined);
  server.listen(options.port, options.host);
  await once(server.server, 'listening');
  const { address, port, family } = server.server.address() as AddressInfo;
  return {
    url: `smtp://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function receive(
  writer: InboxWriter,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  answer: (error: Error | null, message?: string) => void,
): Promise<void> {
  try {
    const number = await keep(writer, stream, session);
    answer(null, `kept as number ${number}`);
  } catch (error) {
    answer(asReply(error));
  }
}

async function keep(writer: InboxWriter, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<number> {
  const chunks: Buffer[] = [envelopeOf(session)];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (stream.sizeExceeded) throw Object.assign(new Error('the mail is larger than 10 MB'), { responseCode: 552 });
  return writer.add(Buffer.concat(chunks));
}

/** What a delivering server notes of the envelope: RFC 5321 section 4.4, and the customary Delivered-To. */
function envelopeOf({ envelope }: SMTPServerSession): Buffer {
  const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
  const to = envelope.rcptTo.map(({ address }) => `Delivered-To: ${address}\r\n`).join('');
  return Buffer.from(`Return-Path: <${from}>\r\n${to}`);
}

/** A mail that could not be kept may be sent again: 452, unless the failure has its own code. */
function asReply(error: unknown): Error {
  const known = typeof error === 'object' && error !== null ? error : {};
  const message = 'message' in known ? String(known.message) : String(error);
  const code = 'responseCode' in known ? known.responseCode : 452;
  return Object.assign(new Error(`the mail could not be kept: ${message}`), { responseCode: code });
}
