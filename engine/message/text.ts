/**
 * Plain text made from HTML. Converting every mail takes milliseconds, so a template's tree is converted once: its
 * expressions and blocks stand in the HTML as marks, which come out of the conversion in their places.
 * Where a block does not survive that (it begins in what text leaves out), each mail's HTML is converted instead.
 */
import { type FormatCallback, type HtmlToTextOptions, compile } from 'html-to-text';
import { NEED } from './helpers.ts';
import { type Mark, markOf, markParts, rebuild } from './marks.ts';
import { type Expression, type Part, text as textLiteral } from './syntax.ts';

/** A cell of a layout table reads as a word of its line. */
const cell: FormatCallback = (element, walk, builder) => {
  walk(element.children, builder);
  builder.addInline(' ');
};

const BLOCK = { format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } };
const OPTIONS: HtmlToTextOptions = {
  wordwrap: false,
  baseElements: { selectors: ['body'] },
  formatters: { cell },
  selectors: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
      selector,
      options: { uppercase: false, leadingLineBreaks: 2 },
    })),
    {
      selector: 'a',
      options: {
        hideLinkHrefIfSameAsText: true,
        linkBrackets: ['<', '>'],
        pathRewrite: (href: string) => href.replace(/^tel:/, ''),
      },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'hr', options: { length: 40 } },
    { selector: 'tr', ...BLOCK },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
    { selector: 'table', ...BLOCK },
    ...['head', 'title', '[hidden]', '[style*="display:none"]', '[style*="display: none"]', '[aria-hidden="true"]'].map(
      (selector) => ({ selector, format: 'skip' }),
    ),
  ],
};
const convert = compile(OPTIONS);

/** The plain text of one mail's HTML. */
export function textOfHtml(html: string): string {
  return tidyText(convert(html).replaceAll('\u00a0', ' '));
}

/** Blank lines and line ends as a person would leave them, whatever blocks were left out. */
export function tidyText(text: string): string {
  return `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

/** The text template of an expanded HTML tree; null when its blocks do not survive the conversion. */
export function deriveText(statements: readonly Part[], loc: hbs.AST.SourceLocation): hbs.AST.Program | null {
  const marks: Mark[] = [];
  const prints = new Map<string, number>();
  const print = (node: hbs.AST.MustacheStatement): string =>
    linkMarks(node, marks, prints) ?? markOf(printMark(node, marks, prints));
  const html = markParts(statements, marks, print).map((piece) => piece.text);
  const text = convert(html.join('')).replaceAll('\u00a0', ' ');
  return rebuild(withoutMarkLines(text, marks), marks, loc);
}

/** `mailto:` or `tel:` and one value: so that an address whose text is the address is shown once. */
function linkMarks(node: hbs.AST.MustacheStatement, marks: Mark[], prints: Map<string, number>): string | null {
  const [link] = node.params as readonly Expression[];
  if (link?.type !== 'SubExpression' || link.path.original !== 'link') return null;
  const [, scheme, value, ...more] = link.params as readonly Expression[];
  if (scheme?.type !== 'StringLiteral' || !/^(mailto|tel):$/.test(scheme.value)) return null;
  if (value === undefined || more.length > 0) return null;
  const inner =
    value.type === 'SubExpression' && value.path.original === NEED ? (value.params as Expression[]) : [value];
  const shown = { ...node, params: [inner[0] ?? value, inner[1] ?? textLiteral('link', node.loc)] };
  return `${scheme.value}${markOf(printMark(shown, marks, prints))}`;
}

/** Equal expressions share a mark, so that a link whose address is its text is shown once. */
function printMark(node: hbs.AST.MustacheStatement, marks: Mark[], prints: Map<string, number>): number {
  const key = JSON.stringify([node.path, node.params], (name, value: unknown) => (name === 'loc' ? undefined : value));
  const known = prints.get(key);
  if (known !== undefined) return known;
  const index = marks.push({ kind: 'print', node }) - 1;
  prints.set(key, index);
  return index;
}

/** A line that holds only the ends of blocks would stay behind as an empty line. */
function withoutMarkLines(text: string, marks: readonly Mark[]): string {
  const lines = text.split('\n');
  return lines
    .map((line, index) => {
      const found = [...line.matchAll(/\uE000(\d+)\uE001/g)];
      const onlyBlocks = found.length > 0 && found.every(([, number]) => marks[Number(number)]?.kind !== 'print');
      const alone = onlyBlocks && line.replace(/\uE000\d+\uE001/g, '').trim() === '';
      if (alone) return found.map(([mark]) => mark).join('');
      return index === lines.length - 1 ? line : `${line}\n`;
    })
    .join('');
}
