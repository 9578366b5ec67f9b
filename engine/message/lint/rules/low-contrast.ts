import { DomUtils } from 'htmlparser2';
import { type Colour, colourOf, contrast, hexOf } from '../colour.ts';
import { declarationsOf } from '../css.ts';
import { type Element, type MailPage, type Node, valueStart } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

/** WCAG 2.2, success criterion 1.4.3: at least so much, and for large text so much. */
const ENOUGH = 4.5;
const ENOUGH_LARGE = 3;
/** Large text, in CSS pixels: 18 points, or 14 points in bold. */
const LARGE_PX = 24;
const LARGE_BOLD_PX = 18.66;

/** A colour that inline styles or attributes say; `colour` is null where it is none that can be computed. */
interface Said {
  readonly colour: Colour | null;
  /** Where, and how deep within the mail. */
  readonly at: number;
  readonly depth: number;
}

/** What holds for the text at a place. Undefined: nothing was said. */
interface Look {
  readonly text: Said | undefined;
  readonly ground: Said | undefined;
  /** In CSS pixels. */
  readonly size: number;
  readonly bold: boolean;
  readonly depth: number;
}

/** What programs give headings unless told otherwise. */
const SIZES: Readonly<Record<string, number>> = { h1: 32, h2: 24, h3: 18.72, h4: 16, h5: 13.28, h6: 10.72 };
const BOLD: ReadonlySet<string> = new Set(['b', 'strong', 'th', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
/** Spaces, and the marks that keep a preheader apart from what follows. */
const UNSEEN_CHARACTERS = /\s|\p{Cf}|\u{34F}/gu;
const UNSEEN: ReadonlySet<string> = new Set(['head', 'style', 'script', 'title', 'template']);

function stylesOf(element: Element): ReadonlyMap<string, string> {
  const style = element.attribs['style'];
  return new Map(style === undefined ? [] : declarationsOf(style).map(({ property, value }) => [property, value]));
}

function isHidden(element: Element, styles: ReadonlyMap<string, string>): boolean {
  const is = (property: string, pattern: RegExp): boolean => pattern.test(styles.get(property) ?? '');
  return (
    UNSEEN.has(element.name) ||
    'hidden' in element.attribs ||
    is('display', /^none/) ||
    is('visibility', /^hidden/) ||
    is('max-height', /^0(?:px)?(?:\s|$)/) ||
    is('mso-hide', /^all/)
  );
}

/** A background that lets through what is behind it says nothing; one with an image cannot be computed. */
function groundOf(element: Element, styles: ReadonlyMap<string, string>): Colour | null | undefined {
  if (styles.has('background-image') || element.attribs['background'] !== undefined) return null;
  const said = styles.get('background-color') ?? styles.get('background') ?? element.attribs['bgcolor'];
  if (said === undefined || /^(?:transparent|none|inherit|initial|unset)\b/i.test(said)) return undefined;
  const whole = colourOf(said);
  return (
    whole ??
    said
      .split(/\s+/)
      .map(colourOf)
      .find((colour) => colour !== null) ??
    null
  );
}

function textOf(element: Element, styles: ReadonlyMap<string, string>): Colour | null | undefined {
  const said = styles.get('color') ?? (element.name === 'font' ? element.attribs['color'] : undefined);
  if (said !== undefined && !/^inherit/i.test(said)) return colourOf(said);
  // A link is blue unless told otherwise, and programs differ in which blue.
  return element.name === 'a' && said === undefined && element.attribs['href'] !== undefined ? null : undefined;
}

function sizeOf(element: Element, styles: ReadonlyMap<string, string>, outer: number): number {
  const said = styles.get('font-size');
  const [, number = '', unit = ''] = /^([\d.]+)(px|pt|em|%)?/.exec(said ?? '') ?? [];
  if (number === '') return SIZES[element.name] ?? outer;
  const factor = { px: 1, pt: 4 / 3, em: outer, '%': outer / 100 }[unit] ?? 1;
  return Number(number) * factor;
}

function isBold(element: Element, styles: ReadonlyMap<string, string>, outer: boolean): boolean {
  const said = styles.get('font-weight');
  if (said === undefined) return outer || BOLD.has(element.name);
  return said.startsWith('bold') || Number(said) >= 700;
}

function lookWithin(page: MailPage, element: Element, styles: ReadonlyMap<string, string>, outer: Look): Look {
  const depth = outer.depth + 1;
  const [text, ground] = [textOf(element, styles), groundOf(element, styles)];
  const at = (name: string): number => valueStart(page, element, name in element.attribs ? name : 'bgcolor');
  // Half-transparent text takes on the colour behind it.
  const isClear = /^(?:0?\.\d+|0|\d{1,2}%)$/.test(styles.get('opacity') ?? '');
  return {
    text: text === undefined ? outer.text : { colour: isClear ? null : text, at: at('style'), depth },
    ground: ground === undefined ? outer.ground : { colour: ground, at: at('style'), depth },
    size: sizeOf(element, styles, outer.size),
    bold: isBold(element, styles, outer.bold),
    depth,
  };
}

function* judge({ text, ground, size, bold }: Look): Generator<MailFinding> {
  // Containers are set so small that spaces between their parts take no room: what is in them has a size of its own.
  if (size === 0 || text === undefined || ground === undefined || text.colour === null || ground.colour === null)
    return;
  const isLarge = size >= LARGE_PX || (bold && size >= LARGE_BOLD_PX);
  const enough = isLarge ? ENOUGH_LARGE : ENOUGH;
  const ratio = contrast(text.colour, ground.colour);
  if (ratio >= enough) return;
  const shown = (Math.floor(ratio * 10) / 10).toFixed(1);
  yield {
    at: text.depth >= ground.depth ? text.at : ground.at,
    message: `text in ${hexOf(text.colour)} on ${hexOf(ground.colour)} has a contrast of ${shown} to 1: expected ${enough} or more`,
    fix: `make the ${isLight(text.colour, ground.colour) ? 'text lighter or the background darker' : 'text darker or the background lighter'}`,
  };
}

function isLight(text: Colour, ground: Colour): boolean {
  const white: Colour = [255, 255, 255];
  return contrast(text, white) < contrast(ground, white);
}

function* within(page: MailPage, nodes: readonly Node[], look: Look): Generator<MailFinding> {
  for (const node of nodes) {
    if (DomUtils.isText(node)) {
      if (node.data.replaceAll(UNSEEN_CHARACTERS, '') !== '') yield* judge(look);
    } else if ('attribs' in node) {
      const styles = stylesOf(node);
      if (!isHidden(node, styles)) yield* within(page, node.children, lookWithin(page, node, styles, look));
    }
  }
}

function* find({ page }: LintedMail): Generator<MailFinding> {
  yield* within(page, page.document.children, { text: undefined, ground: undefined, size: 16, bold: false, depth: 0 });
}

/** Text that is hard to read. */
export const lowContrast: MailRule = {
  code: 'low-contrast',
  level: 'warning',
  reason: 'Text that barely differs from its background is lost on many readers, and in sunlight on all.',
  find,
};
