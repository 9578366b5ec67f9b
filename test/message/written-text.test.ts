/** Plain texts that were written by hand, beside mails whose text is made from their HTML. */
import { describe, expect, it } from '@jest/globals';
import { trackMail } from '../../engine/message/track.ts';
import { compileTemplates, RenderError } from '../../engine/message/templates.ts';
import { compile, type Files, SCOPE } from './support.ts';

const MAIL =
  '---\nsubject: Tea & {{customer.name}}\npreheader: Now\n---\n<p>Dear {{customer.first_name}}</p><a href="{{unsubscribe_url}}">Leave</a>';

function render(text: string, more: Files = {}, name = 't', locale: string | null = null) {
  const { templates, problems } = compile({ 'templates/t.hbs': MAIL, 'templates/t.txt.hbs': text, ...more });
  expect(problems).toEqual([]);
  const template = templates.get(name, locale);
  if (template === null) throw new Error('the template is missing');
  return template.render(SCOPE);
}

describe('a text written by hand', () => {
  it.each([
    ['Dear {{customer.name}}\n\n\n\n  bye \n\n', 'Dear Ada <Lovelace> & co\n\n\n\n  bye\n'],
    ['\uFEFFSubject: {{subject}}, {{preheader}}', 'Subject: Tea & Ada <Lovelace> & co, Now\n'],
    [
      '{{#each event.items}}\n- {{title}}: {{link page}}\n{{/each}}\nEnd',
      /^- Mug: https:.*\n- Pot "L": https:.*\nEnd\n$/,
    ],
    ['{{> foot word="it\'s"}}', "Hearth & Home it's <https://hearth.example/u?t=1&k=2>\n"],
  ])('%j comes out as %j', (text, expected) => {
    const more = { 'templates/partials/foot.hbs': '{{company.name}} {{word}} <{{unsubscribe_url}}>' };
    const rendered = render(text, more);
    expect(rendered.text).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
    expect(rendered.isTextByHand).toBe(true);
    // The text's use of a slot is none of the HTML's: the preheader is still put in there.
    expect(rendered.html).toContain('Now</div>');
  });

  it('is of its own language, and MJML may have one; a language without one has what its HTML says', () => {
    const more = {
      'templates/t.de.hbs': '---\nsubject: Tee\n---\n<p>Hallo</p>',
      'templates/t.fr.hbs': '---\nsubject: Thé\n---\n<p>Bonjour</p>',
      'templates/t.de.txt.hbs': 'Von Hand',
    };
    expect(render('By hand', more).text).toBe('By hand\n');
    expect(render('By hand', more, 't', 'de-AT').text).toBe('Von Hand\n');
    expect(render('By hand', more, 't', 'fr')).toMatchObject({ text: 'Bonjour\n', isTextByHand: false });
    const { templates, problems } = compileTemplates(
      [
        { path: 'templates/m.mjml', text: '---\nsubject: s\n---\n<mjml><mj-body></mj-body></mjml>' },
        { path: 'templates/m.txt.hbs', text: 'By hand' },
      ],
      () => ({ html: '<p>x</p>', mistakes: [] }),
    );
    expect(problems).toEqual([]);
    expect(templates.names).toEqual(['m']);
    expect(templates.get('m')?.render(SCOPE).text).toBe('By hand\n');
  });

  it.each([
    ['a {{customer.nam}}', 'unknown-field', 1, 5],
    ['one\ntwo {{nobody}}', 'unknown-variable', 2, 7],
    ['one\n{{{customer.name}}}', 'raw-output', 2, 1],
    ['{{{body}}}', 'raw-output', 1, 1],
    ['one\n{{#if customer.name}}', 'template-syntax', 2, 1],
    ['one\n{{> nothing}}', 'unknown-partial', 2, 1],
    ['---\nsubject: s\n---\nHello', 'front-matter-in-text', 1, 1],
    [' \n', 'empty', 1, 1],
    ['one\n<p>two</p>', 'html-in-text', 2, 1],
  ])('%j: %s at %i:%i', (text, code, line, column) => {
    const { problems } = compile({ 'templates/t.hbs': MAIL, 'templates/t.txt.hbs': text });
    expect(problems).toMatchObject([{ file: 'templates/t.txt.hbs', code, line, column }]);
  });

  it.each([
    ['templates/x/hello.txt.hbs', 'text-without-mail', 'make templates/x/hello.hbs'],
    ['templates/tt.txt.hbs', 'text-without-mail', 'did you mean t.txt.hbs?'],
    ['templates/t.de.txt.hbs', 'text-without-mail', ''],
    ['templates/t.txt.mjml', 'bad-file-name', 'rename it to templates/t.txt.hbs'],
    ['templates/t.txt.de.hbs', 'bad-file-name', 'rename it to templates/t.de.txt.hbs'],
  ])('%s is no text: %s, %s', (path, code, fix) => {
    const sources = [
      { path: 'templates/t.hbs', text: '---\nsubject: s\n---\nx' },
      { path, text: 'Hello' },
    ];
    const { problems, templates } = compileTemplates(sources);
    expect(problems).toMatchObject([{ file: path, code, fix: expect.stringContaining(fix) }]);
    expect(templates.names).toEqual(['t']);
    // What was deployed before there were such texts goes on.
    expect(compileTemplates(sources, undefined, { isDeployed: true }).problems).toEqual([]);
  });

  it('counts in what the mail needs, and never goes out with a hole in it', () => {
    const { templates } = compile({ 'templates/t.hbs': MAIL, 'templates/t.txt.hbs': 'Dear {{customer.last_name}}' });
    const template = templates.get('t');
    expect([...(template?.needs ?? [])]).toContain('customer.last_name');
    expect(template?.bodies.map((body) => body?.reads.has('unsubscribe_url'))).toEqual([true, false]);
    expect(() => template?.render(SCOPE)).toThrow(RenderError);
    const nothing = compile({ 'templates/t.hbs': MAIL, 'templates/t.txt.hbs': '{{#if vars.x}}x{{/if}}' });
    expect(() => nothing.templates.get('t')?.render(SCOPE)).toThrow(expect.objectContaining({ path: 'text' }));
  });
});

