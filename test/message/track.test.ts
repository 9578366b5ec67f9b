/** Links and pixels that tell what a reader does: what changes in a mail, and what never does. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { trackMail } from '../../engine/message/track.ts';
import { readClick, readOpen, signClick, signOpen } from '../../engine/message/track-token.ts';
import { signSurveyLink } from '../../engine/message/link-token.ts';
import { textOfHtml } from '../../engine/message/text.ts';

const KEY = { id: 3, secret: Buffer.alloc(32, 9) };
const PLACE = { publicUrl: 'https://mail.hearth.example', key: KEY };
const ON = { clicks: true, opens: false };

const hrefs = (html: string): readonly string[] => [...html.matchAll(/href="([^"]*)"/g)].map(([, url = '']) => url);
/** Where a link leads: by its token, else as it stands. */
const leadsTo = (url: string): string => readClick(url.replace(/^.*\/link\//, ''), [KEY])?.url ?? url;

describe('links', () => {
  it.each([
    ['<a href="https://hearth.example/a?b=1&amp;c=2#d">x</a>', 'https://hearth.example/a?b=1&c=2#d'],
    ["<A class='x > y' HREF='http://hearth.example/'>x</A>", 'http://hearth.example/'],
    ['<a href=https://hearth.example/x>x</a>', 'https://hearth.example/x'],
    ['<a\n  href = "https://hearth.example/?q&#x3D;1"\n>x</a>', 'https://hearth.example/?q=1'],
    ['<map><area href="https://hearth.example/m"></map>', 'https://hearth.example/m'],
  ])('%s leads through us to its place', (html, url) => {
    const [link = ''] = trackMail({ html, text: '' }, 12, ON, PLACE).html.match(/https:\/\/mail\S*?(?=")/) ?? [];
    expect(readClick(link.replace('https://mail.hearth.example/link/', ''), [KEY])).toEqual({ sendId: 12, url });
  });

  it.each([
    '<a href="mailto:friends@hearth.example?subject=unsubscribe">x</a>',
    '<a href="tel:+44">x</a>',
    '<a href="#top">x</a>',
    '<a href="">x</a>',
    '<a name="x">x</a>',
    '<a href="https://mail.hearth.example/unsubscribe/abc">x</a>',
    '<a href="https://mail.hearth.example/survey/abc">x</a>',
    '<a href="https://elsewhere.example/leave">x</a>',
    '<a data-track="no" href="https://hearth.example/reset?code=1">x</a>',
    `<a href="https://hearth.example/${'x'.repeat(1_300)}">x</a>`,
    '<a href="https://">x</a>',
    '<img src="https://hearth.example/a.png"><link href="https://hearth.example/a.css">',
    '<abbr href="https://hearth.example/">x</abbr>',
  ])('%s stays as it is', (html) => {
    expect(trackMail({ html, text: '' }, 12, ON, PLACE, ['https://elsewhere.example/leave']).html).toBe(html);
  });

  it('lead to the same places in the text, which keeps the addresses that are no links', () => {
    const html =
      '<p>Look at <a href="https://hearth.example/a?b=1&amp;c=2">this</a>, or <a href="https://hearth.example/a">' +
      'https://hearth.example/a</a>. Write to <a href="mailto:x@hearth.example">us</a>; not https://other.example/.</p>';
    const tracked = trackMail({ html, text: textOfHtml(html) }, 12, ON, PLACE);
    const found = [...tracked.text.matchAll(/https?:[^\s<>]+/g)].map(([url]) => leadsTo(url.replace(/[.,]$/, '')));
    expect(found).toEqual(['https://hearth.example/a?b=1&c=2', 'https://hearth.example/a', 'https://other.example/']);
    expect(tracked.text).toMatch(/\. Write to/);
    expect(hrefs(tracked.html).map(leadsTo)).toEqual([
      'https://hearth.example/a?b=1&c=2',
      'https://hearth.example/a',
      'mailto:x@hearth.example',
    ]);
  });

  it('lead where the template pointed, whatever the address', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.nat(), (url, sendId) => {
        const escaped = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#x27;');
        const { html } = trackMail({ html: `<a href="${escaped}">x</a>`, text: '' }, sendId, ON, PLACE);
        expect(hrefs(html).map(leadsTo)).toEqual([url]);
      }),
    );
  });
});

it('puts the pixel at the end of the page, and only where openings are recorded', () => {
  const mail = { html: '<html><body><p>Hello</p></BODY></html>', text: 'Hello' };
  expect(trackMail(mail, 12, ON, PLACE)).toEqual(mail);
  const { html, text } = trackMail(mail, 12, { clicks: false, opens: true }, PLACE);
  const token =
    /<p>Hello<\/p><img src="https:\/\/mail\.hearth\.example\/open\/([\w-]+)"[^>]*alt=""[^>]*><\/BODY><\/html>$/.exec(
      html,
    );
  expect(readOpen(token?.[1] ?? '', [KEY])).toBe(12);
  expect(text).toBe('Hello');
});

describe('tokens', () => {
  const token = signClick(12, 'https://hearth.example/', KEY);

  it('are good for their purpose and as they were signed only', () => {
    expect(readClick(token, [KEY])).toEqual({ sendId: 12, url: 'https://hearth.example/' });
    expect(readOpen(token, [KEY])).toBeNull();
    expect(readClick(signOpen(12, KEY), [KEY])).toBeNull();
    expect(readClick(signSurveyLink({ sendId: 12, score: 1 }, KEY), [KEY])).toBeNull();
    expect(readClick(token, [{ id: 3, secret: Buffer.alloc(32) }])).toBeNull();
    expect(readClick(token, [{ ...KEY, id: 4 }])).toBeNull();
    expect(readClick(token, [{ id: 5, secret: Buffer.alloc(32, 1) }, KEY])?.sendId).toBe(12);
  });

  it('do not survive any change', () => {
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(characters.length - 1), (at, index) => {
        const character = characters.charAt(index);
        fc.pre(token[at] !== character);
        expect(readClick(token.slice(0, at) + character + token.slice(at + 1), [KEY])).toBeNull();
      }),
    );
    expect(readClick(`${token}A`, [KEY])).toBeNull();
    expect(readClick(token.slice(0, -1), [KEY])).toBeNull();
  });
});
