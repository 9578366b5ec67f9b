/** What is said once at the end of an import, however many lines it concerns. */
import type { GoodLine } from './batches.ts';

/** A name that was met and not used, or not known. */
export interface NoticedName {
  readonly name: string;
  readonly because: string;
  /** The name that was probably meant; null when none is near. */
  readonly nearest: string | null;
  readonly lines: number;
}

/** A file can hold any number of names; more than these help nobody. */
const MAX_NAMES = 50;

/** Counts names over all lines. */
export class NameTally {
  private readonly names = new Map<string, { -readonly [Key in keyof NoticedName]: NoticedName[Key] }>();

  /** Takes note of what a line's check left out or did not know. */
  note(line: GoodLine): void {
    for (const { name, because, nearest } of line.ignored) this.add(`the field "${name}"`, because, nearest);
    if (line.undeclared === null) return;
    this.add(
      `the event "${line.undeclared.event}"`,
      'not declared in perennial.yaml, taken all the same',
      line.undeclared.nearest,
    );
  }

  /** Most lines first. */
  list(): readonly NoticedName[] {
    return [...this.names.values()].sort((a, b) => b.lines - a.lines);
  }

  private add(name: string, because: string, nearest: string | null): void {
    const known = this.names.get(name);
    if (known !== undefined) known.lines += 1;
    else if (this.names.size < MAX_NAMES) this.names.set(name, { name, because, nearest, lines: 1 });
  }
}
