/**
 * A mailbox on an IMAP server (RFC 9051) as a place from which each mail is taken once.
 *
 * 1. What was taken is moved to `Perennial/Done`, one mail at a time and after it is on record, so that a crash between the two only
 *    has it read again.
 * 2. What is not for us stays where it is, and is not looked at again: a keyword of ours marks it, or on a server without keywords
 *    this process remembers it.
 */
import type { FetchMessageObject, ImapFlow, ImapFlowError } from 'imapflow';
import { MailError } from '../url.ts';
import type { ImapPlace } from './imap-url.ts';

/** Where mails go that were taken. */
export const DONE: readonly string[] = ['Perennial', 'Done'];
/** Marks mails that stay. */
export const LEFT_KEYWORD = '$PerennialLeft';
/** A report holds a returned mail and little more; what is larger is none. */
export const MAX_MAIL_BYTES = 10 * 1024 * 1024;

/** A silent server must not keep a process from ending. */
const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000 };

/** An open mailbox. What fails rejects with a MailError `unreachable`. */
export interface ImapMailbox {
  /** Numbers (UID) of the mails to be read, ascending. */
  waiting(): Promise<readonly number[]>;
  /** A mail as it was received. */
  read(uid: number): Promise<Uint8Array | 'too large' | 'gone'>;
  /** Moves a mail to `Perennial/Done`, which is made when it is missing; one that is gone is no error. */
  done(uid: number): Promise<void>;
  /** Leaves a mail where it is, not to be read again. */
  leave(uid: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Logs in and opens the mailbox. `remembered` holds what stays on servers without keywords: the same set for all connections of a
 * process. @throws {MailError} `unreachable`, with what to look at; it never holds the password.
 */
export async function openImapMailbox(place: ImapPlace, remembered: Set<string>): Promise<ImapMailbox> {
  const { host, port, secure, startTls, credentials, mailbox: name } = place;
  const { ImapFlow: Client } = await import('imapflow');
  const client = new Client({
    host,
    port,
    secure,
    auth: credentials,
    logger: false,
    disableAutoIdle: true,
    ...TIMEOUTS,
    ...(secure || startTls === 'offered' ? {} : { doSTARTTLS: true }),
  });
  // What goes wrong rejects the command under way, or the next one.
  client.on('error', () => undefined);
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new MailError('unreachable', `the mailbox on ${host}:${port}: ${reasonOf(error, place)}`, { cause: error });
    }
  };
  try {
    const opened = await asked(async () => {
      await client.connect();
      return client.mailboxOpen(name);
    });
    const keyOf = (uid: number): string => `${opened.uidValidity} ${uid}`;
    const keepsKeywords = opened.permanentFlags === undefined || opened.permanentFlags.has('\\*');
    return mailboxOf(client, { asked, keyOf, keepsKeywords, remembered });
  } catch (error) {
    client.close();
    throw error;
  }
}

interface Session {
  readonly asked: <T>(work: () => Promise<T>) => Promise<T>;
  readonly keyOf: (uid: number) => string;
  readonly keepsKeywords: boolean;
  readonly remembered: Set<string>;
}

function mailboxOf(client: ImapFlow, { asked, keyOf, keepsKeywords, remembered }: Session): ImapMailbox {
  const uid = { uid: true };
  let isThere = false;
  return {
    waiting: async () => {
      const found = await asked(async () => client.search({ deleted: false, unKeyword: LEFT_KEYWORD }, uid));
      const uids = Array.isArray(found) ? found : [];
      return uids.filter((number) => !remembered.has(keyOf(number))).sort((a, b) => a - b);
    },
    read: async (number) =>
      asked(async () => {
        const known = await fetchOne(client, number, { size: true });
        if (known === null) return 'gone';
        if ((known.size ?? 0) > MAX_MAIL_BYTES) return 'too large';
        return (await fetchOne(client, number, { source: true }))?.source ?? 'gone';
      }),
    done: async (number) =>
      asked(async () => {
        if (!isThere) await client.mailboxCreate([...DONE]);
        isThere = true;
        const moved = await client.messageMove(String(number), [...DONE], uid);
        if (moved === false && (await fetchOne(client, number, { size: true })) !== null) {
          throw new Error(`the server does not move mails to ${DONE.join('/')}`);
        }
      }),
    leave: async (number) => {
      // Marked in vain (a mailbox that may only be read), it must not be read again and again either.
      remembered.add(keyOf(number));
      if (keepsKeywords) await asked(async () => client.messageFlagsAdd(String(number), [LEFT_KEYWORD], uid));
    },
    close: async () => {
      try {
        await client.logout();
      } catch {
        // All is done; a server that does not say goodbye is left.
        client.close();
      }
    },
  };
}

async function fetchOne(
  client: ImapFlow,
  uid: number,
  what: { readonly size?: true; readonly source?: true },
): Promise<FetchMessageObject | null> {
  const found = await client.fetchOne(String(uid), { uid: true, ...what }, { uid: true });
  return found === false ? null : found;
}

function reasonOf(error: unknown, { mailbox, startTls, secure }: ImapPlace): string {
  const { authenticationFailed, mailboxMissing, tlsFailed, responseText, message, code } = error as ImapFlowError;
  if (authenticationFailed === true) return 'it refuses the user or the password';
  if (mailboxMissing === true) return `it has no mailbox "${mailbox}"`;
  if (!secure && startTls === 'required' && (tlsFailed === true || /STARTTLS/i.test(message))) {
    return 'it offers no TLS that can be used (STARTTLS), and nothing is read in clear; use imaps://, or mend its certificate';
  }
  const words = responseText ?? message;
  return code === undefined || words.includes(code) ? words : `${words} (${code})`;
}
