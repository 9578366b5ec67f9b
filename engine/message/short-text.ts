/** Short texts of playbooks that are templates: the title of a task, the texts of a webhook's body. Never HTML. */
import type { Problem } from '../playbook/problem.ts';
import type { Instant, Zone } from '../time/types.ts';
import { expand } from './expand.ts';
import type { Expansion, Parsed } from './expansion.ts';
import { compileTree, type Print } from './helpers.ts';
import type { KnownVariables } from './known.ts';
import { parsePart } from './parse.ts';
import { RENDER_LIMITS, RenderError } from './scope.ts';
import { program, type Part } from './syntax.ts';

/** A text of a playbook that is a template, and where it begins, from 1. */
export interface ShortText {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** False where only the place of the whole value is known, in which the text stands. */
  readonly exact: boolean;
}

/** What such a text sees. */
export interface TextScope {
  readonly customer: Readonly<Record<string, unknown>>;
  readonly company: Readonly<Record<string, unknown>>;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly launch?: Readonly<Record<string, unknown>>;
  readonly trigger?: Readonly<Record<string, unknown>>;
  readonly vars: Readonly<Record<string, unknown>>;
  /** A BCP 47 tag that Intl knows. */
  readonly locale: string;
  readonly zone: Zone;
  readonly now: Instant;
}

/** What is of mails alone. */
const OF_MAILS: ReadonlySet<string> = new Set(['unsubscribe_url', 'preferences_url', 'survey']);
const OPEN: KnownVariables = new Map(
  ['customer', 'company', 'event', 'launch', 'trigger', 'vars', 'now'].map((name) => [name, 'any']),
);
const NOWHERE: hbs.AST.SourceLocation = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

/** The mistakes of these texts, each at its place. */
export function checkTexts(texts: readonly ShortText[], known: KnownVariables): readonly Problem[] {
  const variables = new Map([...known].filter(([name]) => !OF_MAILS.has(name)));
  return texts.flatMap((text) => {
    const { problems } = expanded(text, variables);
    const { file, line, column, exact } = text;
    return exact ? problems : problems.map((problem) => ({ ...problem, file, line, column }));
  });
}

/** Texts that were compiled, by their source: a company has some dozen. */
const compiled = new Map<string, Print>();
/** Old releases' texts come and go; this many stay. */
const KEPT = 1_000;

/** The text for one customer. @throws RenderError when something that is printed has no value, or it gets too long. */
export function renderText(text: string, scope: TextScope): string {
  const { customer, company, event, launch, trigger, vars, now, locale, zone } = scope;
  const context = { customer, company, event, launch, trigger, vars, now };
  const result = printOf(text)(context, { locale, zone: zone.name, now, turns: 0, survey: null });
  if (Buffer.byteLength(result) <= RENDER_LIMITS.bytes) return result;
  throw new RenderError('too-large', 'text', `a text becomes longer than ${RENDER_LIMITS.bytes / 1024} KB`);
}

function printOf(text: string): Print {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const { parts, problems } = expanded({ text, file: 'playbook', line: 1, column: 1 }, OPEN);
  const [problem] = problems.filter(({ level }) => level === 'error');
  if (problem !== undefined) throw new RenderError('bad-value', 'text', problem.message);
  const print = compileTree(program(parts, [], NOWHERE), false);
  if (compiled.size >= KEPT) compiled.clear();
  compiled.set(text, print);
  return print;
}

function expanded(
  text: Omit<ShortText, 'exact'>,
  known: KnownVariables,
): { readonly parts: readonly Part[]; readonly problems: readonly Problem[] } {
  const parsed: Parsed | Problem = parsePart(text.file, text);
  if (!('tree' in parsed)) return { parts: [], problems: [parsed] };
  const problems: Problem[] = [];
  const expansion: Expansion = {
    known,
    html: false,
    partials: new Map(),
    slots: new Map(),
    usedSlots: new Set(),
    needs: new Set(),
    reads: new Set(),
    problems,
    size: 0,
  };
  return { parts: expand(parsed, expansion), problems };
}
