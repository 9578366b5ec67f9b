import { LACKED_BY } from '../clients.ts';
import { type Declaration, declarationsOf, readStyleSheet } from '../css.ts';
import {
  ATTRIBUTES,
  ELEMENTS,
  type Feature,
  FETCHED_STYLES,
  FUNCTIONS,
  IMAGES,
  PROPERTIES,
  UNITS,
  VALUES,
} from '../features.ts';
import { type Element, type MailPage, startOf, valueStart } from '../page.ts';
import type { LintedMail, MailFinding, MailRule } from '../rule.ts';

/** Values that say what is so anyway. */
const HARMLESS = /^(?:position:(?:static|relative)|visibility:visible|transform:none|writing-mode:horizontal-tb)$/;

interface Used {
  readonly what: string;
  readonly feature: Feature;
  readonly at: number;
}

function* inDeclaration({ property, value, at }: Declaration): Generator<Used> {
  const pair = `${property}:${value.toLowerCase().replace(/\s*!important$/, '')}`;
  const ofValue = VALUES.get(pair);
  if (ofValue !== undefined) yield { what: pair.replace(':', ': '), feature: ofValue, at };
  const ofName = HARMLESS.test(pair) ? undefined : PROPERTIES.get(property);
  if (ofName !== undefined) yield { what: property, feature: ofName, at };
  // Most values hold neither a function nor such a unit, and a large company has a million of them.
  if (!/\(|rem|vm/i.test(value)) return;
  const said = value.replaceAll(/"[^"]*"|'[^']*'|url\([^)]*\)?/gi, '');
  for (const [, name = ''] of said.matchAll(/(?<![\w-])([a-z-]+)\(/gi)) {
    const feature = FUNCTIONS.get(name.toLowerCase());
    if (feature !== undefined) yield { what: `${name}()`, feature, at };
  }
  for (const [, unit = ''] of said.matchAll(/(?<![\w#.-])[\d.]+([a-z]+)\b/gi)) {
    const feature = UNITS.get(unit.toLowerCase());
    if (feature !== undefined) yield { what: `the unit ${unit}`, feature, at };
  }
}

function* inStyleSheet(element: Element): Generator<Used> {
  for (const child of element.children) {
    if (!('data' in child)) continue;
    const { declarations, imports } = readStyleSheet(child.data, startOf(child));
    for (const declaration of declarations) yield* inDeclaration(declaration);
    // A font that is not fetched is replaced, and the mail is read all the same.
    for (const { url, at } of imports) {
      if (!/font/i.test(url)) yield { what: '@import', feature: FETCHED_STYLES.import, at };
    }
  }
}

function* inElement(page: MailPage, element: Element): Generator<Used> {
  const { name, attribs } = element;
  const at = startOf(element);
  const ofElement = ELEMENTS.get(name);
  if (ofElement !== undefined) yield { what: `<${name}>`, feature: ofElement, at };
  for (const attribute of Object.keys(attribs)) {
    const feature = ATTRIBUTES.get(attribute);
    if (feature !== undefined) yield { what: attribute, feature, at };
  }
  if (name === 'link' && /stylesheet/i.test(attribs['rel'] ?? '') && !/font/i.test(attribs['href'] ?? '')) {
    yield { what: '<link>', feature: FETCHED_STYLES.link, at };
  }
  if (name === 'style') yield* inStyleSheet(element);
  const style = attribs['style'];
  if (style !== undefined) {
    const from = valueStart(page, element, 'style');
    for (const declaration of declarationsOf(style, from)) yield* inDeclaration(declaration);
  }
  const src = name === 'img' ? (attribs['src'] ?? '').trim().toLowerCase() : '';
  const kind = src.startsWith('data:') ? 'data:' : (/\.([a-z]+)(?:[?#]|$)/.exec(src)?.[1] ?? '');
  const ofImage = IMAGES.get(kind);
  if (ofImage !== undefined) {
    const what = kind === 'data:' ? 'an image within the HTML' : `an image as ${kind}`;
    yield { what, feature: ofImage, at: valueStart(page, element, 'src') };
  }
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** No mail program runs scripts, so no table is asked. */
function* scriptsIn({ name, attribs }: Element): Generator<string> {
  if (name === 'script') yield '<script>';
  yield* Object.keys(attribs).filter((attribute) => /^on[a-z]+$/.test(attribute));
}

function* find({ page }: LintedMail): Generator<MailFinding> {
  const told = new Set<string>();
  for (const element of page.elements) {
    for (const what of scriptsIn(element)) {
      const message = `${what} runs in no mail program: it is taken out, and filters distrust mail that has it`;
      yield { at: startOf(element), message, fix: 'take it out, and link to a page for what it should do' };
    }
    for (const { what, feature, at } of inElement(page, element)) {
      const by = LACKED_BY[feature.slug] ?? [];
      // Several declarations of one thing have one remedy.
      const key = `${feature.slug} ${startOf(element)}`;
      if (by.length === 0 || told.has(key)) continue;
      told.add(key);
      const isGrave = by.length > 1 || by.some((name) => name.startsWith('Gmail'));
      yield {
        at,
        message: `${what} is unknown to ${listed(by)}: ${feature.instead}`,
        fix: `do without it, or allow it if the mail reads well there; see caniemail.com/features/${feature.slug}`,
        ...(isGrave ? {} : { level: 'hint' as const }),
      };
    }
  }
}

/** What large mail programs do not know. */
export const unsupported: MailRule = {
  code: 'unsupported',
  level: 'warning',
  reason: 'Mail programs know less than browsers, and readers of some would miss content or see it in disorder.',
  find,
};
