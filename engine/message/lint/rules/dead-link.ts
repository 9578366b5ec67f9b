import { type Element, startOf, VALUE, valueStart } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

const LOCAL = /^https?:\/\/(?:localhost|127\.|0\.0\.0\.0|\[::1\]|[^/]*\.local(?:[:/]|$))/i;
const WHOLE = 'write the whole address: https://…';

type Said = Pick<MailFinding, 'message' | 'fix'>;

/** What is wrong with an address that begins as it is written; null for one that may lead somewhere. */
function wrongWith(address: string): Said | null {
  if (address.startsWith(VALUE)) return null;
  if (LOCAL.test(address)) return { message: `${address} is on the reader's own machine`, fix: WHOLE };
  if (/^(?:file|about|cid):/i.test(address)) {
    const scheme = address.slice(0, address.indexOf(':') + 1);
    return { message: `${scheme} leads nowhere: a mail brings no files along`, fix: WHOLE };
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(address)) return null;
  const shown = address.replaceAll(VALUE, '…');
  const message = `"${shown}" has no beginning: a mail stands on no site, so there is nothing that it could be relative to`;
  return { message, fix: `${WHOLE}, or {{link company.website "/…"}}` };
}

function ofLink(element: Element, names: ReadonlySet<string>): Said | null {
  const href = element.attribs['href']?.trim();
  if (href === undefined || href.startsWith(VALUE)) return null;
  if (href === '' || href === '#') return { message: 'this link leads nowhere', fix: `${WHOLE}, or take the link out` };
  const [, scheme] = /^(javascript|vbscript|data):/i.exec(href) ?? [];
  if (scheme !== undefined) {
    const message = `${scheme.toLowerCase()}: leads nowhere from a mail: mail programs take such a link out`;
    return { message, fix: `${WHOLE}, or take the link out` };
  }
  if (!href.startsWith('#')) return wrongWith(href);
  const name = href.slice(1);
  if (name.includes(VALUE) || names.has(name)) return null;
  return {
    message: `nothing in this mail has the id "${name}"`,
    fix: `give the place id="${name}", or correct the link`,
  };
}

function* find({ page }: LintedMail): Generator<MailFinding> {
  const names = new Set(page.elements.flatMap(({ attribs }) => [attribs['id'] ?? '', attribs['name'] ?? '']));
  for (const element of page.elements) {
    const isLink = element.name === 'a' || element.name === 'area';
    const said = isLink ? ofLink(element, names) : null;
    if (said !== null) yield { at: valueStart(page, element, 'href'), ...said };
    const src = element.name === 'img' ? element.attribs['src']?.trim() : undefined;
    if (src === undefined) continue;
    const wrong = src === '' ? { message: 'this image has no address', fix: WHOLE } : wrongWith(src);
    if (wrong !== null) yield { at: src === '' ? startOf(element) : valueStart(page, element, 'src'), ...wrong };
  }
}

/** Links and images that lead nowhere from where a mail is read. */
export const deadLink: MailRule = {
  code: 'dead-link',
  level: 'warning',
  reason: 'A reader who presses a link that leads nowhere does not come back.',
  find,
};
