import type { Problem } from '../problem.ts';
import { type Document, isMap, isScalar, isSeq, type Node, type Place, scalarText, startOf } from '../yaml/document.ts';

/** What is wrong, without where. */
export interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly fix?: string | null;
  readonly level?: Problem['level'];
}

/** Gathers the problems of one file, and knows where what was read from it stands. */
export interface Report {
  readonly file: string;
  readonly problems: Problem[];
  /** Whether further complaints are dropped. */
  isFull(): boolean;
  /** Notes where a value that was read stands. */
  locate(value: object, node: Node): void;
  atNode(node: Node | null, complaint: Complaint): void;
  /** At the value under a key of what was read, or at the whole of it. `inside` is an offset within a text. */
  at(owner: object, key: string | number | null, complaint: Complaint, inside?: number): void;
  /** At the key itself. */
  atKey(owner: object, key: string, complaint: Complaint): void;
  /** Where the value under a key of what was read stands, or its whole. `inside` is an offset within a text: 0 is its first character, where quotes do not hide it. */
  placeOf(owner: object, key: string | number | null, inside?: number): Place;
  /** Where the key itself stands. */
  placeOfKey(owner: object, key: string): Place;
}

/** After so many mistakes in one file the rest are echoes of something larger, such as a file of another kind. */
const MOST_PROBLEMS = 200;

interface Entry {
  readonly key: Node | null;
  readonly value: Node | null;
}

function entry(owner: Node | undefined, key: string | number): Entry | null {
  if (isSeq(owner) && typeof key === 'number')
    return { key: null, value: (owner.items[key] as Node | undefined) ?? null };
  if (!isMap(owner)) return null;
  const pair = owner.items.find((item) => scalarText(item.key) === key);
  return pair === undefined ? null : { key: pair.key as Node, value: pair.value as Node | null };
}

/** Where a text's character stands in the source; the text's start where quotes or folds hide that. */
function offsetInside(document: Document, node: Node | null, inside: number): number {
  const start = startOf(node);
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return start;
  const written = document.text.slice(start, node.range[1]);
  const found = written.indexOf(node.value.replace(/\n$/, ''));
  return found < 0 ? start : start + found + inside;
}

/** Starts the report of one file. */
export function reportOn(document: Document): Report {
  const nodes = new WeakMap<object, Node>();
  const problems: Problem[] = [];
  const add = (offset: number, { code, message, fix = null, level = 'error' }: Complaint): void => {
    if (problems.length > MOST_PROBLEMS) return;
    if (problems.length === MOST_PROBLEMS) {
      const rest = `the first ${MOST_PROBLEMS} mistakes of this file are shown, there are more`;
      problems.push({
        file: document.file,
        ...document.place(offset),
        level: 'error',
        code: 'too-many',
        message: rest,
        fix: null,
      });
      return;
    }
    problems.push({ file: document.file, ...document.place(offset), level, code, message, fix });
  };
  const offsetOf = (owner: object, key: string | number | null, inside?: number): number => {
    const node = nodes.get(owner);
    const found = key === null ? null : entry(node, key);
    const target = found?.value ?? found?.key ?? node ?? null;
    return inside === undefined ? startOf(target) : offsetInside(document, target, inside);
  };
  const offsetOfKey = (owner: object, key: string): number => {
    const node = nodes.get(owner);
    return startOf(entry(node, key)?.key ?? node ?? null);
  };
  return {
    file: document.file,
    problems,
    isFull: () => problems.length > MOST_PROBLEMS,
    locate: (value, node) => void nodes.set(value, node),
    atNode: (node, complaint) => add(startOf(node), complaint),
    at: (owner, key, complaint, inside) => add(offsetOf(owner, key, inside), complaint),
    atKey: (owner, key, complaint) => add(offsetOfKey(owner, key), complaint),
    placeOf: (owner, key, inside) => document.place(offsetOf(owner, key, inside)),
    placeOfKey: (owner, key) => document.place(offsetOfKey(owner, key)),
  };
}
