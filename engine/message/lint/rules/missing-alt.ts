import { type Element, type Node, startOf, wordsIn } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

function imagesIn(nodes: readonly Node[]): readonly Element[] {
  return nodes.flatMap((node) => {
    if (!('attribs' in node)) return [];
    return node.name === 'img' ? [node] : imagesIn(node.children);
  });
}

function isWithoutAlt({ attribs }: Element): boolean {
  return attribs['alt'] === undefined;
}

/** A link of images whose descriptions are all empty. */
function isWordless(element: Element): boolean {
  if (element.name !== 'a' || wordsIn(element.children).trim() !== '') return false;
  const images = imagesIn(element.children);
  return images.length > 0 && !images.some(isWithoutAlt);
}

function* find({ page }: LintedMail): Generator<MailFinding> {
  for (const element of page.elements) {
    if (element.name === 'img' && isWithoutAlt(element)) {
      const message =
        'this image has no `alt`: whoever sees no images, or hears the mail, learns its file name at best';
      yield { at: startOf(element), message, fix: 'say in alt="…" what it shows; write alt="" if it only adorns' };
    }
    if (isWordless(element)) {
      const message =
        'this link holds nothing but images without words: nobody who does not see them knows where it leads';
      yield { at: startOf(element), message, fix: 'say in the alt="…" of its image where it leads' };
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
