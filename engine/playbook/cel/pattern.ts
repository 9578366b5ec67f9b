import { RE2JS, RE2JSException } from 're2js';
import { type Checked, type Checking, fail } from './context.ts';
import type { Expression } from './syntax.ts';
import { BOOLEAN, describeType, mayBe } from './type.ts';

/** No honest condition needs more, and programs of patterns grow with their repetitions. */
const LONGEST_PATTERN = 200;
/** Matching takes linear time; this keeps the line short for texts that come from outside. */
const LONGEST_TEXT = 10_000;

/**
 * RE2's own syntax, as CEL says, on an engine that takes linear time: JavaScript's takes polynomial or exponential
 * time for some patterns, and the texts come from customers.
 */
function compile(pattern: string): RE2JS | string {
  if (pattern.length > LONGEST_PATTERN) return `a pattern has at most ${LONGEST_PATTERN} characters`;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return `the pattern is no regular expression of RE2: ${error.message}`;
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
