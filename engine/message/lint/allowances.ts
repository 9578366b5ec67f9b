/** Findings that are allowed in a template: `{{!-- lint: allow RULE: reason --}}`, in the front matter `# lint: …`. */
import { type Allowances, readAllowances, readAllowancesOf } from '../../playbook/lint/allowances.ts';
import type { SourceFile } from '../../playbook/problem.ts';

const COMMENT = /\{\{~?!(?:--([\s\S]*?)--|([^}]*))~?\}\}/g;

/** Reads the allowances of a template. @param rules names of the rules that can be allowed. */
export function templateAllowances({ path, text }: SourceFile, rules: readonly string[]): Allowances {
  if (!/(?:!|#)(?:--)?\s*lint:/.test(text)) return { allowed: [], bad: [] };
  const [front = ''] = /^\uFEFF?---[ \t]*\r?\n[\s\S]*?^---[ \t]*(?:\r?\n|$)/m.exec(text) ?? [];
  const isFront = text.startsWith(front);
  const ofFront = isFront ? readAllowances(path, front, rules) : { allowed: [], bad: [] };
  const lines = text.split('\n');
  const comments = [...text.matchAll(COMMENT)].map((match) => {
    const before = text.slice(0, match.index).split('\n');
    const line = before.length;
    const isAlone = (lines[line - 1] ?? '').replaceAll(COMMENT, '').trim() === '';
    return { line, column: (before.at(-1) ?? '').length + 1, isAlone, text: (match[1] ?? match[2] ?? '').trim() };
  });
  const ofBody = readAllowancesOf(path, lines, comments, {
    rules,
    blank: /^\s*(?:\{\{~?!.*\}\}\s*)?$/,
    write: (rule) => `{{!-- lint: allow ${rule} --}}`,
  });
  return { allowed: [...ofFront.allowed, ...ofBody.allowed], bad: [...ofFront.bad, ...ofBody.bad] };
}
