import type { MailRule } from './rule.ts';
import { clipped } from './rules/clipped.ts';
import { deadLink } from './rules/dead-link.ts';
import { insecureImage } from './rules/insecure-image.ts';
import { longSubject } from './rules/long-subject.ts';
import { lowContrast } from './rules/low-contrast.ts';
import { missingAlt } from './rules/missing-alt.ts';
import { unsupported } from './rules/unsupported.ts';

/** All rules about mails that can be allowed, in the order of docs/linting.md. */
export const MAIL_RULES: readonly MailRule[] = [
  longSubject,
  clipped,
  missingAlt,
  deadLink,
  insecureImage,
  unsupported,
  lowContrast,
];
