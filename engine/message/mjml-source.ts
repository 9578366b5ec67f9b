/**
 * An MJML document whose Handlebars are marks, made ready for MJML. Between components MJML keeps nothing but components,
 * so a mark there goes into an `mj-raw`; where even that would not stay in its place, it is a mistake.
 */
import { nearest } from '../playbook/nearest.ts';
import { MARKS } from './marks.ts';

/** Components whose content MJML takes as it is. */
export const ENDING_TAGS: ReadonlySet<string> = new Set(
  (
    'mj-breakpoint mj-preview mj-style mj-title mj-button mj-raw mj-text mj-table mj-social-element mj-navbar-link ' +
    'mj-accordion-text mj-accordion-title mj-carousel-image'
  ).split(' '),
);
const OTHER_TAGS =
  'mjml mj-head mj-body mj-section mj-column mj-group mj-wrapper mj-hero mj-image mj-divider mj-spacer mj-social mj-navbar ' +
  'mj-accordion mj-accordion-element mj-carousel mj-attributes mj-all mj-class mj-font mj-html-attributes mj-html-attribute mj-selector';

/** All names of components. */
export const TAGS: readonly string[] = [...ENDING_TAGS, ...OTHER_TAGS.split(' ')];

/** A mistake in the text, at an offset. */
export interface SourceMistake {
  readonly at: number;
  readonly message: string;
  readonly fix: string;
}

interface Scan {
  readonly text: string;
  readonly open: { readonly name: string; readonly at: number }[];
  readonly mistakes: SourceMistake[];
  out: string;
}

const TOKEN = new RegExp(
  [
    '<!--[\\s\\S]*?(?:-->|$)',
    '<!\\[CDATA\\[[\\s\\S]*?(?:\\]\\]>|$)',
    '<(?<end>/?)(?<name>[a-zA-Z][\\w:-]*)(?<attributes>(?:"[^"]*"|\'[^\']*\'|[^>"\'])*)>',
    `(?<mark>${MARKS.open}\\d+${MARKS.close})`,
    '(?<blank>\\s+)',
    `(?<words>[^<${MARKS.open}]+|[<${MARKS.open}])`,
  ].join('|'),
  'y',
);
const MARK = new RegExp(`${MARKS.open}\\d+${MARKS.close}`);

/** The document for MJML, and what is wrong with it that MJML itself would pass over in silence. */
export function prepareMjml(text: string): { readonly text: string; readonly mistakes: readonly SourceMistake[] } {
  const scan: Scan = { text, open: [], mistakes: [], out: '' };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const { mark, words, name } = match.groups ?? {};
    if (mark !== undefined) takeMark(scan, mark, match.index);
    else if (name !== undefined) TOKEN.lastIndex = takeTag(scan, match, name);
    else if (words !== undefined) takeWords(scan, words, match.index);
    else scan.out += match[0];
  }
  for (const { name, at } of scan.open) {
    scan.mistakes.push({ at, message: `<${name}> is not closed`, fix: `write </${name}> where it ends` });
  }
  return { text: scan.out, mistakes: scan.mistakes };
}

function takeMark(scan: Scan, mark: string, at: number): void {
  if (scan.open.some(({ name }) => name === 'mj-body')) {
    scan.out += `<mj-raw>${mark}</mj-raw>`;
    return;
  }
  const message = 'Handlebars stands between parts of the head, where MJML would lose it';
  scan.mistakes.push({ at, message, fix: 'put it into mj-body, or within an mj-style, mj-title or mj-raw' });
}

function takeWords(scan: Scan, words: string, at: number): void {
  scan.out += words;
  const shown = words.trim().slice(0, 30);
  const message = `the text "${shown}" stands between components, where MJML would lose it`;
  scan.mistakes.push({ at, message, fix: 'put it into an mj-text' });
}

/** Takes a tag, with all that it holds where MJML does not look into it; gives where to go on. */
function takeTag(scan: Scan, match: RegExpExecArray, name: string): number {
  const { end = '', attributes = '' } = match.groups ?? {};
  const { index: at } = match;
  let [taken] = match;
  if (MARK.test(attributes.replaceAll(/"[^"]*"|'[^']*'/g, ''))) {
    const message = 'Handlebars may stand within the value of an attribute, not around attributes';
    scan.mistakes.push({ at, message, fix: 'put the {{#if}} inside the quotes, or around the component' });
  }
  if (name === 'mj-include') {
    const message = 'mj-include reads other files, and a mail is made of templates/ alone';
    scan.mistakes.push({ at, message, fix: 'make it a partial in templates/partials/, and write {{> name}}' });
  } else if (name.startsWith('mj') && !TAGS.includes(name)) {
    const near = nearest(name, TAGS);
    const fix = near === null ? 'see https://documentation.mjml.io' : `did you mean ${near}?`;
    scan.mistakes.push({ at, message: `MJML has no component ${name}`, fix });
  }
  if (end === '' && !attributes.endsWith('/')) {
    const closing = ENDING_TAGS.has(name) ? scan.text.indexOf(`</${name}`, at) : -1;
    if (closing >= 0) {
      const after = scan.text.indexOf('>', closing);
      taken = scan.text.slice(at, after < 0 ? undefined : after + 1);
    } else scan.open.push({ name, at });
  } else if (end !== '') close(scan, name, at);
  scan.out += taken;
  return at + taken.length;
}

function close(scan: Scan, name: string, at: number): void {
  const innermost = scan.open.at(-1);
  if (innermost?.name === name) {
    scan.open.pop();
    return;
  }
  const isOpen = scan.open.some((one) => one.name === name);
  const message = isOpen ? `</${name}> comes before <${innermost?.name ?? ''}> is closed` : `</${name}> closes nothing`;
  const fix = isOpen ? `write </${innermost?.name ?? ''}> before it` : 'take it away';
  scan.mistakes.push({ at, message, fix });
  if (isOpen) scan.open.length = scan.open.findLastIndex((one) => one.name === name);
}
