/** What the rules about mails find beyond the examples of docs/linting.md, and above all what they leave alone. */
import { describe, expect, it } from '@jest/globals';
import { checkSources, lintProject } from '../../engine/project/check.ts';
import { declarationsOf, readStyleSheet } from '../../engine/message/lint/css.ts';
import { colourOf, contrast } from '../../engine/message/lint/colour.ts';
import { LACKED_BY } from '../../engine/message/lint/clients.ts';
import { FEATURES } from '../../engine/message/lint/features.ts';

const COMPANY = {
  path: 'perennial.yaml',
  text: `company: { name: Hearth & Home, address: 12 Mill Lane, website: https://hearth.example }
mail: { from: hello@hearth.example }
events: { order.placed: { total: number } }
topics: { service: { title: Service, transactional: true } }
`,
};

/** Findings as `file:line:column rule`, by the templates' files; the one without a path is the body of `mail.hbs`. */
function found(body: string, files: Readonly<Record<string, string>> = {}, subject = 'Sample'): readonly string[] {
  const sources = [
    COMPANY,
    { path: 'templates/mail.hbs', text: `---\nsubject: ${subject}\n---\n${body}` },
    ...Object.entries(files).map(([path, text]) => ({ path: `templates/${path}.hbs`, text })),
  ];
  const project = checkSources(sources);
  expect(project.problems).toEqual([]);
  return lintProject(project).map(
    ({ file, line, column, code }) => `${file.replace(/^templates\/|\.hbs$/g, '')}:${line}:${column} ${code}`,
  );
}

describe('where it stands', () => {
  it('is the file in which it was written, once, however many mails hold it', () => {
    const files = {
      'layouts/default': '<html>\n<body>{{{body}}}\n  <img src="https://x.example/a.png"></body></html>',
      'partials/piece': '{{#if words}}\n\t<p>{{words}}</p>\n{{/if}}\n<a href="/x">x</a>',
      other: '---\nsubject: Another\n---\n{{> piece words="x"}}',
    };
    expect(found('<p>é𝄞</p>{{#if customer.name}} \n  <a href="/y">y</a>\n{{/if}}\n{{> piece}}', files)).toEqual([
      'layouts/default:3:3 missing-alt',
      'mail:5:12 dead-link',
      'partials/piece:4:10 dead-link',
    ]);
  });

  it('is told of both branches of a block, and of the others while one template has a mistake', () => {
    const body = '{{#if customer.name}}<img src="x">{{else}}<a href="#">x</a>{{/if}}';
    expect(found(body)).toEqual(['mail:4:22 missing-alt', 'mail:4:32 dead-link', 'mail:4:52 dead-link']);
    const broken = { path: 'templates/broken.hbs', text: '---\nsubject: x\n---\n{{#if}}' };
    const sound = { path: 'templates/sound.hbs', text: '---\nsubject: x\n---\n<a href="#">x</a>' };
    const project = checkSources([COMPANY, broken, sound]);
    expect(lintProject(project).map(({ code }) => code)).toEqual(['dead-link']);
  });
});

describe('long-subject', () => {
  it.each<[string, boolean]>([
    ['x'.repeat(60), false],
    ['x'.repeat(61), true],
    ['👩‍👩‍👧'.repeat(60), false],
    [`${'x'.repeat(50)} {{customer.name}} {{customer.email}}`, false],
    [`{{#if customer.name}}${'x'.repeat(90)}{{else}}x{{/if}}`, false],
    [`{{#if customer.name}}${'x'.repeat(90)}{{else}}${'y'.repeat(70)}{{/if}}`, true],
  ])('%s', (subject, isLong) => {
    expect(found('x', {}, `"${subject}"`).includes('mail:2:11 long-subject')).toBe(isLong);
  });
});

describe('missing-alt', () => {
  it.each<[string, number]>([
    ['<img src="https://x.example/a.png" alt>', 0],
    ['<a href="https://x.example/"><img src="https://x.example/a.png" alt=""> Go</a>', 0],
    ['<a href="https://x.example/"><img src="https://x.example/a.png" alt="">{{customer.name}}</a>', 0],
    ['<a href="https://x.example/"><img src="https://x.example/a.png" alt="{{customer.name}}"></a>', 0],
    ['<a href="https://x.example/"><b><img src="https://x.example/a.png" alt=" "></b>&nbsp;</a>', 1],
    ['<!--[if mso]><img src="https://x.example/a.png"><![endif]-->', 0],
  ])('%s', (body, count) => {
    expect(found(body)).toEqual(Array.from({ length: count }, () => 'mail:4:1 missing-alt'));
  });
});

describe('dead-link', () => {
  it.each<[string, boolean]>([
    ['<a href="{{link company.website "/x"}}">x</a>', false],
    ['<a href="{{unsubscribe_url}}">x</a>', false],
    ['<a href="mailto:a@x.example">x</a> <a href="tel:+44 20 7946 0018">x</a>', false],
    ['<a href="#x">x</a><a name="x"></a>', false],
    ['<a name="x">x</a>', false],
    ['<a href="//x.example">x</a>', true],
    ['<a href="www.x.example">x</a>', true],
    ['<a href=" file:///x ">x</a>', true],
    ['<a href="https://shop.local/x">x</a>', true],
    ['<a href="https://x.localhost.example/">x</a>', false],
    ['<area href="#nowhere">', true],
    ['<a href="JavaScript:alert(1)">x</a>', true],
    ['<a href=" data:text/html,x">x</a>', true],
    ['<a href="sms:+44">x</a>', false],
    ['<img alt="" src="cid:part1">', true],
    ['<img alt="" src="">', true],
  ])('%s', (body, isDead) => {
    expect(found(body).some((one) => one.endsWith(' dead-link'))).toBe(isDead);
  });
});

