import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RenderError, compileTemplates, usableLocale } from '../../engine/message/templates.ts';
import { textOfHtml } from '../../engine/message/text.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';
import { compile, compileBody, type Files, render, SCOPE } from './support.ts';

describe('rendering', () => {
  it.each([
    ['{{customer.name}}', 'Ada &lt;Lovelace&gt; &amp; co'],
    ['<a title="{{event.items.1.title}}">', '<a title="Pot &quot;L&quot;">'],
    ['{{customer.tags}}', 'a, b'],
    ['{{customer.orders}}', '1234'],
    ['{{number customer.orders}}', '1,234'],
    ['{{money event.total "GBP"}}', '£42.50'],
    ['{{date customer.birthday}}', '28 February 1990'],
    ['{{date customer.birthday "d MMM"}}', '28 Feb'],
    ['{{date customer.first_order_at}}', '2 January 2026'],
    ['{{date vars.at "HH:mm"}}', '09:15'],
    ['{{date now "yyyy"}}', '2026'],
    ['{{default customer.last_name "there"}}', 'there'],
    ['{{default customer.plan customer.first_name "there"}}', 'Ada'],
    ['{{#if (eq customer.first_name "Ada")}}y{{else}}n{{/if}}', 'y'],
    ['{{#if customer.last_name}}{{customer.last_name}}{{else if customer.plan}}p{{else}}none{{/if}}', 'none'],
    ['{{#unless customer.last_name}}none{{/unless}}', 'none'],
    [
      '{{#each event.items}}{{@index}}{{#if @first}}!{{/if}} {{title}} for {{customer.first_name}};{{/each}}',
      '0! Mug for Ada;1 Pot &quot;L&quot; for Ada;',
    ],
    [
      '{{#each event.items as |item n|}}{{n}}{{item.title}}{{#unless @last}},{{/unless}}{{/each}}',
      '0Mug,1Pot &quot;L&quot;',
    ],
    ['{{#with vars.gift}}{{code}}{{@root.customer.first_name}}{{/with}}', 'X1Ada'],
    ['{{#each customer.last_name}}x{{else}}empty{{/each}}', 'empty'],
    ['{{!-- a note --}}x', 'x'],
  ])('%s gives %s', (body, html) => {
    expect(render(body).html).toBe(html);
  });

  it.each([
    ['{{customer.last_name}}', 'missing-variable', 'customer.last_name'],
    ['{{vars.nothing.at.all}}', 'missing-variable', 'vars.nothing.at.all'],
    ['{{launch.title}}', 'missing-variable', 'launch.title'],
    ['{{date customer.last_name}}', 'missing-variable', 'customer.last_name'],
    ['{{money vars.x "GBP"}}', 'missing-variable', 'vars.x'],
    ['{{default customer.last_name vars.x}}', 'missing-variable', 'customer.last_name'],
    ['{{#each event.items}}{{colour}}{{/each}}', 'missing-variable', 'colour'],
    ['{{customer.constructor}}', 'unknown-field', ''],
    ['{{vars.constructor}}', 'missing-variable', 'vars.constructor'],
    ['{{vars.gift.__proto__}}', 'missing-variable', 'vars.gift.__proto__'],
    ['{{vars.gift}}', 'bad-value', 'vars.gift'],
    ['{{date customer.name}}', 'bad-value', 'date'],
    ['{{money customer.name "GBP"}}', 'bad-value', 'money'],
    ['{{#each event.items}}{{#each event.items}}{{#each event.items}}{{/each}}{{/each}}{{/each}}', 'too-large', 'each'],
  ])('%s fails with %s, never a hole in the mail', (body, code, path) => {
    if (code === 'unknown-field') {
      expect(compileBody(body).problems.map((problem) => problem.code)).toEqual([code]);
      return;
    }
    const items = Array.from({ length: 30 }, () => ({ title: 'Mug' }));
    const scope = code === 'too-large' ? { ...SCOPE, event: { items } } : SCOPE;
    expect(() => render(body, {}, scope)).toThrow(RenderError);
    expect(() => render(body, {}, scope)).toThrow(expect.objectContaining({ code, path }));
  });

  it('is bounded in size', () => {
    const scope = { ...SCOPE, vars: { long: 'x'.repeat(300_000) } };
    expect(() => render('{{vars.long}}', {}, scope)).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  it('writes the subject without escaping, and refuses one that a value would split', () => {
    const { templates } = compile({
      'templates/t.hbs': '---\nsubject: "For {{customer.name}}: {{money event.total \\"GBP\\"}}"\n---\nx',
    });
    expect(templates.get('t')?.render(SCOPE).subject).toBe('For Ada <Lovelace> & co: £42.50');
    const split = { ...SCOPE, customer: { name: 'Ada\r\nBcc: eve@example.com' } };
    expect(() => templates.get('t')?.render(split)).toThrow(expect.objectContaining({ code: 'line-break-in-subject' }));
  });

  it('escapes whatever a customer is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const { html } = render(
          '<p title="{{customer.name}}">{{customer.name}}</p>',
          {},
          { ...SCOPE, customer: { name } },
        );
        expect(html.match(/[<>]/g)).toHaveLength(4);
        expect(html.match(/"/g)).toHaveLength(2);
      }),
    );
  });
});

