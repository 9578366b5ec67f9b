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

/** How a language says allowances. */
export interface AllowanceForm {
  /** Names of the rules that can be allowed. */
  readonly rules: readonly string[];
  /** Lines that hold nothing but comments. */
  readonly blank: RegExp;
  /** An allowance as it is written, around `RULE: reason`. */
  readonly write: (what: string) => string;
}

/** The first line after a comment that holds more than a comment. */
function lineBelow(lines: readonly string[], line: number, { blank }: AllowanceForm): number {
  const at = lines.findIndex((text, index) => index >= line && !blank.test(text));
  return at < 0 ? line : at + 1;
}

function complaint(
  said: string,
  { rules, write }: AllowanceForm,
): Pick<Finding, 'message' | 'fix'> | { readonly rule: string } {
  const match = /^allow\s+([^\s:]+)\s*(?::\s*(.*))?$/.exec(said.trim());
  const rule = match?.[1];
  if (rule === undefined)
    return { message: `\`lint: ${said.trim()}\` allows nothing`, fix: `write \`${write('RULE: reason')}\`` };
  if (!rules.includes(rule)) {
    const near = nearest(rule, rules);
    const fix = near === null ? `the rules are ${rules.join(', ')}` : `did you mean \`${near}\`?`;
    return { message: `there is no rule \`${rule}\``, fix };
  }
  if ((match?.[2] ?? '').trim() !== '') return { rule };
  return { message: `\`${rule}\` is allowed here without a reason`, fix: `say why: \`${write(`${rule}: …`)}\`` };
}

/** Reads the allowances of a YAML file. @param rules names of the rules that can be allowed. */
export function readAllowances(file: string, text: string, rules: readonly string[]): Allowances {
  // Few files have any, and reading comments takes as long as reading the file.
  if (!/#\s*lint:/.test(text)) return { allowed: [], bad: [] };
  const comments = commentsOf(text).map((comment) => ({ ...comment, text: comment.text.replace(/^#/, '') }));
  const form = { rules, blank: /^\s*(#|$)/, write: (what: string) => `# lint: allow ${what}` };
  return readAllowancesOf(file, text.split('\n'), comments, form);
}

/** Reads allowances from comments, given without the marks that make them comments. */
export function readAllowancesOf(
  file: string,
  lines: readonly string[],
  comments: readonly Comment[],
  form: AllowanceForm,
): Allowances {
  const allowed: Allowance[] = [];
  const bad: Finding[] = [];
  for (const { line, column, isAlone, text } of comments) {
    const said = /^\s*lint:(.*)$/.exec(text.trimEnd())?.[1];
    if (said === undefined) continue;
    const found = complaint(said, form);
    if ('rule' in found) {
      allowed.push({ rule: found.rule, line, column, of: isAlone ? lineBelow(lines, line, form) : line });
    } else bad.push({ file, line, column, ...found });
  }
  return { allowed, bad };
}
