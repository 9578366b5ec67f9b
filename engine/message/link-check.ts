/** Finds values that stand in `href`, `src` and their like without going through `link`, and values within scripts. */
import type { Problem } from '../playbook/problem.ts';
import { type HtmlState, IN_TEXT, VALUE, readHtml } from './html-state.ts';
import { placeOf } from './parse.ts';
import { type Expression, type Part, isLiteral, partsOf } from './syntax.ts';

/** Attributes whose value a mail client follows or loads. */
const ADDRESSES = new Set('href src srcset action formaction background poster cite data longdesc ping'.split(' '));
/** Addresses that the engine itself makes, and helpers that give such. */
const OWN_VARIABLES = new Set(['unsubscribe_url', 'preferences_url']);
const OWN_HELPERS = new Set(['link', 'survey_url']);
const SURVEY_LINKS = 'survey.links';

/** In a style, the beginning of `url(…)` without its end. */
const OPEN_URL = /url\([^)]*$/i;

/** Names under which the address of a survey's link goes in the loop at hand. */
type LinkNames = ReadonlySet<string>;

interface Search {
  readonly problems: Problem[];
}

/** A problem for each value that could become an address, or a part of one or of a script, as it stands. */
export function findBareLinks(html: readonly Part[]): readonly Problem[] {
  const search: Search = { problems: [] };
  walk(html, [IN_TEXT], new Set(), search);
  return search.problems;
}

/** The states after some parts: several where a block may have been printed or not. */
function walk(
  parts: readonly Part[],
  from: readonly HtmlState[],
  names: LinkNames,
  search: Search,
): readonly HtmlState[] {
  let states = from;
  for (const part of parts) {
    switch (part.type) {
      case 'ContentStatement': {
        const { value } = part;
        states = distinct(states.map((state) => readHtml(state, value)));
        break;
      }
      case 'MustacheStatement': {
        const script = states.find((state) => isScript(state));
        const found = states.find((state) => isAddress(state));
        if (script !== undefined) search.problems.push(scriptProblem(part, script));
        else if (found !== undefined && !isOwn(part.params[0] as Expression, names))
          search.problems.push(problemOf(part, found));
        states = distinct(states.map((state) => readHtml(state, VALUE)));
        break;
      }
      case 'BlockStatement':
        states = walkBlock(part, states, names, search);
        break;
    }
  }
  return states;
}

function walkBlock(
  node: hbs.AST.BlockStatement,
  from: readonly HtmlState[],
  names: LinkNames,
  search: Search,
): readonly HtmlState[] {
  const inside = namesInside(node, names);
  const once = walk(partsOf(node.program), from, inside, search);
  const otherwise = node.inverse ? walk(partsOf(node.inverse), from, names, search) : from;
  const isLoop = node.path.original === 'each';
  // A turn may begin where the one before it ended; what is found twice is told once.
  const again = isLoop ? walk(partsOf(node.program), once, inside, search) : [];
  return distinct([...once, ...again, ...otherwise]);
}

function namesInside(node: hbs.AST.BlockStatement, names: LinkNames): LinkNames {
  const helper = node.path.original;
  if (helper !== 'each' && helper !== 'with') return names;
  const param = node.params[0] as Expression;
  const isLinks = param.type === 'PathExpression' && rootPath(param) === SURVEY_LINKS;
  const kept = [...names].filter((name) => name.includes('.'));
  if (!isLinks || helper !== 'each') return new Set(kept);
  return new Set([...kept, 'url', ...node.program.blockParams.slice(0, 1).map((name) => `${name}.url`)]);
}

function rootPath({ data, parts }: hbs.AST.PathExpression): string | null {
  return data && parts[0] === 'root' ? parts.slice(1).join('.') : null;
}

/** Whether a value is an address that nothing from outside has a say in, or that `link` has looked at. */
function isOwn(value: Expression, names: LinkNames): boolean {
  if (isLiteral(value)) return true;
  if (value.type === 'SubExpression') {
    const helper = value.path.original;
    return (
      OWN_HELPERS.has(helper) || (helper === 'default' && value.params.every((one) => isOwn(one as Expression, names)))
    );
  }
  if (value.type !== 'PathExpression') return false;
  const variable = rootPath(value);
  if (variable !== null) return OWN_VARIABLES.has(variable) || /^survey\.links\.\d+\.url$/.test(variable);
  return value.depth === 0 && !value.data && names.has(value.parts.join('.'));
}

function isAddress({ at, attribute, read }: HtmlState): boolean {
  if (at !== 'value' && at !== 'equals') return false;
  if (attribute === 'style') return OPEN_URL.test(read);
  return ADDRESSES.has(attribute.replace(/^[\w-]+:/, ''));
}

/** Where escaping for HTML keeps nothing in: what it encodes is decoded again before it is run, or never was. */
function isScript({ at, tag, attribute }: HtmlState): boolean {
  if (at === 'raw') return tag === 'script';
  return (at === 'value' || at === 'equals') && (attribute === 'srcdoc' || /^on[a-z]+$/.test(attribute));
}

function wordsOf({ params }: hbs.AST.MustacheStatement): string {
  const name = (params as readonly Expression[])[1];
  return name !== undefined && isLiteral(name) ? String(name.value) : 'value';
}

function scriptProblem(node: hbs.AST.MustacheStatement, { at, attribute }: HtmlState): Problem {
  const where = at === 'raw' ? '<script>' : attribute;
  return {
    ...(placeOf(node.loc) ?? { file: 'templates', line: 1, column: 1 }),
    level: 'error',
    code: 'value-in-script',
    message: `{{${wordsOf(node)}}} stands in ${where}, where a value can become a script`,
    fix: `take ${where} out: no mail program runs it`,
  };
}

function problemOf(node: hbs.AST.MustacheStatement, { attribute, read }: HtmlState): Problem {
  const words = wordsOf(node);
  const value = node.params[0] as Expression | undefined;
  const shown = value?.type === 'SubExpression' ? `(${value.path.original} …)` : words;
  const before = /^[^\ufffc"]+$/.test(read) && attribute !== 'style' ? `"${read}" ` : '';
  const fix = read.includes(VALUE)
    ? 'write one {{link …}} for the whole address, as in {{link company.website path}}'
    : `write {{link ${before}${shown}}}${before === '' ? '' : ' for the whole address'}`;
  return {
    ...(placeOf(node.loc) ?? { file: 'templates', line: 1, column: 1 }),
    level: 'error',
    code: 'bare-link',
    message: `{{${words}}} stands in ${attribute}, where a value can lead anywhere or break the address`,
    fix,
  };
}

/** Of each kind that matters one: blocks within a tag would multiply them. */
function distinct(states: readonly HtmlState[]): readonly HtmlState[] {
  if (states.length < 2) return states;
  return [...new Map(states.map((state) => [kindOf(state), state])).values()];
}

function kindOf({ at, tag, attribute, quote, read }: HtmlState): string {
  const matters = at === 'name' ? read : attribute === 'style' && OPEN_URL.test(read);
  return JSON.stringify([at, tag, attribute, quote, matters]);
}
