/** Where in HTML a text ends: all that is needed to know what a value that is printed there becomes part of. */

/** What a printed value is to the reading of HTML: neither blank, quote nor bracket. */
export const VALUE = '\ufffc';

/** A place in HTML. */
export interface HtmlState {
  readonly at: 'text' | 'comment' | 'raw' | 'tag' | 'name' | 'equals' | 'value';
  /** The tag, in small letters; `/` before that of one that closes. */
  readonly tag: string;
  /** The attribute, in small letters. */
  readonly attribute: string;
  readonly quote: '"' | "'" | '';
  /** The value as far as it was read, its end where it is long; of `name`, the name so far. */
  readonly read: string;
}

/** The beginning of a page. */
export const IN_TEXT: HtmlState = { at: 'text', tag: '', attribute: '', quote: '', read: '' };

/** Longer beginnings of a value tell nothing more. */
const KEPT = 120;
const RAW = new Set(['style', 'script']);

/** The state after more of the page. Conditional comments count as what they hold, since Outlook reads it. */
export function readHtml(from: HtmlState, html: string): HtmlState {
  let state = from;
  let index = 0;
  while (index < html.length) {
    const step = STEPS[state.at](state, html, index);
    state = step.state;
    index = step.index;
  }
  return state;
}

interface Step {
  readonly state: HtmlState;
  readonly index: number;
}

type Read = (state: HtmlState, html: string, index: number) => Step;

const STEPS: Readonly<Record<HtmlState['at'], Read>> = {
  text: (state, html, index) => {
    const open = html.indexOf('<', index);
    if (open < 0) return { state, index: html.length };
    // An empty comment is how Outlook's conditional comments begin what all others are to read.
    if (html.startsWith('<!-->', open)) return { state, index: open + 5 };
    const comment = /^<!--(?!\[if)/.test(html.slice(open, open + 8));
    if (comment) return { state: { ...IN_TEXT, at: 'comment' }, index: open + 4 };
    const tag = /^<(\/?[a-z!][^\s/>]*)/i.exec(html.slice(open, open + 80));
    if (tag === null) return { state, index: open + 1 };
    return { state: { ...IN_TEXT, at: 'tag', tag: (tag[1] ?? '').toLowerCase() }, index: open + tag[0].length };
  },
  comment: (state, html, index) => {
    const end = html.indexOf('-->', index);
    return end < 0 ? { state, index: html.length } : { state: IN_TEXT, index: end + 3 };
  },
  raw: (state, html, index) => {
    const end = html.toLowerCase().indexOf(`</${state.tag}`, index);
    return end < 0 ? { state, index: html.length } : { state: IN_TEXT, index: end };
  },
  tag: (state, html, index) => {
    const character = html[index] ?? '';
    if (character === '>') {
      return { state: RAW.has(state.tag) ? { ...IN_TEXT, at: 'raw', tag: state.tag } : IN_TEXT, index: index + 1 };
    }
    if (character === '=' && state.attribute !== '') return { state: { ...state, at: 'equals' }, index: index + 1 };
    if (/[\s/]/.test(character)) return { state, index: index + 1 };
    return { state: { ...state, at: 'name', attribute: '', read: '' }, index };
  },
  name: (state, html, index) => {
    const name = /^[^\s/>=]*/.exec(html.slice(index))?.[0] ?? '';
    const read = state.read + name.toLowerCase();
    if (index + name.length === html.length) return { state: { ...state, read }, index: html.length };
    return { state: { ...state, at: 'tag', attribute: read, read: '' }, index: index + name.length };
  },
  equals: (state, html, index) => {
    const character = html[index] ?? '';
    if (/\s/.test(character)) return { state, index: index + 1 };
    if (character === '"' || character === "'") {
      return { state: { ...state, at: 'value', quote: character, read: '' }, index: index + 1 };
    }
    return { state: { ...state, at: 'value', quote: '', read: '' }, index };
  },
  value: (state, html, index) => {
    const rest = html.slice(index);
    const length = state.quote === '' ? rest.search(/[\s>]/) : rest.indexOf(state.quote);
    const piece = length < 0 ? rest : rest.slice(0, length);
    if (length < 0) return { state: { ...state, read: (state.read + piece).slice(-KEPT) }, index: html.length };
    const after = index + length + (state.quote === '' ? 0 : 1);
    return { state: { ...state, at: 'tag', attribute: '', quote: '', read: '' }, index: after };
  },
};