describe('layouts, partials and slots', () => {
  const LAYOUT = '<title>{{subject}}</title><body class="x">{{> head}}{{{body}}}</body>';
  const PARTIALS = {
    'templates/partials/head.hbs': '{{#if preheader}}<i hidden>{{preheader}}</i>{{/if}}',
    'templates/partials/button.hbs':
      '<a href="{{link href}}" title="{{company.name}}" {{#if (eq kind "big")}}class="big"{{/if}}>{{default label "Go"}}</a>',
  };

  it('puts a mail together', () => {
    const files = {
      ...PARTIALS,
      'templates/layouts/default.hbs': LAYOUT,
      'templates/layouts/bare.hbs': '<b>{{{body}}}</b>',
      'templates/a.hbs':
        '---\nsubject: Tea & {{customer.first_name}}\npreheader: <now>\n---\n{{> button href="https://hearth.example/x?a=1&b=2" kind="big"}}',
      'templates/b.hbs':
        '---\nsubject: s\nlayout: bare\n---\n{{#each event.items}}{{> button href=page label=@index}}{{/each}}',
      'templates/c.hbs':
        '---\nsubject: s\nlayout: none\npreheader: "Hello {{customer.first_name}}"\n---\n<body id=1>x</body>',
    };
    const { templates, problems } = compile(files);
    expect(problems).toEqual([]);
    expect(templates.names).toEqual(['a', 'b', 'c']);
    const html = (name: string) => templates.get(name)?.render(SCOPE).html;
    expect(html('a')).toBe(
      '<title>Tea &#38; Ada</title><body class="x"><i hidden>&#60;now&#62;</i><a href="https://hearth.example/x?a=1&#38;b=2" title="Hearth &amp; Home" class="big">Go</a></body>',
    );
    expect(html('b')).toBe(
      '<b><a href="https://hearth.example/mug" title="Hearth &amp; Home" >0</a><a href="https://hearth.example/pot" title="Hearth &amp; Home" >1</a></b>',
    );
    expect(html('c')).toMatch(/^<body id=1><div style="max-height:0[^>]*aria-hidden="true">Hello Ada<\/div>x<\/body>/);
    expect(templates.get('c')?.render(SCOPE)).toMatchObject({ preheader: 'Hello Ada', text: 'x\n' });
  });

  it('says what a template reads, and who it is from', () => {
    const { templates } = compile({
      'templates/t.hbs':
        '---\nsubject: "{{customer.name}}"\nfrom: Ada <ada@hearth.example>\n---\n{{#if customer.orders}}{{company.care.email}}{{/if}}{{> p x=vars.gift}}',
      'templates/partials/p.hbs': '{{x.code}}',
    });
    expect([...(templates.get('t')?.reads ?? [])].sort()).toEqual([
      'company.care.email',
      'customer.name',
      'customer.orders',
      'vars.gift',
      'vars.gift.code',
    ]);
    expect(templates.get('t')?.from).toBe('Ada <ada@hearth.example>');
  });

  it('takes the variant nearest to a locale', () => {
    const files = ['t', 't.de', 't.de-AT'].map((name) => [`templates/${name}.hbs`, `---\nsubject: ${name}\n---\nx`]);
    const { templates } = compile(Object.fromEntries(files));
    const subject = (locale: string | null) => templates.get('t', locale)?.render(SCOPE).subject;
    expect(['de-AT', 'de-CH', 'de', 'en-GB', null].map(subject)).toEqual(['t.de-AT', 't.de', 't.de', 't', 't']);
  });

  it('refuses a variant that nobody would get, but in what was deployed before', () => {
    const names = ['t', 't.de-at', 't.pt_BR', 't.DE', 't.old', 't.en-GB', 't.welcome', 't.zh-Hant-TW'];
    const files = Object.fromEntries(names.map((name) => [`templates/${name}.hbs`, '---\nsubject: x\n---\nx']));
    expect(compile(files).problems.map(({ file, code, fix }) => [file, code, fix])).toEqual([
      ['templates/t.DE.hbs', 'locale-name', 'rename it to templates/t.de.hbs'],
      ['templates/t.de-at.hbs', 'locale-name', 'rename it to templates/t.de-AT.hbs'],
      ['templates/t.pt_BR.hbs', 'locale-name', 'rename it to templates/t.pt-BR.hbs'],
    ]);
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    expect(compileTemplates(sources, undefined, { isDeployed: true }).problems).toEqual([]);
  });
});

describe('plain text', () => {
  it.each([
    ['<p>Hello {{customer.name}}</p>', 'Hello Ada <Lovelace> & co\n'],
    ['<h1>Big</h1><p>One<br>two&nbsp;&amp; three</p>', 'Big\n\nOne\ntwo & three\n'],
    ['<a href="{{unsubscribe_url}}">Unsubscribe</a>', 'Unsubscribe <https://hearth.example/u?t=1&k=2>\n'],
    ['<a href="{{link \'mailto:\' company.care.email}}">{{company.care.email}}</a>', 'friends@hearth.example\n'],
    ['<p>A</p>{{#if customer.last_name}}<p>B</p>{{/if}}<p>C</p>', 'A\n\nC\n'],
    ['<p>A</p>{{#if customer.orders}}<p>B</p>{{else}}<p>X</p>{{/if}}<p>C</p>', 'A\n\nB\n\nC\n'],
    [
      '<p>Dear {{#if customer.last_name}}Dr {{customer.last_name}}{{else}}{{customer.first_name}}{{/if}}, hello</p>',
      'Dear Ada, hello\n',
    ],
    [
      '<ul>\n{{#each event.items}}\n<li>{{title}}, {{money price "GBP"}}</li>\n{{/each}}\n</ul>',
      '* Mug, £12.00\n * Pot "L", £30.50\n',
    ],
    [
      '<table><tr><th>What</th><th>Price</th></tr>{{#each event.items}}<tr><td>{{title}}</td><td>{{price}}</td></tr>{{/each}}</table>',
      'What Price\nMug 12\nPot "L" 30.5\n',
    ],
    [
      '<div style="display:none">hidden {{customer.first_name}}</div><style>p { color: red }</style>shown<!-- {{customer.last_name}} -->',
      null,
    ],
    ['<p {{#if customer.orders}}class="x"{{/if}}>{{customer.first_name}}</p>', 'Ada\n'],
  ])('of %s', (body, text) => {
    if (text === null) {
      // A comment is source too: what it prints must have a value.
      expect(() => render(body)).toThrow(expect.objectContaining({ path: 'customer.last_name' }));
      return;
    }
    expect(render(body).text).toBe(text);
    // It is what converting this very mail would give.
    const words = (from: string) => from.split(/\s+/).filter(Boolean);
    expect(words(render(body).text)).toEqual(words(textOfHtml(render(body).html)));
  });

  it('is right also where a block begins in what text leaves out', () => {
    const body = '<div style="display:none">{{#if customer.orders}}a</div><p>b{{else}}c</div><p>d{{/if}}</p>';
    expect(render(body).text).toBe('b\n');
    expect(render(body, {}, { ...SCOPE, customer: { orders: 0 } }).text).toBe('d\n');
  });
});

describe('mistakes', () => {
  const at = (body: string, more: Files = {}) =>
    compileBody(body, more).problems.map(
      ({ file, line, column, code, fix }) => `${file.replace('templates/', '')}:${line}:${column} ${code} | ${fix}`,
    );

  it.each([
    ['Hi {{customer.frist_name}}', 't.hbs:4:6 unknown-field | did you mean customer.first_name?'],
    ['\n  {{customr.name}}', 't.hbs:5:5 unknown-variable | did you mean customer?'],
    ['{{first_name}}', 't.hbs:4:3 unknown-variable | did you mean customer.first_name?'],
    ['{{event.totl}}', 't.hbs:4:3 unknown-field | did you mean event.total?'],
    ['{{company.care.mail}}', 't.hbs:4:3 unknown-field | did you mean company.care.email?'],
    ['{{company.care}}', 't.hbs:4:3 not-printable | print one of its fields: company.care.email, company.care.phone'],
    ['{{customer.orders.count}}', 't.hbs:4:3 unknown-field | null'],
    ['{{trigger.cuont}}', 't.hbs:4:3 unknown-field | did you mean trigger.count?'],
    [
      '{{customer.birthday}}',
      't.hbs:4:3 raw-date | write {{date customer.birthday}} or {{date customer.birthday "d MMMM"}}',
    ],
    ['{{{customer.name}}}', 't.hbs:4:1 raw-output | write {{…}} with two braces'],
    ['{{&customer.name}}', 't.hbs:4:1 raw-output | write {{…}} with two braces'],
    ['{{dat customer.birthday}}', 't.hbs:4:1 unknown-helper | did you mean date?'],
    ['{{lookup customer "name"}}', 't.hbs:4:1 unknown-helper | null'],
    ['{{money event.total}}', 't.hbs:4:1 helper-arguments | write {{money event.total "GBP"}}'],
    ['{{money event.total "pounds"}}', 't.hbs:4:21 bad-currency | write three letters, such as "GBP"'],
    [
      '{{#customer.tags}}x{{/customer.tags}}',
      't.hbs:4:1 unknown-block | write {{#if customer.tags}}…{{/if}} to test a value, {{#each customer.tags}}…{{/each}} for a list',
    ],
    ['{{this}}', 't.hbs:4:3 no-item | use it inside {{#each}} or {{#with}}'],
    ['{{../x}}', 't.hbs:4:3 no-item | use it inside {{#each}} or {{#with}}'],
    ['{{@index}}', 't.hbs:4:3 unknown-variable | null'],
    ['{{@mail.turns}}', 't.hbs:4:3 unknown-variable | null'],
    ['{{> buton}}', 't.hbs:4:1 unknown-partial | did you mean {{> button}}?'],
    ['{{> button customer}}', 't.hbs:4:1 partial-context | write {{> button label="…"}}'],
    [
      '{{> button}}',
      'partials/button.hbs:1:3 missing-parameter | write {{> button label="…"}}, or {{default label "…"}} in the partial',
    ],
    ['{{> loop}}', 'partials/loop.hbs:1:1 partial-cycle | null'],
    [
      '{{#> button}}x{{/button}}',
      't.hbs:4:1 not-a-template-form | use a layout, or a partial with parameters: {{> name label="…"}}',
    ],
    [
      '{{#inline "x"}}{{/inline}}',
      't.hbs:4:1 unknown-block | write {{#if inline}}…{{/if}} to test a value, {{#each inline}}…{{/each}} for a list',
    ],
    [
      '\n{{#if customer.name}}\nx',
      't.hbs:6:1 template-syntax | check that every {{ has its }} and every {{#…}} its {{/…}}',
    ],
    [
      '{{#if customer.name}}x{{/unless}}',
      't.hbs:4:4 template-syntax | check that every {{ has its }} and every {{#…}} its {{/…}}',
    ],
    ['a\uE000b', 't.hbs:4:2 reserved-character | remove the character'],
  ])('%j: %s', (body, expected) => {
    expect(
      at(body, { 'templates/partials/button.hbs': '{{label}}', 'templates/partials/loop.hbs': '{{> loop}}' }),
    ).toEqual([expected]);
  });

  it.each([
    ['x', 't.hbs:1:1 no-front-matter | write ---, subject: …, --- at the top'],
    ['---\npreheader: x\n---\nx', 't.hbs:1:1 no-subject | write subject: … between the --- lines'],
    ['---\nsubject: x\nsubjct: y\n---\nx', 't.hbs:3:1 unknown-key | did you mean subject?'],
    ['---\nsubject:\n---\nx', 't.hbs:2:1 empty | write a text, or leave subject out'],
    ['---\nsubject: Hi {{customer.nam}}\n---\nx', 't.hbs:2:15 unknown-field | did you mean customer.name?'],
    ['---\nsubject: "Hi {{customer.nam}}"\n---\nx', 't.hbs:2:16 unknown-field | did you mean customer.name?'],
    ['---\nsubject: x\nlayout: defualt\n---\nx', 't.hbs:3:9 unknown-layout | did you mean default?'],
    ['---\nsubject: x\nfrom: Hearth\n---\nx', 't.hbs:3:7 bad-address | null'],
    ['---\nsubject: |\n  a\n  b\n---\nx', 't.hbs:2:10 line-break | null'],
    ['---\nsubject: [\n---\nx', 't.hbs:3:1 yaml | null'],
  ])('in front matter %j: %s', (text, expected) => {
    const { problems, templates } = compile({ 'templates/t.hbs': text, 'templates/layouts/default.hbs': '{{{body}}}' });
    const told = problems.map(
      ({ file, line, column, code, fix }) => `${file.replace('templates/', '')}:${line}:${column} ${code} | ${fix}`,
    );
    expect(told[0]).toBe(expected);
    expect(templates.get('t')).toBeNull();
  });

  it('in a layout or partial are told once, however many mails use it, and others still compile', () => {
    const mails = ['a', 'b', 'c'].map((name) => [`templates/${name}.hbs`, '---\nsubject: x\n---\nx']);
    const { problems, templates } = compile({
      ...Object.fromEntries(mails),
      'templates/d.hbs': '---\nsubject: x\nlayout: none\n---\nx',
      'templates/layouts/default.hbs': '{{{body}}}{{> foot}}',
      'templates/layouts/empty.hbs': 'no place for a mail',
      'templates/e.hbs': '---\nsubject: x\nlayout: empty\n---\nx',
      'templates/partials/foot.hbs': '\n{{customer.nmae}}',
    });
    expect(problems.map(({ file, line, code }) => `${file}:${line} ${code}`)).toEqual([
      'templates/layouts/empty.hbs:1 no-body',
      'templates/partials/foot.hbs:2 unknown-field',
    ]);
    expect(templates.names).toEqual(['d']);
  });

  it('in one that cannot be read are told there, and keep the mails that use it back', () => {
    const { problems, templates } = compile({
      'templates/a.hbs': '---\nsubject: x\n---\n{{> bad}}',
      'templates/b.hbs': '---\nsubject: x\nlayout: bad\n---\nx',
      'templates/c.hbs': '---\nsubject: x\n---\nx',
      'templates/layouts/bad.hbs': '{{{body}}}{{#if}',
      'templates/partials/bad.hbs': '{{',
    });
    expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'templates/layouts/bad.hbs template-syntax',
      'templates/partials/bad.hbs template-syntax',
    ]);
    expect(templates.names).toEqual(['c']);
  });

  it('are never a crash, and partials that multiply each other end', () => {
    const doubling = Array.from({ length: 40 }, (_, n) => [
      `templates/partials/p${n}.hbs`,
      `{{> p${n + 1}}}{{> p${n + 1}}}`,
    ]);
    const files = { ...Object.fromEntries(doubling), 'templates/partials/p40.hbs': 'x' };
    expect(at('{{> p0}}', files).join()).toContain('too-large');
    const pieces = [
      '{{',
      '}}',
      '{{{',
      '}}}',
      '#if ',
      '/if',
      'else',
      'customer.name',
      '> p',
      ' ',
      '"',
      '(',
      ')',
      '=',
      'each',
      '|',
      '../',
      '@',
      '<p>',
      '---',
      '\n',
      '.',
      'as |x|',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), (parts) => {
        const { templates, problems } = compileBody(parts.join(''));
        expect(templates.names.length > 0 || problems.length > 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('locales', () => {
  it.each([
    [['en_gb'], 'en-GB'],
    [['english', 'de'], 'de'],
    [[null, 'x', 'fr-ca'], 'fr-CA'],
    [[null], 'en'],
  ])('%j gives %s', (candidates, locale) => {
    expect(usableLocale(...candidates)).toBe(locale);
  });
});

describe('the worked examples', () => {
  const folder = sharedFolder('conformance');
  const names = folder === null ? [] : readdirSync(folder);
  it.each(folder === null ? ['(absent)'] : names)('%s renders', (name) => {
    if (folder === null) return;
    const { templates, problems } = compileTemplates(sourcesIn(join(folder, name)));
    expect(problems).toEqual([]);
    expect(templates.names.length).toBeGreaterThan(0);
    for (const template of templates.names) {
      const mail = templates.get(template)?.render({ ...SCOPE, company: { name: 'H & H', address: '12 Mill Lane' } });
      expect(mail?.subject).toBe(template);
      expect(mail?.text).toBe(
        'Hello Ada <Lovelace> & co\n\nH & H, 12 Mill Lane. Unsubscribe <https://hearth.example/u?t=1&k=2>\n',
      );
    }
  });
});
