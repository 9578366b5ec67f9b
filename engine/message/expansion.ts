/** What is shared by everything that puts one mail together: its parts, what is known, and the problems found. */
import type { Problem } from '../playbook/problem.ts';
import type { KnownVariables } from './known.ts';
import type { Expression, Part } from './syntax.ts';

/** A template's text as parsed, and where it stands in its file (front matter comes before it). */
export interface Parsed {
  readonly file: string;
  readonly tree: hbs.AST.Program;
  /** The file's line and column (from 1) of the text's first character. */
  readonly line: number;
  readonly column: number;
}

/** One mail being put together. */
export interface Expansion {
  readonly known: KnownVariables;
  /** Whether fixed text is HTML. */
  readonly html: boolean;
  /** By name; a problem stands for a partial that cannot be read. */
  readonly partials: ReadonlyMap<string, Parsed | Problem>;
  /** What `{{{body}}}`, `{{subject}}` and `{{preheader}}` stand for; already expanded. */
  readonly slots: ReadonlyMap<string, readonly Part[]>;
  readonly usedSlots: Set<string>;
  /** Variables read, e.g. `customer.name`. */
  readonly reads: Set<string>;
  /** Those of them that must have a value: printed, and not within a block that asks for them. */
  readonly needs: Set<string>;
  readonly problems: Problem[];
  /** Statements so far: partials that multiply each other are stopped. */
  size: number;
}

/** Where in a mail a node stands: decides what a plain name means there. */
export interface Place {
  readonly parsed: Parsed;
  /** Inside `each` or `with`: plain names are fields of the item. */
  readonly inItem: boolean;
  /** Names given by `as |name|` or as a partial's parameters; null where the value is known at run time only. */
  readonly names: ReadonlyMap<string, Expression | null>;
  /** Partials being put in, outermost first. */
  readonly partials: readonly string[];
  /** What an enclosing `if` has found to have a value. */
  readonly tested: ReadonlySet<string>;
  /** Variables that an enclosing block asks for, by their first two parts (`vars.gift`), or `event` and its like whole. */
  readonly asked: ReadonlySet<string>;
}

/** What happens to a value: `printed` and `needed` must not be null, `tested` may be. */
export type Use = 'printed' | 'needed' | 'tested';

/** What is there or not as a whole: `event`, `launch` and `trigger` with all of their fields, `vars` name by name. */
export function askedName(parts: readonly string[]): string {
  return parts[0] === 'event' || parts[0] === 'launch' || parts[0] === 'trigger'
    ? parts[0]
    : parts.slice(0, 2).join('.');
}

/** Notes that a variable is read, and whether the mail can do without it. */
export function noteRead(expansion: Expansion, parts: readonly string[], use: Use, { asked }: Place): void {
  const name = parts.join('.');
  expansion.reads.add(name);
  if (use !== 'tested' && !asked.has(askedName(parts))) expansion.needs.add(name);
}

/** Records a problem at a node of the text at hand. */
export function report(
  expansion: Expansion,
  { parsed }: Pick<Place, 'parsed'>,
  node: { readonly loc: hbs.AST.SourceLocation },
  problem: Pick<Problem, 'code' | 'message' | 'fix'> & { readonly level?: Problem['level'] },
): void {
  const { line, column } = node.loc.start;
  expansion.problems.push({
    file: parsed.file,
    line: parsed.line + line - 1,
    column: column + (line === 1 ? parsed.column : 1),
    level: 'error',
    ...problem,
  });
}
