/** Sources as nodes with positions. This folder is the only place that knows the YAML library. */
import { isScalar, type Node } from 'yaml';

export { isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';

/** A place in a source: line and column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A source that is well-formed YAML. */
export interface Document {
  readonly file: string;
  readonly text: string;
  readonly root: Node | null;
  /** The value of a node as plain data. */
  plain(node: Node): unknown;
  place(offset: number): Place;
}

/** Makes a function that says line and column of an offset, without walking the text again. */
export function placer(text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** A scalar's value as text; null for what is no scalar, or an empty one. */
export function scalarText(node: unknown): string | null {
  if (!isScalar(node)) return null;
  const { value } = node;
  const isPlain =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return isPlain ? String(value) : null;
}

/** Where a node begins. */
export function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