it('links in a text by hand are tracked too, but for those that the HTML says are not to be', () => {
  const mail = {
    html: '<a href="https://a.example/">x</a><a data-track="no" href="https://b.example/">x</a>',
    text: 'https://a.example/ <https://b.example/>, https://c.example/. https://mail.hearth.example/unsubscribe/x https://d.example/',
  };
  const place = { publicUrl: 'https://mail.hearth.example', key: { id: 1, secret: new Uint8Array(32) } };
  const on = { clicks: true, opens: false };
  const tracked = (isTextByHand: boolean): string =>
    trackMail({ ...mail, isTextByHand }, 1, on, place, ['https://d.example/']).text.replaceAll(
      /https:\/\/mail\.hearth\.example\/link\/[\w-]+/g,
      'LINK',
    );
  const rest = 'https://mail.hearth.example/unsubscribe/x https://d.example/';
  expect(tracked(true)).toBe(`LINK <https://b.example/>, LINK. ${rest}`);
  expect(tracked(false)).toBe(`LINK <https://b.example/>, https://c.example/. ${rest}`);
});

it('front matter says for which topic a mail is written', () => {
  const { templates, problems } = compile({
    'templates/a.hbs': '---\nsubject: s\ntopic: news\n---\nx',
    'templates/b.hbs': '---\nsubject: s\n---\nx',
  });
  expect(problems).toEqual([]);
  expect(templates.get('a')?.topic).toEqual({ text: 'news', line: 3, column: 8 });
  expect(templates.get('b')?.topic).toBeNull();
});
