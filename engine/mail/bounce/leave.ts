/** A mail by which somebody unsubscribes: written by a mail program to the `mailto:` of `List-Unsubscribe` (RFC 2369 section 3.2). */
import { takeApart } from './mime.ts';

/** As the link in `List-Unsubscribe` asks for; an answer to such a mail is none. */
const SUBJECT = /^\s*unsubscribe\s+([\w-]{30,60})\s*$/i;

/** The token in the subject of such a mail, as it was received; null for any other mail. */
export async function readLeave(raw: Uint8Array): Promise<string | null> {
  const parts = await takeApart(raw);
  return SUBJECT.exec(parts?.headers.get('subject') ?? '')?.[1] ?? null;
}
