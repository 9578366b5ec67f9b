/** The preheader of a mail whose layout does not place it. */
import { type HtmlState, IN_TEXT, VALUE, readHtml } from './html-state.ts';
import { type Part, content } from './syntax.ts';

/**
 * Not by `display:none`: filters count that against mail that names no list (SpamAssassin's STY_INVIS_DIRECT, a whole point), and
 * transactional mail names none.
 */
const HIDDEN =
  '<div style="max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all" aria-hidden="true">';
const BODY_TAG = /<body(?=[\s>/])/i;

/** Puts the preheader, hidden, at the head of the HTML body, or of the whole where no body tag stands outside a block. */
export function withPreheader(
  html: readonly Part[],
  preheader: readonly Part[],
  loc: hbs.AST.SourceLocation,
): readonly Part[] {
  const hidden: readonly Part[] = [content(HIDDEN, loc), ...preheader, content('</div>', loc)];
  const end = endOfBodyTag(html);
  const statement = end === null ? undefined : html[end.index];
  if (end === null || statement?.type !== 'ContentStatement') return [...hidden, ...html];
  const { value } = statement;
  return [
    ...html.slice(0, end.index),
    content(value.slice(0, end.offset), loc),
    ...hidden,
    content(value.slice(end.offset), loc),
    ...html.slice(end.index + 1),
  ];
}

/** Where the body's tag ends: it may hold values, such as a colour. */
function endOfBodyTag(html: readonly Part[]): { readonly index: number; readonly offset: number } | null {
  let state: HtmlState | null = null;
  for (const [index, statement] of html.entries()) {
    if (statement.type !== 'ContentStatement') {
      if (state !== null) state = readHtml(state, VALUE);
      continue;
    }
    const { value } = statement;
    const start = state === null ? value.search(BODY_TAG) : 0;
    if (start < 0) continue;
    for (let close = value.indexOf('>', start); close >= 0; close = value.indexOf('>', close + 1)) {
      const before = readHtml(state ?? IN_TEXT, value.slice(start, close));
      if (before.at !== 'value' || before.quote === '') return { index, offset: close + 1 };
    }
    state = readHtml(state ?? IN_TEXT, value.slice(start));
  }
  return null;
}
