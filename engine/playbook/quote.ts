/** The words of a playbook as its author wrote them, with their place: to show what decided. */
import type { SourceFile } from './problem.ts';
import { type Document, isMap, isSeq, type Node, scalarText, startOf } from './yaml/document.ts';
import { parseYaml } from './yaml/parse.ts';

/** A piece of a source, on one line. */
export interface Quote {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** As written, on one line: entries of a block are parted by ";". Cut, with "…", where it is long. */
  readonly text: string;
}

/** Finds pieces of one playbook's source. All of them are null for a source that is no YAML, or lacks the piece. */
export interface Quoter {
  /** `key: value` at this path from the top, or the item of a list. */
  at(...path: readonly (string | number)[]): Quote | null;
  /** The same from the step that is number `index` in written order; without a path, the step's first line. */
  step(index: number, ...path: readonly (string | number)[]): Quote | null;
}

/** Longer pieces are whole lists of steps; nobody wants to read those. */
const LONGEST = 240;

interface Found {
  readonly start: number;
  readonly value: Node | null;
}

/** Reads a source once, for all its quotes. */
export function quoterOf(source: SourceFile): Quoter {
  const { document } = parseYaml(source);
  if (document === null) return { at: () => null, step: () => null };
  const steps = [...stepsIn(find(document.root, ['steps'])?.value ?? null)];
  return {
    at: (...path) => quote(document, find(document.root, path)),
    step: (index, ...path) => {
      const node = steps[index] ?? null;
      if (node === null) return null;
      return path.length > 0 ? quote(document, find(node, path)) : firstLine(document, node);
    },
  };
}

function find(root: Node | null, path: readonly (string | number)[]): Found | null {
  let found: Found | null = root === null ? null : { start: startOf(root), value: root };
  for (const key of path) {
    if (found === null) return null;
    found = child(found.value, key);
  }
  return found;
}

function child(node: Node | null, key: string | number): Found | null {
  if (isSeq(node) && typeof key === 'number') {
    const item = (node.items[key] as Node | undefined) ?? null;
    return item === null ? null : { start: startOf(item), value: item };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((item) => scalarText(item.key) === key);
  return pair === undefined ? null : { start: startOf(pair.key as Node), value: pair.value as Node | null };
}

/** In the order of the steps' numbers: what is inside of a step comes right after it, list by list as written. */
function* stepsIn(list: Node | null): Generator<Node> {
  if (!isSeq(list)) return;
  for (const step of list.items as Node[]) {
    yield step;
    for (const branch of branchesIn(step)) yield* stepsIn(branch);
  }
}

function branchesIn(step: Node): readonly (Node | null)[] {
  if (!isMap(step)) return [];
  return step.items.flatMap((pair) => {
    const key = scalarText(pair.key);
    const value = pair.value as Node | null;
    if (key === 'then' || key === 'else') return [value];
    const isArms = (key === 'choose' && isSeq(value)) || (key === 'arms' && isMap(value));
    if (!isArms) return [];
    const arms = isSeq(value) ? (value.items as Node[]) : value.items.map((arm) => arm.value as Node);
    return arms.map((arm) => child(arm, 'steps')?.value ?? null);
  });
}

function quote(document: Document, found: Found | null): Quote | null {
  if (found === null) return null;
  const end = found.value?.range?.[1] ?? found.start;
  return { ...lineOf(document, found.start), text: shortened(document.text.slice(found.start, end)) };
}

function firstLine(document: Document, node: Node): Quote {
  const start = startOf(node);
  const end = Math.min(node.range?.[1] ?? start, lineEnd(document.text, start));
  return { ...lineOf(document, start), text: shortened(document.text.slice(start, end)) };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function lineOf(document: Document, start: number): { readonly file: string; readonly line: number } {
  return { file: document.file, line: document.place(start).line };
}

function shortened(text: string): string {
  const line = text
    .trim()
    .replaceAll(/(?<![:,[{])\n\s*(?=[\w.-]+:\s|- )/g, '; ')
    .replaceAll(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
