/**
 * Links that tell of clicks, and a pixel that tells of openings, in a mail that is rendered. docs/playbooks.md, `mail.tracking`.
 *
 * 1. Only web addresses of links change. `mailto:`, `tel:`, places within the mail, and our own pages (unsubscribing,
 *    preferences, answers) stay as they are, and so does a link with `data-track="no"`.
 * 2. HTML and text lead to the same places. A text written by hand may lead to more: those are links as well.
 */
import type { SigningKey } from './link-token.ts';
import type { Rendered } from './scope.ts';
import { CLICK_PATH, MAX_URL_BYTES, OPEN_PATH, signClick, signOpen } from './track-token.ts';

/** What is recorded. */
export interface Tracking {
  readonly clicks: boolean;
  readonly opens: boolean;
}

/** Where tokens are followed, and under which key they are signed. */
export interface TrackingPlace {
  /** Without a slash at its end, e.g. `https://mail.hearth.example`. */
  readonly publicUrl: string;
  readonly key: SigningKey;
}

/** Links to leave alone, besides those of our own pages. */
type Untouched = ReadonlySet<string>;

/** A start tag of a link, quoted values whole: a `>` within quotes does not end it. */
const LINK_TAG = /<(?:a|area)\b(?:[^>"']|"[^"]*"|'[^']*')*>/gi;
const HREF = /(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;
const UNTRACKED = /\sdata-track\s*=\s*["']?no\b/i;
const WEB = /^https?:\/\//i;
/** A web address in plain text; what closes a bracket or a sentence is not part of it. */
const URL_IN_TEXT = /https?:\/\/[^\s<>"]+/gi;

/** The mail with its links and its pixel; the same mail where nothing is recorded. `untouched` are addresses to leave alone. */
export function trackMail(
  mail: Pick<Rendered, 'html' | 'text'> & Partial<Pick<Rendered, 'isTextByHand'>>,
  sendId: number,
  { clicks, opens }: Tracking,
  place: TrackingPlace,
  untouched: readonly string[] = [],
): Pick<Rendered, 'html' | 'text'> {
  let { html, text } = mail;
  if (clicks) {
    const links: Links = {
      sendId,
      place,
      untouched: new Set(untouched),
      untouchedInText: new Set(),
      tracked: new Map(),
    };
    html = html.replace(LINK_TAG, (tag) => trackTag(tag, links));
    text = text.replace(URL_IN_TEXT, (url) => trackInText(url, links, mail.isTextByHand === true));
  }
  return { html: opens ? withPixel(html, sendId, place) : html, text };
}

/** The links of one mail. */
interface Links {
  readonly sendId: number;
  readonly place: TrackingPlace;
  readonly untouched: Untouched;
  /** Addresses of links with `data-track="no"`. */
  readonly untouchedInText: Set<string>;
  /** By address, what leads there. */
  readonly tracked: Map<string, string>;
}

function trackTag(tag: string, links: Links): string {
  const isUntracked = UNTRACKED.test(tag);
  return tag.replace(HREF, (whole, before: string, ...values: (string | undefined)[]) => {
    const url = decoded(values.slice(0, 3).find((value) => value !== undefined) ?? '').trim();
    if (isUntracked) links.untouchedInText.add(url);
    const link = isUntracked ? null : trackUrl(url, links);
    return link === null ? whole : `${before}"${link}"`;
  });
}

/** What leads to an address and tells of it; null for one to leave alone. */
function trackUrl(url: string, { sendId, place, untouched, tracked }: Links): string | null {
  if (!isTracked(url, place, untouched)) return null;
  const link = tracked.get(url) ?? `${place.publicUrl}${CLICK_PATH}${signClick(sendId, url, place.key)}`;
  tracked.set(url, link);
  return link;
}

function isTracked(url: string, { publicUrl }: TrackingPlace, untouched: Untouched): boolean {
  if (!WEB.test(url) || untouched.has(url) || url.startsWith(`${publicUrl}/`)) return false;
  return URL.canParse(url) && Buffer.byteLength(url) <= MAX_URL_BYTES;
}

/** The text shows addresses of the HTML's links, and by hand other ones, perhaps with the end of a sentence after them. */
function trackInText(found: string, links: Links, isByHand: boolean): string {
  const { tracked, untouchedInText } = links;
  const [, bare = found, end = ''] = /^(.*?)([.,;:!?)\]'*]*)$/s.exec(found) ?? [];
  const known = tracked.get(found);
  if (known !== undefined) return known;
  const isOther = isByHand && !untouchedInText.has(found) && !untouchedInText.has(bare);
  const link = tracked.get(bare) ?? (isOther ? trackUrl(bare, links) : null);
  return link === null ? found : `${link}${end}`;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** As a browser reads an attribute that Handlebars or a person wrote. */
function decoded(value: string): string {
  return value.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, ...found: unknown[]) => {
    const [decimal, hex, name] = found as (string | undefined)[];
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** At the end, so that nothing waits for it; a picture without a text that anybody reads out. */
function withPixel(html: string, sendId: number, { publicUrl, key }: TrackingPlace): string {
  const url = `${publicUrl}${OPEN_PATH}${signOpen(sendId, key)}`;
  const pixel = `<img src="${url}" width="1" height="1" alt="" style="border:0" />`;
  const end = html.toLowerCase().lastIndexOf('</body>');
  return end === -1 ? html + pixel : html.slice(0, end) + pixel + html.slice(end);
}
