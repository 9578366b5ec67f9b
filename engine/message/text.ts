/**
 * Plain text made from HTML. Converting every mail takes milliseconds, so a template's tree is converted once: its
 * expressions and blocks stand in the HTML as marks, which come out of the conversion in their places.
 * Where a block does not survive that (it begins in what text leaves out), each mail's HTML is converted instead.
 */
import { type FormatCallback, type HtmlToTextOptions, compile } from 'html-to-text';
import { NEED } from './helpers.ts';
import { type Expression, type Part, content, partsOf, program, text as textLiteral } from './syntax.ts';

/** Private-use characters that enclose a mark's number; a template must not hold them. */
export const MARKS = { open: '\uE000', close: '\uE001' } as const;

type Mark =
  | { readonly kind: 'print'; readonly node: Part }
  | { readonly kind: 'open' | 'else' | 'close'; readonly node: hbs.AST.BlockStatement };

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
  const text = convert(markedHtml(statements, marks, prints)).replaceAll('\u00a0', ' ');
  return rebuild(withoutMarkLines(text, marks), marks, loc);
}

function markedHtml(statements: readonly Part[], marks: Mark[], prints: Map<string, number>): string {
  let html = '';
  for (const statement of statements) {
    switch (statement.type) {
      case 'ContentStatement':
        html += statement.value;
        break;
      case 'MustacheStatement':
        html += linkMarks(statement, marks, prints) ?? markOf(printMark(statement, marks, prints));
        break;
      case 'BlockStatement': {
        html += markOf(marks.push({ kind: 'open', node: statement }) - 1);
        html += markedHtml(partsOf(statement.program), marks, prints);
        if (statement.inverse !== undefined && statement.inverse !== null) {
          html += markOf(marks.push({ kind: 'else', node: statement }) - 1);
          html += markedHtml(partsOf(statement.inverse), marks, prints);
        }
        html += markOf(marks.push({ kind: 'close', node: statement }) - 1);
        break;
      }
    }
  }
  return html;
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

function markOf(index: number): string {
  return `${MARKS.open}${index}${MARKS.close}`;
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

/** A block of the text template as far as it was read; `inverse` is null before its `{{else}}`. */
interface OpenBlock {
  readonly node: hbs.AST.BlockStatement;
  readonly outer: Part[];
  readonly program: Part[];
  inverse: Part[] | null;
}

/** Puts the tree together again; null when a part of a block was lost on the way. */
function rebuild(text: string, marks: readonly Mark[], loc: hbs.AST.SourceLocation): hbs.AST.Program | null {
  const open: OpenBlock[] = [];
  const root: Part[] = [];
  let current = root;
  for (const [index, piece] of text.split(/\uE000(\d+)\uE001/).entries()) {
    if (index % 2 === 0) {
      if (piece !== '') current.push(content(piece, loc));
      continue;
    }
    const mark = marks[Number(piece)];
    if (mark === undefined) return null;
    if (mark.kind === 'print') {
      current.push(mark.node);
      continue;
    }
    const next = turn(mark, current, open, loc);
    if (next === null) return null;
    current = next;
  }
  return open.length === 0 ? program(root, [], loc) : null;
}

/** Where statements go on after a block's beginning, middle or end. */
function turn(
  mark: Exclude<Mark, { kind: 'print' }>,
  current: Part[],
  open: OpenBlock[],
  loc: hbs.AST.SourceLocation,
): Part[] | null {
  if (mark.kind === 'open') {
    const started: OpenBlock = { node: mark.node, outer: current, program: [], inverse: null };
    open.push(started);
    return started.program;
  }
  const block = open.at(-1);
  if (block === undefined || block.node !== mark.node) return null;
  if (mark.kind === 'else') {
    block.inverse = [];
    return block.inverse;
  }
  const hasInverse = block.node.inverse !== undefined && block.node.inverse !== null;
  if (hasInverse !== (block.inverse !== null)) return null;
  open.pop();
  block.outer.push(closed(block, loc));
  return block.outer;
}

function closed({ node, program: body, inverse }: OpenBlock, loc: hbs.AST.SourceLocation): hbs.AST.BlockStatement {
  const main = program(body, node.program.blockParams, loc);
  return inverse === null
    ? { ...node, program: main }
    : { ...node, program: main, inverse: program(inverse, node.inverse.blockParams, loc) };
}
