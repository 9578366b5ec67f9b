/**
 * Templates reach their variables and nothing else. Written anew from what Handlebars says of its own security (its guide on
 * prototype access and the advisories GHSA-2cf5-4w76-r9qv, -765h-qjxv-5f44, -62gr-4qp9-h98f, -f2jv-r9rf-7988) and from those of March 2026: CVE-2026-33937 to 33941.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import Handlebars from 'handlebars';
import { compileTree } from '../../engine/message/helpers.ts';
import { RenderError } from '../../engine/message/templates.ts';
import { checkSources } from '../../engine/project/check.ts';
import { COMPANY, compile, compileBody, render, SCOPE } from '../message/support.ts';

/** What a template that broke out would set. */
const canary = globalThis as { broken?: boolean };
const code = 'globalThis.broken = true';
afterEach(() => {
  expect(canary.broken).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** The codes of the errors in a template; empty when it may be deployed. */
function refusals(body: string): readonly string[] {
  return compileBody(body)
    .problems.filter(({ level }) => level === 'error')
    .map(({ code: of }) => of);
}

describe('ways to the prototype', () => {
  it.each([
    ['{{constructor}}', 'unknown-variable'],
    ['{{[constructor]}}', 'unknown-variable'],
    ['{{customer.constructor}}', 'unknown-field'],
    ['{{customer.constructor.name}}', 'unknown-field'],
    ['{{customer.__proto__}}', 'unknown-field'],
    ['{{customer.[__proto__]}}', 'unknown-field'],
    ['{{customer.["constructor"]}}', 'unknown-field'],
    ['{{~customer.constructor~}}', 'unknown-field'],
    ['{{@root.constructor}}', 'unknown-variable'],
    ['{{@root.customer.__proto__}}', 'unknown-field'],
    ['{{event.__proto__.polluted}}', 'unknown-field'],
    ['{{#each customer.__proto__}}x{{/each}}', 'unknown-field'],
    ['{{lookup customer "constructor"}}', 'unknown-helper'],
    ['{{#with (lookup vars "constructor")}}x{{/with}}', 'unknown-helper'],
    ['{{__lookupGetter__ "x"}}', 'unknown-helper'],
    ['{{__defineGetter__ "undefined" valueOf}}', 'unknown-helper'],
    ['{{#with "s" as |string|}}{{#with (string.sub.apply 0 vars)}}x{{/with}}{{/with}}', 'unknown-helper'],
  ])('%s cannot be deployed: %s', (body, of) => {
    expect(refusals(body)).toContain(of);
  });

  it.each([
    '{{vars.constructor}}',
    '{{vars.constructor.constructor}}',
    '{{vars.gift.__proto__}}',
    '{{vars.toString}}',
    '{{vars.valueOf}}',
    '{{vars.__defineGetter__}}',
    '{{#with vars}}{{constructor}}{{/with}}',
    '{{event.items.0.constructor}}',
    '{{#each event.items}}{{constructor}}{{/each}}',
    '{{#each event.items}}{{this.__proto__}}{{/each}}',
    '{{link vars.constructor}}',
    '{{date vars.constructor}}',
  ])('%s, whose fields nobody declares, is a value that is missing', (body) => {
    expect(refusals(body)).toEqual([]);
    expect(() => render(body)).toThrow(expect.objectContaining({ code: 'missing-variable' }));
  });

  it('a list or a condition sees nothing there either', () => {
    expect(render('{{#each vars.constructor}}x{{else}}none{{/each}}').html).toBe('none');
    expect(render('{{#if vars.constructor}}y{{else}}n{{/if}}').html).toBe('n');
    expect(render('{{default vars.__proto__ "none"}}').html).toBe('none');
  });

  it('a field of a customer that has such a name is a field like any other', () => {
    const vars = JSON.parse('{"constructor":"a","__proto__":"b","hasOwnProperty":"c"}') as Record<string, string>;
    expect(render('{{vars.constructor}}{{vars.hasOwnProperty}}', {}, { ...SCOPE, vars }).html).toBe('ac');
  });
});

describe("Handlebars' own inside", () => {
  it.each([
    ['{{helperMissing}}', 'unknown-variable'],
    ['{{helperMissing customer}}', 'unknown-helper'],
    ['{{#helperMissing}}x{{/helperMissing}}', 'unknown-block'],
    ['{{#blockHelperMissing .}}x{{/blockHelperMissing}}', 'unknown-block'],
    ['{{log "x"}}', 'unknown-helper'],
    ['{{$print customer.name}}', 'unknown-helper'],
    ['{{$need customer.name}}', 'unknown-helper'],
    ['{{@mail.turns}}', 'unknown-variable'],
    ['{{@root}}', 'no-item'],
    ['{{{{raw}}}} {{x}} {{{{/raw}}}}', 'unknown-block'],
  ])('%s cannot be deployed: %s', (body, of) => {
    expect(refusals(body)).toContain(of);
  });

  it.each(['{{{customer.name}}}', '{{&customer.name}}', '{{{vars.at}}}', '<b>{{{event.order_id}}}</b>'])(
    '%s would print without escaping, and cannot be deployed',
    (body) => {
      expect(refusals(body)).toEqual(['raw-output']);
    },
  );
});

describe('CVE-2026-33937: a syntax tree in the place of a text', () => {
  const tree = (value: unknown): hbs.AST.Program =>
    ({
      type: 'Program',
      body: [
        {
          type: 'MustacheStatement',
          path: { type: 'PathExpression', data: false, depth: 0, parts: ['number'], original: 'number' },
          params: [{ type: 'NumberLiteral', value, original: value }],
          escaped: true,
          strip: { open: false, close: false },
        },
      ],
      strip: {},
      blockParams: [],
      loc: { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } },
    }) as unknown as hbs.AST.Program;
  const evil = `{}), (${code}), ({}`;

  it('is refused by the compiler that we have, should one ever come from outside', () => {
    const data = { locale: 'en', zone: 'UTC', now: 0, turns: 0, survey: null };
    const print = (value: unknown): string => compileTree(tree(value), true)({}, data);
    expect(() => print(evil)).toThrow();
    const [major = 0, minor = 0, patch = 0] = Handlebars.VERSION.split('.').map(Number);
    expect(major * 10_000 + minor * 100 + patch).toBeGreaterThanOrEqual(4_07_10);
  });

  it('in a file is a text like any other', () => {
    const { templates } = compile({ 'templates/t.hbs': `---\nsubject: x\n---\n${JSON.stringify(tree(evil))}` });
    expect(templates.get('t')?.render(SCOPE).html).toContain('NumberLiteral');
  });
});

describe('CVE-2026-33938 and 33940: values that become partials', () => {
  const crafted = { type: 'Program', call: true, body: [{ type: 'NumberLiteral', value: code }], loc: {} };
  const scope = { ...SCOPE, vars: { partial: crafted, name: 'partial' }, event: { 'partial-block': crafted } };

  it.each([
    ['{{> @partial-block}}', 'unknown-partial'],
    ['{{@partial-block}}', 'unknown-variable'],
    ['{{@_parent.partial-block}}', 'unknown-variable'],
    ['{{#> greeting}}x{{/greeting}}', 'not-a-template-form'],
    ['{{> (lookup vars "partial")}}', 'unknown-partial'],
    ['{{> (vars.name)}}', 'unknown-partial'],
    ['{{> vars.partial}}', 'unknown-partial'],
    ['{{> "../../etc/passwd"}}', 'unknown-partial'],
  ])('%s cannot be deployed: %s', (body, of) => {
    expect(refusals(body)).toContain(of);
  });

  it('are never more than records that cannot be printed', () => {
    expect(() => render('{{vars.partial}}', {}, scope)).toThrow(RenderError);
    expect(render('{{vars.name}}', { 'templates/partials/partial.hbs': 'mine' }, scope).html).toBe('partial');
  });
});

describe('CVE-2026-33939: decorators', () => {
  it.each(['{{*n}}', '{{#*n}}x{{/n}}', '{{#*inline "x"}}y{{/inline}}', '{{* customer.name}}'])(
    '%s is a mistake with its place, and ends no process',
    (body) => {
      const [problem] = compileBody(body).problems;
      expect(problem).toMatchObject({ level: 'error', file: 'templates/t.hbs', line: 4 });
    },
  );
});

describe('CVE-2026-33941: names of files in code', () => {
  it.each([
    `x"];${code};//`,
    "x'+y",
    'a`b`',
    '../../x',
    '../../../etc/passwd',
    '/etc/passwd',
    'welcome/../hello',
    'welcome//hello',
    'C:\\windows',
    'x\u0000y',
    '',
  ])('%j is named by no step: no code is made of names, and none leads out of the folder', (name) => {
    const company = `${COMPANY}mail: { from: A <a@hearth.example> }\ndefaults: { timezone: Europe/London }\ntopics: { t: { title: T } }\n`;
    const playbook = `topic: t\ntrigger: { manual: true }\nsteps:\n  - email: ${JSON.stringify(name)}\n`;
    const sources = [
      { path: 'perennial.yaml', text: company },
      { path: 'playbooks/p.yaml', text: playbook },
      { path: `templates/${name}.hbs`, text: '---\nsubject: x\n---\nx' },
    ];
    const { release, problems } = checkSources(sources, { isDeployed: false });
    expect(release).toBeNull();
    expect(problems).toContainEqual(expect.objectContaining({ file: 'playbooks/p.yaml', line: 4, level: 'error' }));
  });
});
