/** The Handlebars environment: the helpers that templates have, and no others; no access to prototypes. */
import Handlebars from 'handlebars';
import type { Instant } from '../time/types.ts';
import {
  type Reader,
  formatDate,
  formatList,
  formatMoney,
  formatNumber,
  formatPlural,
  PLURAL_FORMS,
} from './format.ts';
import { formLink } from './link.ts';
import { RENDER_LIMITS, RenderError } from './scope.ts';
import { FIXED } from './shaped.ts';
import type { SurveyVariable } from './survey.ts';

/** What helpers know besides their arguments: lives for one render. */
export interface RenderData extends Reader {
  readonly now: Instant;
  readonly survey: SurveyVariable | null;
  /** Turns that loops have taken so far. */
  turns: number;
}

/** A template ready to run. */
export type Print = (context: Readonly<Record<string, unknown>>, data: RenderData) => string;

/** How many values a helper takes, and which names. */
export interface Arity {
  readonly min: number;
  readonly max: number;
  readonly named?: readonly string[];
}

/** Helpers that stand alone or in parentheses. */
export const VALUE_HELPERS: ReadonlyMap<string, Arity> = new Map<string, Arity>([
  ['date', { min: 1, max: 2 }],
  ['money', { min: 2, max: 2 }],
  ['number', { min: 1, max: 1 }],
  ['plural', { min: 1, max: 1, named: PLURAL_FORMS }],
  ['list', { min: 1, max: 2, named: ['of'] }],
  ['link', { min: 1, max: 8 }],
  ['default', { min: 2, max: 8 }],
  ['eq', { min: 2, max: 2 }],
  ['survey_url', { min: 1, max: 1 }],
]);

/** Helpers that open a block. */
export const BLOCK_HELPERS: ReadonlySet<string> = new Set(['if', 'unless', 'each', 'with']);

/** Names that only the compiler writes: a template cannot spell them. */
export const PRINT = '$print';
/** Passes a value on, and throws when there is none. */
export const NEED = '$need';
/** Gives names to values: a partial's parameters. */
export const NAMING = '$naming';

/** By name; those of Handlebars itself are among them where nothing else is said. */
const HELPERS: Readonly<Record<string, Handlebars.HelperDelegate | undefined>> = {
  ...pick(Handlebars.helpers, ['if', 'unless', 'with']),
  [PRINT]: printable,
  [NEED]: (value: unknown, path: string): unknown => {
    if (value === null || value === undefined) throw missing(path);
    return value;
  },
  [NAMING]: function naming(this: unknown, ...args: unknown[]): string {
    const options = args.pop() as Handlebars.HelperOptions;
    return options.fn(this, { data: options.data, blockParams: args });
  },
  each: function each(this: unknown, list: unknown, options: Handlebars.HelperOptions): string {
    return eachOf(list, this, options);
  },
  eq: (left: unknown, right: unknown): boolean => left === right,
  default: (...args: unknown[]): unknown => {
    args.pop();
    return args.find((value) => value !== null && value !== undefined && value !== '');
  },
  date: (value: unknown, ...rest: unknown[]): string => {
    const format = rest.length > 1 ? String(rest[0]) : null;
    return formatDate(value, format, readerOf(rest.at(-1)));
  },
  money: (amount: unknown, currency: unknown, options: unknown): string =>
    formatMoney(amount, currency, readerOf(options)),
  survey_url: (score: unknown, options: unknown): string => surveyUrl(score, options),
  number: (value: unknown, options: unknown): string => formatNumber(value, readerOf(options)),
  // The arguments of these three are in the order in which shaped.ts writes them.
  plural: (count: unknown, ...rest: unknown[]): string => formatPlural(count, rest.slice(0, -1), readerOf(rest.at(-1))),
  list: (items: unknown, kind: unknown, of: unknown, options: unknown): string | null =>
    formatList(items, kind, of, readerOf(options)),
  link: (kinds: string, ...rest: unknown[]): string =>
    formLink(rest.slice(0, -1).map((value, index) => ({ isFixed: kinds[index] === FIXED, value }))),
};

const KNOWN_HELPERS = Object.fromEntries(
  [...VALUE_HELPERS.keys(), ...BLOCK_HELPERS, PRINT, NEED, NAMING].map((name) => [name, true]),
);

