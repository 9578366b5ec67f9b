import { type Part, partsOf } from '../../syntax.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

/** Gmail shows so much of a mail's HTML, in bytes; the rest is behind a link, and with it the way to unsubscribe. */
export const SHOWN_BYTES = 102 * 1024;

/** Bytes that every reader gets: of a block, the shorter way, and of a loop, none. */
function fixedBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => {
    if (part.type === 'ContentStatement') return sum + Buffer.byteLength(part.value);
    if (part.type === 'MustacheStatement') return sum;
    return sum + Math.min(fixedBytes(partsOf(part.program)), fixedBytes(partsOf(part.inverse)));
  }, 0);
}

function* find({ parts: { html } }: LintedMail): Generator<MailFinding> {
  const bytes = fixedBytes(html);
  if (bytes <= SHOWN_BYTES) return;
  const size = Math.round(bytes / 1024);
  const message = `this mail has ${size} KB of HTML for every reader: Gmail shows 102 KB and hides the rest`;
  yield { at: null, message, fix: 'shorten it, or say the rest on a page that it links to' };
}

/** Mails of which Gmail shows a part. */
export const clipped: MailRule = {
  code: 'clipped',
  level: 'warning',
  reason: 'What Gmail hides is not read, and the way to unsubscribe is mostly at the end.',
  find,
};
