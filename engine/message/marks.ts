/**
 * A tree as text that something else converts: its expressions and blocks stand in it as marks, which come out of the
 * conversion in their places, and the tree is put together again from there.
 */
import { type Part, content, partsOf, program } from './syntax.ts';

/** Private-use characters that enclose a mark's number; a template must not hold them. */
export const MARKS = { open: '\uE000', close: '\uE001' } as const;

/** What a mark stands for. */
export type Mark =
  | { readonly kind: 'print'; readonly node: Part }
  | { readonly kind: 'open' | 'else' | 'close'; readonly node: hbs.AST.BlockStatement };

/** A part as it stands in the text that is converted. */
export interface MarkedPiece {
  readonly text: string;
  readonly node: Part;
}

/** The pieces of a tree's text, in order; its marks are added to `marks`. `print` writes what is printed. */
export function markParts(
  statements: readonly Part[],
  marks: Mark[],
  print: (node: hbs.AST.MustacheStatement) => string,
): readonly MarkedPiece[] {
  const mark = (kind: 'open' | 'else' | 'close', node: hbs.AST.BlockStatement): MarkedPiece => ({
    text: markOf(marks.push({ kind, node }) - 1),
    node,
  });
  return statements.flatMap((node): readonly MarkedPiece[] => {
    switch (node.type) {
      case 'ContentStatement':
        return [{ text: node.value, node }];
      case 'MustacheStatement':
        return [{ text: print(node), node }];
      case 'BlockStatement': {
        const pieces = [mark('open', node), ...markParts(partsOf(node.program), marks, print)];
        const { inverse } = node;
        if (inverse !== undefined && inverse !== null) {
          pieces.push(mark('else', node), ...markParts(partsOf(inverse), marks, print));
        }
        return [...pieces, mark('close', node)];
      }
    }
  });
}

/** The mark of that number. */
export function markOf(index: number): string {
  return `${MARKS.open}${index}${MARKS.close}`;
}

/** A block as far as it was read; `inverse` is null before its `{{else}}`. */
interface OpenBlock {
  readonly node: hbs.AST.BlockStatement;
  readonly outer: Part[];
  readonly program: Part[];
  inverse: Part[] | null;
}

/** Puts the tree together again; null when a part of a block was lost on the way. */
export function rebuild(text: string, marks: readonly Mark[], loc: hbs.AST.SourceLocation): hbs.AST.Program | null {
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
