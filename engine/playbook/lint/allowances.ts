/** Findings that are allowed where they stand, with a reason: `# lint: allow RULE: reason`. */
import { nearest } from '../nearest.ts';
import { type Comment, commentsOf } from '../yaml/comments.ts';
import type { Finding } from './rule.ts';

/** A comment that allows a rule's findings in one line. */
export interface Allowance {
  readonly rule: string;
  /** The line whose findings it allows. */
  readonly of: number;
  readonly line: number;
  readonly column: number;
}

/** The allowances of one file, and the comments that were meant as one. */
export interface Allowances {
  readonly allowed: readonly Allowance[];
  readonly bad: readonly Finding[];
}

const FORM = 'write `# lint: allow RULE: reason`';

/** The first line after a comment that holds more than a comment. */
function lineBelow(lines: readonly string[], line: number): number {
  const at = lines.findIndex((text, index) => index >= line && !/^\s*(#|$)/.test(text));
  return at < 0 ? line : at + 1;
}

function complaint(
  said: string,
  rules: readonly string[],
): Pick<Finding, 'message' | 'fix'> | { readonly rule: string } {
  const match = /^allow\s+([^\s:]+)\s*(?::\s*(.*))?$/.exec(said.trim());
  const rule = match?.[1];
  if (rule === undefined) return { message: `\`lint: ${said.trim()}\` allows nothing`, fix: FORM };
  if (!rules.includes(rule)) {
    const near = nearest(rule, rules);
    const fix = near === null ? `the rules are ${rules.join(', ')}` : `did you mean \`${near}\`?`;
    return { message: `there is no rule \`${rule}\``, fix };
  }
  if ((match?.[2] ?? '').trim() !== '') return { rule };
  return { message: `\`${rule}\` is allowed here without a reason`, fix: `say why: \`# lint: allow ${rule}: …\`` };
}

/** Reads the allowances of a file. @param rules names of the rules that can be allowed. */
export function readAllowances(file: string, text: string, rules: readonly string[]): Allowances {
  const allowed: Allowance[] = [];
  const bad: Finding[] = [];
  // Few files have any, and reading comments takes as long as reading the file.
  if (!/#\s*lint:/.test(text)) return { allowed, bad };
  const lines = text.split('\n');
  const read = ({ line, column, isAlone, text: comment }: Comment): void => {
    const said = /^#\s*lint:(.*)$/.exec(comment.trimEnd())?.[1];
    if (said === undefined) return;
    const found = complaint(said, rules);
    if ('rule' in found) allowed.push({ rule: found.rule, line, column, of: isAlone ? lineBelow(lines, line) : line });
    else bad.push({ file, line, column, ...found });
  };
  for (const comment of commentsOf(text)) read(comment);
  return { allowed, bad };
}
