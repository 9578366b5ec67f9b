import type { DeclaredType, Fields } from './cel/context.ts';
import type { Loose } from './read/walk.ts';
import type { CompanySource, LaunchSource } from './schema.ts';
import { mailFileName } from './layout.ts';
import type { SourceFile } from './problem.ts';

/** What is known of every customer without being declared (docs/playbooks.md). */
export const CUSTOMER_FIELDS: Fields = new Map<string, DeclaredType>([
  ['id', 'string'],
  ['email', 'string'],
  ['name', 'string'],
  ['first_name', 'string'],
  ['last_name', 'string'],
  ['timezone', 'string'],
  ['locale', 'string'],
  ['birthday', 'date'],
  ['created_at', 'datetime'],
  ['tags', 'list'],
  ['orders', 'number'],
  ['spent', 'number'],
  ['first_order_at', 'datetime'],
  ['last_order_at', 'datetime'],
  ['last_seen_at', 'datetime'],
  ['stage', 'string'],
  ['satisfaction', 'number'],
]);

/** The answer to a survey: the one event that the engine itself knows. */
export const SURVEY_ANSWERED = {
  name: 'survey.answered',
  fields: { survey: 'string', score: 'number', comment: 'string' },
} as const;
const BUILT_IN_EVENTS: readonly (readonly [string, Fields])[] = [
  [SURVEY_ANSWERED.name, new Map<string, DeclaredType>(Object.entries(SURVEY_ANSWERED.fields))],
];

/** Everything that a playbook can name. Made from files that may have mistakes, so that one file's do not hide another's. */
export interface Declarations {
  readonly customer: Fields;
  readonly attributes: Fields;
  readonly events: ReadonlyMap<string, Fields>;
  readonly topics: ReadonlyMap<string, { readonly transactional: boolean }>;
  readonly launches: ReadonlyMap<string, Fields>;
  readonly templates: ReadonlySet<string>;
  readonly playbooks: ReadonlySet<string>;
  /** What of readers' doing is recorded, as fields of `vars.STEP`. */
  readonly tracked: ReadonlySet<'clicked' | 'opened'>;
  /** Whether `customer.stage` depends on the time. */
  readonly stageUsesTime: boolean;
}

function fieldsOf(types: Readonly<Record<string, unknown>> | undefined): Map<string, DeclaredType> {
  // A type that was misspelt is said at its place; here the field is simply of any type.
  return new Map(Object.entries(types ?? {}).map(([name, type]) => [name, (type ?? 'any') as DeclaredType]));
}

/** The type of a launch's own field, by what stands there. */
function typeOfValue(value: unknown): DeclaredType {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'string') return 'any';
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return 'date';
  return /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? 'datetime' : 'string';
}

/** The fields of one launch as conditions see them. */
export function launchFields(launch: Loose<LaunchSource>): Fields {
  const fields = new Map(Object.entries(launch).map(([name, value]) => [name, typeOfValue(value)] as const));
  return fields.set('title', 'string').set('public_at', 'datetime');
}

/** The fields of any launch: a name whose type differs from one launch to the next is of any type. */
export function anyLaunchFields(launches: Iterable<Fields>): Fields {
  const all = new Map<string, DeclaredType>([
    ['title', 'string'],
    ['public_at', 'datetime'],
  ]);
  for (const fields of launches) {
    for (const [name, type] of fields) all.set(name, (all.get(name) ?? type) === type ? type : 'any');
  }
  return all;
}

/** A template's name and locale, as its file says: `a/b.en-GB` is `a/b` in en-GB. */
export function splitLocale(file: string): { readonly name: string; readonly locale: string | null } {
  const [, name = file, locale] = /^(.*)\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/.exec(file) ?? [];
  return { name, locale: locale ?? null };
}

/** The names of templates among the sources; `a/b.en-GB.hbs` is `a/b` in one locale. */
export function templateNames(sources: readonly SourceFile[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { path } of sources) {
    const name = mailFileName(path);
    if (name !== null) names.add(splitLocale(name).name);
  }
  return names;
}

function trackedIn({ mail }: Loose<CompanySource>): Declarations['tracked'] {
  const { clicks, opens } = mail?.tracking ?? {};
  return new Set([
    ...(clicks === true ? (['clicked'] as const) : []),
    ...(opens === true ? (['opened'] as const) : []),
  ]);
}

/** Gathers what can be named; `stageUsesTime` is found when the stages are checked. */
export function declare(
  company: Loose<CompanySource>,
  rest: Pick<Declarations, 'launches' | 'templates' | 'playbooks'>,
): Omit<Declarations, 'stageUsesTime'> {
  const attributes = fieldsOf(company.attributes);
  const events = Object.entries(company.events ?? {}).map(([name, types]) => [name, fieldsOf(types)] as const);
  const topics = Object.entries(company.topics ?? {}).map(
    ([name, topic]) => [name, { transactional: topic?.transactional === true }] as const,
  );
  return {
    customer: new Map([...attributes, ...CUSTOMER_FIELDS]),
    attributes,
    events: new Map([...BUILT_IN_EVENTS, ...events]),
    topics: new Map(topics),
    tracked: trackedIn(company),
    ...rest,
  };
}
