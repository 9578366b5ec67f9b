/** What keeps reading quick and playbooks plain: depth, one document, no keys twice, no anchors, aliases or tags. */
import { isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import { scalarText, startOf } from './document.ts';

/** Largest source, in bytes of UTF-8. */
export const LARGEST_BYTES = 256 * 1024;
/** Deepest nesting of lists and maps. */
export const DEEPEST = 20;

/** Something that the language leaves out of YAML, at an offset. */
export interface Foreign {
  readonly offset: number;
  readonly code: 'too-deep' | 'yaml-syntax' | 'yaml-documents' | 'yaml-alias' | 'yaml-tag' | 'duplicate-key';
  readonly name: string;
}

/** The lexer's own marks, which stand for no text. */
export const LEXER_MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001F']);

/** So many keys that stand there twice are told one by one; more are no slips, and parsing them all takes long. */
const MOST_TWICE = 200;

/** What would take the parser long, found in what its lexer gives, which takes time in proportion to the text. */
export function findExcess(lexemes: readonly string[]): Foreign | null {
  let offset = 0;
  let inBrackets = 0;
  let inLine = 0;
  let documents = 0;
  let key = '';
  let isLineStart = true;
  const top = new Set<string>();
  let twice = 0;
  for (const token of lexemes) {
    if (token === '[' || token === '{') inBrackets++;
    else if (token === ']' || token === '}') inBrackets--;
    else if (token.includes('\n')) inLine = 0;
    // Outside of brackets, dashes, colons and question marks nest a level each when they follow one another in a line.
    else if (inBrackets <= 0 && (token === '-' || token === '?' || token === ':')) inLine++;
    else if (token === '---') documents++;
    if (token === ':' && inBrackets <= 0 && key !== '') {
      if (top.has(key)) twice++;
      if (twice > MOST_TWICE) return { offset: offset - key.length, code: 'duplicate-key', name: key };
      top.add(key);
    }
    if (!LEXER_MARKS.has(token)) {
      // A word at the very left, before its colon, is a key of the outermost map.
      key = isLineStart && /^[\p{L}\p{N}_"']/u.test(token) ? token : '';
      isLineStart = token.includes('\n');
    }
    if (inBrackets < 0) return { offset, code: 'yaml-syntax', name: token };
    if (inBrackets > DEEPEST || inLine > DEEPEST) return { offset, code: 'too-deep', name: '' };
    if (documents > 1) return { offset, code: 'yaml-documents', name: '' };
    if (!LEXER_MARKS.has(token)) offset += token.length;
  }
  return null;
}

/** Whether a node is written with an anchor, an alias or a tag. */
export function isForeign(node: unknown): boolean {
  return foreignCode(node) !== null;
}

function foreignCode(node: unknown): 'yaml-alias' | 'yaml-tag' | null {
  if (isAlias(node)) return 'yaml-alias';
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
  if (node.anchor !== undefined) return 'yaml-alias';
  return node.tag === undefined ? null : 'yaml-tag';
}

/** Where the anchor or tag stands: before its node. */
function markOf(node: Node | null, code: 'yaml-alias' | 'yaml-tag', text: string): number {
  const start = startOf(node);
  if (isAlias(node)) return start;
  const found = text.lastIndexOf(code === 'yaml-tag' ? '!' : '&', start);
  return found < 0 ? start : found;
}

/** All that the language leaves out, in the order of the text. */
export function* findForeign(node: Node | null, text: string, depth = 1): Generator<Foreign> {
  const code = foreignCode(node);
  if (code !== null) yield { offset: markOf(node, code, text), code, name: '' };
  if (!isMap(node) && !isSeq(node)) return;
  if (depth > DEEPEST) {
    yield { offset: startOf(node), code: 'too-deep', name: '' };
    return;
  }
  if (isSeq(node)) {
    for (const item of node.items) yield* findForeign(item as Node, text, depth + 1);
    return;
  }
  const seen = new Set<string>();
  for (const pair of node.items) {
    const key = pair.key as Node;
    // The parser's own check for keys that stand there twice takes the square of their number.
    const name = scalarText(key);
    if (name !== null && seen.has(name)) yield { offset: startOf(key), code: 'duplicate-key', name };
    if (name !== null) seen.add(name);
    yield* findForeign(key, text, depth + 1);
    yield* findForeign(pair.value as Node | null, text, depth + 1);
  }
}
