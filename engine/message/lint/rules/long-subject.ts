import { placeOf } from '../../parse.ts';
import { type Part, partsOf } from '../../syntax.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

/** What inboxes on a large screen show beside sender and preheader; those of phones show about half. */
const SHOWN = 60;

const characters = new Intl.Segmenter();

/** In characters as people count them. */
function lengthOf(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : [...characters.segment(text)].length;
}

/** Characters that are there for everybody: of a block, the shorter way. */
function fixedLength(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => {
    if (part.type === 'ContentStatement') return sum + lengthOf(part.value);
    if (part.type === 'MustacheStatement') return sum;
    return sum + Math.min(fixedLength(partsOf(part.program)), fixedLength(partsOf(part.inverse)));
  }, 0);
}

function* find({ parts: { subject } }: LintedMail): Generator<MailFinding> {
  const length = fixedLength(subject);
  if (length <= SHOWN) return;
  const [first] = subject;
  const filled = subject.some(({ type }) => type !== 'ContentStatement') ? ', without what is filled in' : '';
  yield {
    at: first === undefined ? null : placeOf(first.loc),
    message: `the subject has ${length} characters${filled}: inboxes show ${SHOWN} or fewer`,
    fix: 'say the most important thing first, in fewer words; the preheader has room for the rest',
  };
}

/** Subjects that inboxes cut off. */
export const longSubject: MailRule = {
  code: 'long-subject',
  level: 'warning',
  reason: 'Inboxes cut long subjects off, and what comes last is not read.',
  find,
};
