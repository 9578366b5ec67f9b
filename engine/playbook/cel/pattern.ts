import { type Checked, type Checking, fail } from './context.ts';
import type { Expression } from './syntax.ts';
import { BOOLEAN, describeType, mayBe } from './type.ts';

/** Longest text that a pattern is tried on. Patterns of this shape take polynomial time, so that bounds it. */
const LONGEST_TEXT = 1_000;
const LONGEST_PATTERN = 200;

/**
 * What RE2 (CEL's regular expressions) does not have, or what JavaScript's would take exponential time for:
 * back-references, look-around, and repeated groups that repeat or alternate inside.
 */
function refusal(pattern: string): string | null {
  if (pattern.length > LONGEST_PATTERN) return `a pattern has at most ${LONGEST_PATTERN} characters`;
  if (/\\[1-9]|\\k</.test(pattern)) return 'back-references are not part of CEL';
  if (/\(\?[=!<]/.test(pattern)) return 'look-around and named groups are not part of conditions';
  const plain = pattern.replaceAll(/\\./gs, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  if (/\([^()]*[*+{|?][^()]*\)\s*[*+{]/.test(plain) || /\([^()]*\([\s\S]*\)\s*[*+{]/.test(plain)) {
    return 'a group that repeats must not repeat or choose inside: it could take for ever';
  }
  return null;
}

function compile(pattern: string): RegExp | string {
  const refused = refusal(pattern);
  if (refused !== null) return refused;
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return `the pattern is no regular expression: ${error.message}`;
    throw error;
  }
}

/** Checks `text.matches("pattern")`. The pattern is written out, so that it is checked here and compiled once. */
export function checkPattern(checking: Checking, node: Expression & { op: 'method' }): Checked {
  const text = checking.check(node.on);
  const [argument] = node.args;
  if (node.args.length !== 1 || argument?.op !== 'literal' || typeof argument.value !== 'string') {
    return fail(checking, node.start, 'cel-type', '`matches` takes one pattern written out in quotes');
  }
  if (!mayBe(text.type, 'string')) {
    return fail(checking, node.on.start, 'cel-type', `\`matches\` looks at text, not at ${describeType(text.type)}`);
  }
  const pattern = compile(argument.value);
  if (typeof pattern === 'string') return fail(checking, argument.start, 'cel-type', pattern);
  return {
    type: BOOLEAN,
    run: (scope, locals) => {
      const value = text.run(scope, locals);
      return typeof value === 'string' && pattern.test(value.slice(0, LONGEST_TEXT));
    },
  };
}
