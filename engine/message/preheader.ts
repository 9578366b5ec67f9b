/** The preheader of a mail whose layout does not place it. */
import { type Part, content } from './syntax.ts';

const HIDDEN = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all" aria-hidden="true">';
const BODY_TAG = /<body\b[^>]*>/i;

/** Puts the preheader, hidden, at the head of the HTML body, or of the whole where no body tag stands outside a block. */
export function withPreheader(
  html: readonly Part[],
  preheader: readonly Part[],
  loc: hbs.AST.SourceLocation,
): readonly Part[] {
  const hidden: readonly Part[] = [content(HIDDEN, loc), ...preheader, content('</div>', loc)];
  for (const [index, statement] of html.entries()) {
    const match = statement.type === 'ContentStatement' ? BODY_TAG.exec(statement.value) : null;
    if (match === null || statement.type !== 'ContentStatement') continue;
    const end = match.index + match[0].length;
    const { value } = statement;
    return [
      ...html.slice(0, index),
      content(value.slice(0, end), loc),
      ...hidden,
      content(value.slice(end), loc),
      ...html.slice(index + 1),
    ];
  }
  return [...hidden, ...html];
}
