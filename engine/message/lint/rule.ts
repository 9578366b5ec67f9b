/** What a rule about mails is, what it is given, and what it finds. */
import type { Problem } from '../../playbook/problem.ts';
import type { Place } from '../parse.ts';
import type { MailParts } from '../template.ts';
import type { MailPage } from './page.ts';

/** One mail, layout and partials in place. */
export interface LintedMail {
  readonly parts: MailParts;
  readonly page: MailPage;
}

/** Something that a rule found. */
export interface MailFinding {
  /** An offset in the HTML, or a place in a file; null for the mail as a whole. */
  readonly at: number | Place | null;
  readonly message: string;
  readonly fix: string;
  /** Where it is lighter or graver than the rule's own level. */
  readonly level?: Problem['level'];
}

/** One rule. */
export interface MailRule {
  /** Its name in messages, allowances and docs/linting.md. */
  readonly code: string;
  readonly level: Problem['level'];
  /** Why it is a rule, in one line. */
  readonly reason: string;
  find(mail: LintedMail): Iterable<MailFinding>;
}
