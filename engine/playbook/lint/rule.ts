/** What a rule is, what it is given, and what it finds. */
import type { CheckedSources, CheckedText } from '../checked.ts';
import type { Report } from '../read/report.ts';
import type { Problem } from '../problem.ts';
import type { World } from './truth/variable.ts';

/** What the linter knows of one template file; a plain text written by hand is one besides its mail's. */
export interface TemplateFacts {
  /** As playbooks name it, without a locale. */
  readonly name: string;
  /** The locale in its file's name, such as `de`; null for the one that everybody else gets. */
  readonly locale: string | null;
  /** Its path. */
  readonly file: string;
  /** Variables that it names, e.g. `event.total`. */
  readonly reads: ReadonlySet<string>;
  /** Variables that it cannot do without: printed, and not within an `if` that asks for them. */
  readonly needs: ReadonlySet<string>;
  /** What it says to everybody, as HTML or text without what is filled in. */
  readonly fixed: string;
}

/** Customers who are under way at one step of a playbook. */
export interface Standing {
  readonly playbook: string;
  readonly step: string;
  readonly customers: number;
}

/** What rules look at. */
export interface LintContext extends CheckedSources {
  readonly templates: readonly TemplateFacts[];
  /** Who is under way, from a database; empty where none was asked. */
  readonly standing: readonly Standing[];
  readonly world: World;
}

/** Something that a rule found. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly fix: string;
  /** Where it is graver or lighter than the rule's own level. */
  readonly level?: Problem['level'];
}

/** One rule. */
export interface Rule {
  /** Its name in messages, allowances and docs/linting.md. */
  readonly code: string;
  readonly level: Problem['level'];
  /** Why it is a rule, in one line. */
  readonly reason: string;
  find(context: LintContext): Iterable<Finding>;
}

/** Something found at the value under a key, or at the whole of an owner. `inside` is an offset within a text. */
export function findingAt(
  { report }: { readonly report: Report },
  where: { readonly owner: object; readonly key: string | number | null; readonly inside?: number },
  said: Pick<Finding, 'message' | 'fix' | 'level'>,
): Finding {
  return { file: report.file, ...report.placeOf(where.owner, where.key, where.inside), ...said };
}

/** Something found at a key itself. */
export function findingAtKey(
  { report }: { readonly report: Report },
  owner: object,
  key: string,
  said: Pick<Finding, 'message' | 'fix' | 'level'>,
): Finding {
  return { file: report.file, ...report.placeOfKey(owner, key), ...said };
}

/** A playbook by its name. */
export function playbookNamed({ playbooks }: CheckedSources, name: string): CheckedText | undefined {
  return playbooks.find((playbook) => playbook.name === name);
}
