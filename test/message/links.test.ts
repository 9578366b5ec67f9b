import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formLink } from '../../engine/message/link.ts';
import { RenderError } from '../../engine/message/scope.ts';
import { compileBody, render, SCOPE } from './support.ts';

const LINK_FIX =
  'begin with a value that is a whole address, as in {{link company.website "/orders"}}, or with "https://…/", "mailto:" or "tel:"';

const fixed = (value: string) => ({ isFixed: true, value });
const open = (value: unknown) => ({ isFixed: false, value });

describe('the link helper', () => {
  it.each([
    ['{{link vars.url}}', { url: 'https://hearth.example/a?b=1&c=2' }, 'https://hearth.example/a?b=1&amp;c&#x3D;2'],
    ['{{link vars.url}}', { url: 'HTTPS://hearth.example/ä b' }, 'https://hearth.example/%C3%A4%20b'],
    ['{{link vars.url}}', { url: ' https://hearth.example ' }, 'https://hearth.example'],
    [
      '{{link vars.url "/orders/" vars.id}}',
      { url: 'https://hearth.example/', id: 'A/1?x' },
      'https://hearth.example/orders/A%2F1%3Fx',
    ],
    [
      '{{link vars.url vars.id}}',
      { url: 'https://hearth.example', id: '.evil.example' },
      'https://hearth.example/.evil.example',
    ],
    ['{{link "https://hearth.example" vars.id}}', { id: '@evil.example' }, 'https://hearth.example/%40evil.example'],
    [
      '{{link "https://hearth.example/?q=" vars.id}}',
      { id: 'a&b=c#d' },
      'https://hearth.example/?q&#x3D;a%26b%3Dc%23d',
    ],
    [
      '{{link "mailto:" vars.id}}',
      { id: 'ada@example.com?bcc=eve@example.com' },
      'mailto:ada@example.com%3Fbcc%3Deve@example.com',
    ],
    ['{{link "tel:" vars.id}}', { id: '+44 (20) 7946 0018' }, 'tel:+442079460018'],
    ['{{link (default vars.none "https://hearth.example/")}}', {}, 'https://hearth.example/'],
    ['{{link "https://hearth.example" "/a"}}', {}, 'https://hearth.example/a'],
  ])('%s with %j gives %s', (body, vars, href) => {
    const written = href.replaceAll('?q&#x3D;', '?q&#x3D;').replaceAll('b=1', 'b&#x3D;1');
    expect(render(`<a href="${body.replaceAll('"', "'")}">x</a>`, {}, { ...SCOPE, vars }).html).toBe(
      `<a href="${body.includes('vars.') && !body.includes('default') ? written : href}">x</a>`,
    );
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'java\nscript:alert(1)',
    'java\r\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    'java\0script:alert(1)',
    'javascript\u200b:alert(1)',
    '\u202ejavascript:alert(1)',
    'javascript&colon;alert(1)',
    'javascript&#58;alert(1)',
    '&#106;avascript:alert(1)',
    '&#x6a;avascript:alert(1)',
    'javascript%3Aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'DATA:text/html;base64,PHNjcmlwdD4=',
    'da\tta:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://hearth.example/x',
    'view-source:https://hearth.example',
    '//evil.example/x',
    '\\\\evil.example\\x',
    '/orders',
    'hearth.example',
    'https://',
    'https:evil.example',
    'https://ada:secret@evil.example/',
    'https://hearth.example@evil.example/',
    'https://hearth.example/\u2028x',
    'https://hearth.example/a\r\nBcc: eve@example.com',
    '',
  ])('never leads to %j', (url) => {
    expect(() => render('<a href="{{link vars.url}}">x</a>', {}, { ...SCOPE, vars: { url } })).toThrow(RenderError);
  });

  it('gives an address of http, https, mailto or tel on the host it was given, or none', () => {
    const nasty = fc.array(
      fc.oneof(
        fc.constantFrom(
          'javascript:',
          'data:',
          'https://',
          'mailto:',
          'tel:',
          '//',
          '\\',
          '@',
          ':',
          '/',
          '?',
          '#',
          '..',
          '%',
          '&',
          ' ',
        ),
        fc.constantFrom(
          '\t',
          '\n',
          '\r',
          '\0',
          '\u00a0',
          '\u200b',
          '\u202e',
          '\ufeff',
          '&colon;',
          '&#9;',
          '"',
          "'",
          '<',
          '>',
        ),
        fc.string({ unit: 'grapheme', maxLength: 4 }),
        fc.string({ unit: 'binary', maxLength: 2 }),
      ),
      { maxLength: 6 },
    );
    const outcome = (pieces: Parameters<typeof formLink>[0]): URL | null => {
      let link: string;
      try {
        link = formLink(pieces);
      } catch (error) {
        expect(error).toBeInstanceOf(RenderError);
        return null;
      }
      expect(link).toMatch(/^[!-~]+$/);
      expect(link).not.toMatch(/["<>`\\]/);
      return new URL(link);
    };
    fc.assert(
      fc.property(nasty, (parts) => {
        const value = parts.join('');
        expect(['http:', 'https:', 'mailto:', 'tel:', undefined]).toContain(outcome([open(value)])?.protocol);
        for (const pieces of [
          [fixed('https://hearth.example/a/'), open(value), fixed('/b')],
          [fixed('https://hearth.example'), open(value)],
          [open('https://hearth.example'), open(value)],
          [open('https://hearth.example/a/?b='), open(value)],
        ]) {
          const url = outcome(pieces);
          expect([undefined, 'https://hearth.example']).toContain(url?.origin);
        }
        const within = outcome([fixed('https://hearth.example/a/'), open(value), fixed('/b')]);
        if (within !== null) expect(within.pathname).toMatch(/^\/a\/[^/]*\/b$/);
        const mail = outcome([fixed('mailto:'), open(value)]);
        if (mail !== null) expect([mail.protocol, mail.search]).toEqual(['mailto:', '']);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('values in addresses', () => {
  const at = (body: string, more: Readonly<Record<string, string>> = {}) =>
    compileBody(body, more).problems.map(
      ({ file, line, column, code, fix }) => `${file.replace('templates/', '')}:${line}:${column} ${code} | ${fix}`,
    );

  it.each([
    ['<a href="{{event.order_id}}">', ['t.hbs:4:12 bare-link | write {{link event.order_id}}']],
    ["\n<img alt='' SRC = '{{vars.x}}'>", ['t.hbs:5:22 bare-link | write {{link vars.x}}']],
    [
      '<style>a > b { color: red }</style><!--[if !mso]><!--><a href="{{vars.x}}">x</a><!--<![endif]-->',
      ['t.hbs:4:66 bare-link | write {{link vars.x}}'],
    ],
    ['<a href={{vars.x}}>', ['t.hbs:4:11 bare-link | write {{link vars.x}}']],
    [
      '<a href="mailto:{{company.care.email}}">',
      ['t.hbs:4:19 bare-link | write {{link "mailto:" company.care.email}} for the whole address'],
    ],
    [
      '<a href="{{link vars.x}}{{vars.y}}">',
      ['t.hbs:4:27 bare-link | write one {{link …}} for the whole address, as in {{link company.website path}}'],
    ],
    ['<a href="{{default vars.x "https://hearth.example"}}">', ['t.hbs:4:20 bare-link | write {{link (default …)}}']],
    [
      '<a class="b" {{#if vars.x}}href="{{else}}title="{{/if}}{{vars.x}}">',
      ['t.hbs:4:58 bare-link | write {{link vars.x}}'],
    ],
    ['{{#each event.items}}<a href="{{url}}">{{/each}}', ['t.hbs:4:33 bare-link | write {{link url}}']],
    [
      '{{#each survey.links}}{{#each event.items}}<a href="{{url}}">{{/each}}{{/each}}',
      ['t.hbs:4:55 bare-link | write {{link url}}'],
    ],
    ['{{> button to=event.order_id}}', ['partials/button.hbs:2:14 bare-link | write {{link to}}']],
    ['<td style="color: red; background: url({{vars.x}})">', ['t.hbs:4:42 bare-link | write {{link vars.x}}']],
    ['<!--[if mso]><v:rect href="{{vars.x}}"><![endif]-->', ['t.hbs:4:30 bare-link | write {{link vars.x}}']],
    ['<p onclick="go(\'{{vars.x}}\')">', ['t.hbs:4:19 value-in-script | take onclick out: no mail program runs it']],
    [
      '<script>go("{{link vars.x}}")</script><p>{{vars.x}}</p>',
      ['t.hbs:4:20 value-in-script | take <script> out: no mail program runs it'],
    ],
    [
      '<iframe srcdoc="{{#if vars.x}}{{vars.x}}{{/if}}">',
      ['t.hbs:4:33 value-in-script | take srcdoc out: no mail program runs it'],
    ],
    ['<a href="{{link "javascript:x"}}">', [`t.hbs:4:10 bad-link | ${LINK_FIX}`]],
    ['<a href="{{link "https://" vars.x}}">', [`t.hbs:4:10 bad-link | ${LINK_FIX}`]],
    ['<a href="{{link "/orders/" vars.x}}">', [`t.hbs:4:10 bad-link | ${LINK_FIX}`]],
    ['<a href="{{link "https://a b@c"}}">', [`t.hbs:4:10 bad-link | ${LINK_FIX}`]],
  ])('%s is told', (body, expected) => {
    const button = '<b>\n  <a href="{{to}}">x</a></b>';
    expect(at(body, { 'templates/partials/button.hbs': button })).toEqual(expected);
  });

  it.each([
    '<a href="{{unsubscribe_url}}">',
    '<a href="{{survey_url 9}}">',
    '{{#each survey.links}}<a href="{{url}}">{{score}}</a>{{/each}}',
    '{{#each survey.links as |one|}}<a href="{{one.url}}">{{one.score}}</a>{{/each}}',
    '<a href="{{#if vars.x}}{{link vars.x}}{{else}}https://hearth.example{{/if}}" title="{{vars.y}}">{{vars.z}}</a>',
    '<a href="javascript:void(0)">',
    '<a href="{{> button to="https://hearth.example/"}}">',
    '<a data-href="{{vars.x}}" class="{{#if vars.y}}a{{/if}}">href="{{vars.x}}"</a>',
    '<style>a > b { color: {{vars.x}} }</style><p>{{vars.x}}</p><!-- <a href="{{vars.x}}"> -->',
    '<td style="background: url({{link vars.x}}); color: {{vars.y}}">',
    '1 < 2 {{vars.x}} <p title=">">{{vars.x}}</p>',
  ])('%s is fine', (body) => {
    expect(at(body, { 'templates/partials/button.hbs': '{{to}}' })).toEqual([]);
  });
});
