import { startOf, VALUE, wordsIn } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

function* find({ page }: LintedMail): Generator<MailFinding> {
  for (const element of page.elements) {
    const at = startOf(element);
    if (element.name === 'img' && element.attribs['alt'] === undefined) {
      const message =
        'this image has no `alt`: whoever sees no images, or hears the mail, learns its file name at best';
      yield { at, message, fix: 'say in alt="…" what it shows; write alt="" if it only adorns' };
    }
    const hasImage = page.html.slice(at, element.endIndex ?? at).includes('<img');
    const isWordless = element.name === 'a' && hasImage && !wordsIn(element.children).includes(VALUE);
    if (isWordless && wordsIn(element.children).replaceAll('\u00a0', ' ').trim() === '') {
      const alts = element.children.some((child) => 'attribs' in child && child.attribs['alt'] === undefined);
      if (alts) continue;
      const message =
        'this link holds nothing but images without words: nobody who does not see them knows where it leads';
      yield { at, message, fix: 'say in the alt="…" of its image where it leads' };
    }
  }
}

/** Images that some readers get nothing from. */
export const missingAlt: MailRule = {
  code: 'missing-alt',
  level: 'warning',
  reason: 'Many programs show no images until they are asked to, and some readers see none.',
  find,
};
