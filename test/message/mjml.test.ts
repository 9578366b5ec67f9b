import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { ENDING_TAGS, TAGS } from '../../engine/message/mjml-source.ts';
import { type Template, compileTemplates } from '../../engine/message/templates.ts';
import { convertMjml, openMjml } from '../../engine/project/mjml.ts';
import { COMPANY, type Files, SCOPE } from './support.ts';

function compile(files: Files) {
  const sources = Object.entries({ 'perennial.yaml': COMPANY, ...files }).map(([path, text]) => ({ path, text }));
  return compileTemplates(sources, convertMjml);
}

const mail = (body: string, more = '') => `---\nsubject: Hi\n${more}---\n${body}`;
const whole = (body: string) => mail(`<mjml><mj-body>\n${body}\n</mj-body></mjml>`);

function template(files: Files, name = 't'): Template {
  const { templates, problems } = compile(files);
  expect(problems).toEqual([]);
  const found = templates.get(name);
  if (found === null) throw new Error(`${name} is missing`);
  return found;
}

const count = (text: string, piece: string) => text.split(piece).length - 1;

describe('a mail in MJML', () => {
  it('becomes HTML when it is checked, with its Handlebars in their places', () => {
    const { html, text, preheader } = template({
      'templates/t.mjml': mail(
        `<mjml>
  <mj-head><mj-title>{{subject}}</mj-title><mj-style inline="inline">.big { font-size: 30px }</mj-style></mj-head>
  <mj-body background-color="{{vars.colour}}">
    <mj-section css-class="top {{#if customer.vip}}vip{{else}}plain{{/if}}">
      {{#each event.items}}
      <mj-column>
        <mj-text><p class="big">{{title}}: {{money price "GBP"}}</p></mj-text>
        {{#if @last}}<mj-divider/>{{/if}}
        <mj-button href="{{link page}}">See {{title}}</mj-button>
      </mj-column>
      {{/each}}
    </mj-section>
    {{#if customer.last_name}}<mj-section><mj-column><mj-text>Dear {{customer.last_name}}</mj-text></mj-column></mj-section>{{/if}}
    <mj-section><mj-column><mj-image alt="A mug" src="{{link "https://hearth.example/" event.order_id ".png"}}"/></mj-column></mj-section>
  </mj-body>
</mjml>`,
        'preheader: For {{customer.first_name}}\n',
      ),
      'perennial.yaml': COMPANY.replace('plan: string', 'plan: string, vip: boolean'),
    }).render({ ...SCOPE, vars: { colour: '#abc' } });
    expect(html).toMatch(/^\s*<!doctype html>/i);
    expect(html).not.toMatch(/mj-(?:section|column|text|button|raw)[\s>]|[\ue000\ue001{}]{2}/);
    expect(html).toContain('<title>Hi</title>');
    expect(html).toMatch(/<body[^>]*>\s*<div style="max-height:0[^>]*aria-hidden="true">For Ada<\/div>/);
    expect(html).toContain('background-color:#abc');
    expect(html).toContain('class="top plain"');
    expect(count(html, '<p class="big" style="font-size: 30px;">')).toBe(2);
    expect(html).toContain('Pot &quot;L&quot;: £30.50</p>');
    expect(html).toContain('<a href="https://hearth.example/pot"');
    expect(html).toContain('src="https://hearth.example/A-1.png"');
    expect(count(html, 'border-top:solid 4px')).toBeGreaterThan(0);
    expect(html).not.toContain('Dear');
    expect(preheader).toBe('For Ada');
    expect(text).toContain('Mug: £12.00');
    expect(text).toContain('See Mug <https://hearth.example/mug>');
    expect(count(html, '<!--[if')).toBe(count(html, '<![endif]'));
  });

  it('stands in a layout in MJML, uses partials in MJML, and has variants for locales', () => {
    const files = {
      'templates/layouts/default.hbs': '<main>{{{body}}}</main>',
      'templates/layouts/default.mjml':
        '<mjml><mj-head><mj-preview>{{preheader}}</mj-preview></mj-head><mj-body>{{{body}}}{{> foot}}</mj-body></mjml>',
      'templates/partials/foot.mjml':
        '<mj-section><mj-column><mj-text>{{company.name}}</mj-text></mj-column></mj-section>',
      'templates/t.mjml': mail(
        '<mj-section><mj-column><mj-text>Hello {{customer.first_name}}</mj-text></mj-column></mj-section>',
        'preheader: Now\n',
      ),
      'templates/t.de.mjml': mail(
        '<mj-section><mj-column><mj-text>Hallo</mj-text></mj-column></mj-section>',
        'preheader: Jetzt\n',
      ),
      'templates/h.hbs': mail('<p>x</p>'),
    };
    const rendered = template(files).render(SCOPE);
    expect(rendered.text).toBe('Hello Ada\nHearth & Home\n');
    expect(count(rendered.html, 'Now')).toBe(1);
    expect(compile(files).templates.get('t', 'de-AT')?.render(SCOPE).text).toContain('Hallo');
    expect(template(files, 'h').render(SCOPE).html).toBe('<main><p>x</p></main>');
    expect(template(files).file).toBe('templates/t.mjml');
  });
});

describe('mistakes in MJML', () => {
  const at = (files: Files) =>
    compile(files).problems.map(
      ({ file, line, column, code, message, fix }) =>
        `${file.replace('templates/', '')}:${line}:${column} ${code} | ${message} | ${fix}`,
    );

  it.each([
    ['<mj-text>{{customer.frist_name}}</mj-text>', /^t.mjml:5:12 unknown-field \|.*first_name\?$/],
    [
      '<mj-section>\n  <mj-column>\n<mj-button href="{{vars.x}}">x</mj-button></mj-column></mj-section>',
      /^t.mjml:7:20 bare-link .*\{\{link vars.x\}\}$/,
    ],
    [
      '<mj-section>\n  <mj-column bogus="1"/></mj-section>',
      /^t.mjml:6:3 mjml \| mj-column has no attribute "bogus" \| see .*#mj-column$/,
    ],
    [
      '{{#if customer.name}}\n<mj-section>\n <mj-text>x</mj-text></mj-section>{{/if}}',
      /^t.mjml:7:2 mjml \| mj-text: mj-text cannot be used inside mj-section/,
    ],
    [
      '<mj-section>\n  <mj-colum/></mj-section>',
      /^t.mjml:6:3 mjml \| MJML has no component mj-colum \| did you mean mj-column\?$/,
    ],
    [
      '<mj-section><mj-column>',
      /^t.mjml:6:1 mjml \| <\/mj-body> comes before <mj-column> is closed \| write <\/mj-column> before it$/,
    ],
    ['</mj-column>', /^t.mjml:5:1 mjml \| <\/mj-column> closes nothing/],
    ['<mj-section>Hello</mj-section>', /^t.mjml:5:13 mjml \| the text "Hello" stands between components/],
    [
      '<mj-section><mj-column width="{{vars.w}}"/></mj-section>',
      /^t.mjml:5:13 mjml \| Attribute width has invalid value: \{\{vars.w\}\} .* \| write a fixed value there$/,
    ],
    [
      '<mj-section {{#if vars.x}}full-width="full-width"{{/if}}/>',
      /^t.mjml:5:1 mjml \| Handlebars may stand within the value/,
    ],
    ['<mj-include path="/etc/passwd"/>', /^t.mjml:5:1 mjml \| mj-include reads other files/],
    ['{{#if vars.x}}<mj-section><mj-column>{{/if}}<mj-text>x</mj-text></mj-column></mj-section>', null],
  ])('%s: %s', (body, expected) => {
    const told = at({ 'templates/t.mjml': whole(body) });
    if (expected === null) expect(told).toEqual([]);
    else {
      expect(told[0]).toMatch(expected);
      expect(told).toHaveLength(1);
    }
  });

  it('are told where they are: in a layout, a partial, the head', () => {
    const body = mail('<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>');
    const layout =
      '<mjml>\n<mj-head>{{#if vars.x}}<mj-title>x</mj-title>{{/if}}</mj-head><mj-body>{{{body}}}</mj-body></mjml>';
    expect(at({ 'templates/t.mjml': body, 'templates/layouts/default.mjml': layout })).toEqual([
      expect.stringMatching(/^layouts\/default.mjml:2:10 mjml \| Handlebars stands between parts of the head/),
    ]);
    const files = {
      'templates/t.mjml': whole('{{> foot}}'),
      'templates/partials/foot.mjml':
        '{{#if vars.x}}\n  <mj-section>\n    <mj-column padding="x" bogus="1"/></mj-section>\n{{/if}}',
    };
    expect(at(files).map((told) => told.replace(/ \|.*/, ''))).toEqual(
      expect.arrayContaining(['partials/foot.mjml:3:5 mjml']),
    );
  });

  it('of the files themselves', () => {
    const fragment = '<mj-section/>';
    expect(at({ 'templates/t.mjml': mail(fragment) })).toEqual([expect.stringContaining('t.mjml:4:1 no-layout')]);
    expect(at({ 'templates/t.mjml': mail(fragment, 'layout: a\n'), 'templates/layouts/a.hbs': '{{{body}}}' })).toEqual([
      't.mjml:3:9 unknown-layout | there is no templates/layouts/a.mjml | make templates/layouts/a.mjml: a mail and its layout are of one kind',
    ]);
    const inLayout = mail('<mjml><mj-body/></mjml>', 'layout: default\n');
    const layouts = { 'templates/layouts/default.mjml': '<mjml><mj-body>{{{body}}}</mj-body></mjml>' };
    expect(at({ ...layouts, 'templates/t.mjml': inLayout })).toEqual([
      expect.stringContaining('t.mjml:3:9 whole-mail'),
    ]);
    expect(at({ 'templates/t.hbs': mail('x'), 'templates/t.mjml': whole('') })).toEqual([
      't.mjml:1:1 same-name | templates/t.hbs has the same name | rename one of them, or take it away',
    ]);
  });
});

describe('MJML itself', () => {
  it('has the components that the reading of the source knows', () => {
    const { components } = createRequire(import.meta.url)('mjml-preset-core') as {
      readonly components: readonly { readonly componentName: string; readonly endingTag?: boolean }[];
    };
    const ending = components.filter(({ endingTag }) => endingTag === true).map(({ componentName }) => componentName);
    expect([...ENDING_TAGS].sort()).toEqual([...ending].sort());
    expect(components.map(({ componentName }) => componentName).filter((name) => !TAGS.includes(name))).toEqual([]);
  });

  it('says what it cannot read', () => {
    expect(convertMjml('<mjml></mjml>')).toEqual({ failure: expect.stringContaining('Malformed MJML') });
  });
});

describe('the threads of MJML', () => {
  const document =
    '<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>';

  it('are noticed at once when they run out of memory, and begun anew for the next mail', () => {
    // Loading MJML takes more than that; with a day of patience, only their end can be what is noticed.
    const convert = openMjml({ patienceMs: 86_400_000, memoryMb: 8 });
    for (let time = 0; time < 2; time += 1) {
      expect(convert(document)).toEqual({ failure: 'it needs more than 8 MB of memory' });
    }
  });

  it('are ended when they take too long, and begun anew', () => {
    const convert = openMjml({ patienceMs: 1, memoryMb: 512 });
    expect(convert(document)).toEqual({ failure: 'it took longer than 0.001 seconds' });
    expect(convert(document)).toEqual({ failure: 'it took longer than 0.001 seconds' });
    expect(convertMjml(document)).toMatchObject({ mistakes: [] });
  });
});
