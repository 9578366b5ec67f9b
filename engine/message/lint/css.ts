/** Declarations of CSS, as far as a linter of mails asks: names and values with where they stand. */

/** One declaration. */
export interface Declaration {
  /** In lower case. */
  readonly property: string;
  readonly value: string;
  /** Where the name begins, in the text that was read. */
  readonly at: number;
}

/** What a style sheet holds outside of conditions: a client that lacks what is within `@media` falls back on the rest. */
export interface StyleSheet {
  readonly declarations: readonly Declaration[];
  readonly imports: readonly { readonly url: string; readonly at: number }[];
}

/** Declarations of a `style` attribute. @param from what is added to the places. */
export function declarationsOf(text: string, from = 0): readonly Declaration[] {
  const found: Declaration[] = [];
  let at = 0;
  for (const piece of pieces(blank(text))) {
    const match = /^\s*([\w-]+)\s*:\s*([\s\S]*)$/.exec(piece);
    const [, property = '', value = ''] = match ?? [];
    if (match !== null) {
      found.push({
        property: property.toLowerCase(),
        value: value.trim(),
        at: from + at + piece.length - piece.trimStart().length,
      });
    }
    at += piece.length + 1;
  }
  return found;
}

/** Comments as spaces, so that places stay. */
function blank(text: string): string {
  return !text.includes('/*')
    ? text
    : text.replaceAll(/\/\*[\s\S]*?(?:\*\/|$)/g, (comment) => ' '.repeat(comment.length));
}

/** The text between semicolons, but for those within brackets and quotes. */
function pieces(text: string): readonly string[] {
  if (!/["'(]/.test(text)) return text.split(';');
  const found: string[] = [];
  let [from, depth, quote] = [0, 0, ''];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (character === ';' && depth === 0) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...found, text.slice(from)];
}

/** Reads the text of a `style` element. @param from what is added to the places. */
export function readStyleSheet(text: string, from = 0): StyleSheet {
  const css = blank(text);
  const imports = [...css.matchAll(/@import\s+(?:url\()?\s*["']?([^"')\s;]+)/gi)].map((match) => ({
    url: match[1] ?? '',
    at: from + match.index,
  }));
  const declarations: Declaration[] = [];
  let at = 0;
  while (at < css.length) {
    const open = css.indexOf('{', at);
    if (open < 0) break;
    const close = closing(css, open);
    const isRule = !css
      .slice(at, open)
      .replace(/@(?:import|charset)[^;]*;/gi, '')
      .trim()
      .startsWith('@');
    if (isRule) declarations.push(...declarationsOf(css.slice(open + 1, close), from + open + 1));
    at = close + 1;
  }
  return { declarations, imports };
}

/** Where the block ends that opens there. */
function closing(css: string, open: number): number {
  let depth = 0;
  for (let at = open; at < css.length; at += 1) {
    if (css[at] === '{') depth += 1;
    else if (css[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return css.length;
}