describe('insecure-image', () => {
  it.each<[string, boolean]>([
    ['<a href="http://x.example/">x</a>', false],
    ['<img alt="" src="https://x.example/?u=http://y.example">', false],
    ['<img alt="" src="https://x.example/a" srcset="https://x.example/a 1x, http://x.example/b 2x">', true],
    ['<table background="http://x.example/a.png"></table>', true],
    [`<p style="background:url('http://x.example/a.png')">x</p>`, true],
    ['<style>p { background: url(http://x.example/a.png) }</style>', true],
  ])('%s', (body, isInsecure) => {
    expect(found(body).some((one) => one.endsWith(' insecure-image'))).toBe(isInsecure);
  });
});

describe('unsupported', () => {
  it.each<[string, readonly string[]]>([
    ['<p style="border-radius:4px; box-shadow:0 1px 2px #000; max-width:600px">x</p>', []],
    ['<p style="position:relative; background:url(https://x.example/calc(1).png)">x</p>', []],
    ['<p style="position: static; width: 10px">x</p>', []],
    ['<style>@media (min-width: 600px) { .a { display: grid } }\n/* .b { gap: 1px } */</style>', []],
    ['<style>.a { color: red }\n.b { margin: 0; gap: 1px }</style>', ['mail:5:17']],
    ['<style>@import url(https://fonts.example/css);</style>', []],
    ['<p style="font-family:\'calc(\'; color:#1rem00">x</p>', []],
    ['<p style="font-size:1.5rem">x</p>', ['mail:4:11']],
    ['<form action="https://x.example"><input name="a"></form>', ['mail:4:1', 'mail:4:34']],
    ['<!--[if mso]><v:rect style="position:absolute"></v:rect><![endif]-->', []],
    ['<img alt="" src="data:image/png;base64,AAAA">', ['mail:4:18']],
    ['<link rel="icon" href="https://x.example/a.ico">', []],
    ['<p>x</p><script>go()</script>', ['mail:4:9']],
    ['<body onload="go()"><p class="one">x</p></body>', ['mail:4:1']],
  ])('%s', (body, expected) => {
    const unsupported = found(body).filter((one) => one.endsWith(' unsupported'));
    expect(unsupported.map((one) => one.replace(' unsupported', ''))).toEqual(expected);
  });

  it('knows of each feature who lacks it', () => {
    expect(FEATURES.filter(({ slug }) => (LACKED_BY[slug] ?? []).length === 0)).toEqual([]);
  });
});

describe('low-contrast', () => {
  const on = (ground: string, inside: string): string => `<div style="${ground}">${inside}</div>`;
  it.each<[string, boolean]>([
    [on('background:#fff', '<p style="color:#767676">x</p>'), false],
    [on('background:#fff', '<p style="color:#777">x</p>'), true],
    [on('background-color:white', '<p style="color:rgb(119, 119, 119) !important">x</p>'), true],
    [on('background:#fff', '<p style="color:#777; font-size:24px">x</p>'), false],
    [on('background:#fff', '<p style="color:#777; font-size:14pt"><b>x</b></p>'), false],
    [on('background:#fff', '<h2 style="color:#777">x</h2>'), false],
    [on('background:#fff', '<h2 style="color:#777; font-size:16px">x</h2>'), true],
    [on('background:#fff', '<p style="color:#777"><span style="background:#000">x</span></p>'), false],
    [on('background:#fff url(https://x.example/a.png)', '<p style="color:#777">x</p>'), true],
    [on('background-image:url(https://x.example/a.png)', '<p style="color:#777">x</p>'), false],
    [on('background:#fff', '<div style="display:none; color:#fff">x</div>'), false],
    [on('background:#fff', '<p style="color:#fff; font-size:0">x</p>'), false],
    [on('background:#fff; font-size:0', '<p style="color:#eee; font-size:13px">x</p>'), true],
    [on('background:#fff', '<p style="color:#fff">&nbsp;\u200c</p>'), false],
    [on('background:#fff', '<p style="color:#fff">{{customer.name}}</p>'), true],
    [on('background:#fff', '<p style="color:{{customer.name}}">x</p>'), false],
    [on('background:#fff; color:#eee', '<a href="https://x.example/">x</a>'), false],
    ['<p style="color:#fff">x</p>', false],
    [on('background:rgba(0,0,0,.5)', '<p style="color:#777">x</p>'), false],
  ])('%s', (body, isLow) => {
    expect(found(body).some((one) => one.endsWith(' low-contrast'))).toBe(isLow);
  });

  it('counts as WCAG does', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
    expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.48, 2);
    expect(colourOf('#AbC')).toEqual([170, 187, 204]);
    expect(['#12', 'currentColor', 'rgba(0,0,0,.2)', ''].map(colourOf)).toEqual([null, null, null, null]);
  });
});

describe('styles', () => {
  it('are read with their places', () => {
    expect(declarationsOf('/* a:b; */color : red;;background:url("x;y:z(") no-repeat', 10)).toEqual([
      { property: 'color', value: 'red', at: 20 },
      { property: 'background', value: 'url("x;y:z(") no-repeat', at: 33 },
    ]);
    const { declarations, imports } = readStyleSheet('@import "a.css"; p{a:b} @media x{p{c:d}} q{e:f', 0);
    expect(imports).toEqual([{ url: 'a.css', at: 0 }]);
    expect(declarations.map(({ property, at }) => [property, at])).toEqual([
      ['a', 19],
      ['e', 43],
    ]);
  });
});