/** What Handlebars falls back on; `knownHelpersOnly` leaves no way there from a template. */
const FALLBACKS = ['helperMissing', 'blockHelperMissing'];

/** By the names of their helpers. */
const environments = new Map<string, typeof Handlebars>();

/** One with the helpers that a tree names and no others: Handlebars wraps every helper there is anew for every rendering. */
function environmentFor(program: hbs.AST.Program): typeof Handlebars {
  const finder = new NameFinder();
  finder.accept(program);
  const names = [...finder.names].sort();
  const key = names.join(' ');
  let environment = environments.get(key);
  if (environment === undefined) {
    environment = Handlebars.create();
    for (const name of Object.keys(environment.helpers)) {
      if (!FALLBACKS.includes(name)) environment.unregisterHelper(name);
    }
    environment.registerHelper(pick(HELPERS, names));
    environments.set(key, environment);
  }
  return environment;
}

/** Collects the names of helpers; a variable of such a name costs no more than a helper too many. */
class NameFinder extends Handlebars.Visitor {
  readonly names = new Set<string>();

  override PathExpression({ original }: hbs.AST.PathExpression): void {
    if (Object.hasOwn(HELPERS, original)) this.names.add(original);
  }
}

function pick<T>(from: Readonly<Record<string, T | undefined>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(
    names.flatMap((name): [string, T][] => {
      const found = from[name];
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

/** Compiles a checked syntax tree. `escape` is for HTML; subjects and plain text go without. */
export function compileTree(program: hbs.AST.Program, escape: boolean): Print {
  if (program.body.length === 0) return () => '';
  const environment = environmentFor(program);
  const run = environment.compile(program, { knownHelpers: KNOWN_HELPERS, knownHelpersOnly: true, noEscape: !escape });
  return (context, data) =>
    run(context, { data: { mail: data }, allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false });
}

/** Parses a template's text; `source` is what its nodes say they are from. @throws the parser's error, whose message names the line. */
export function parseTree(text: string, source: string): hbs.AST.Program {
  return Handlebars.parse(text, { srcName: source });
}

function missing(path: string): RenderError {
  return new RenderError('missing-variable', path, `${path} is printed, but has no value for this customer`);
}

function printable(value: unknown, path: string): string {
  if (value === null || value === undefined) throw missing(path);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map((item) => printable(item, path)).join(', ');
  throw new RenderError('bad-value', path, `${path} is not a text but a record; print one of its fields`);
}

function surveyUrl(score: unknown, options: unknown): string {
  const { survey } = mailData(options as Handlebars.HelperOptions);
  if (survey === null) throw new RenderError('bad-value', 'survey_url', 'survey_url is for the mail of a survey step');
  const link = survey.links.find((one) => one.score === Number(score));
  if (link !== undefined) return link.url;
  const scores = survey.links.map((one) => one.score).join(', ');
  const message = `survey_url ${String(score)}: the scores of "${survey.ask}" are ${scores}`;
  throw new RenderError('bad-value', 'survey_url', message);
}

function eachOf(list: unknown, outer: unknown, options: Handlebars.HelperOptions): string {
  const entries = typeof list === 'object' && list !== null ? Object.entries(list) : [];
  if (entries.length === 0) return options.inverse(outer);
  const shared = mailData(options);
  let out = '';
  for (const [index, [key, item]] of entries.entries()) {
    shared.turns += 1;
    const data = Handlebars.createFrame(options.data) as Record<string, unknown>;
    const name = Array.isArray(list) ? index : key;
    Object.assign(data, { key: name, index, first: index === 0, last: index === entries.length - 1 });
    out += options.fn(item, { data, blockParams: [item, name] });
    if (out.length > RENDER_LIMITS.bytes || shared.turns > RENDER_LIMITS.loopTurns) {
      throw new RenderError(
        'too-large',
        'each',
        'a loop makes the mail larger than 256 KB or runs more than 10,000 times',
      );
    }
  }
  return out;
}

function readerOf(options: unknown): Reader {
  return mailData(options as Handlebars.HelperOptions);
}

function mailData(options: Handlebars.HelperOptions): RenderData {
  return (options.data as { readonly mail: RenderData }).mail;
}
