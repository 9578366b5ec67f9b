/** The frame of the pages for readers: plain HTML that works without JavaScript, on a phone and with a screen reader. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** A piece of a page, escaped. */
export type Html = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --paper: #ffffff; --ground: #f2f4f6; --line: #8a94a0; --mark: #0b5cad; --on-mark: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf0; --paper: #1b2129; --ground: #11151a; --line: #7c8794; --mark: #7ab8ff; --on-mark: #0b1a2b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.card { background: var(--paper); border-radius: .75rem; padding: clamp(1.25rem, 5vw, 2.5rem); }
.who { margin: 0 0 .75rem; font-weight: 600; }
h1, legend { font-size: clamp(1.3rem, 4.5vw, 1.7rem); line-height: 1.25; margin: 0 0 1.25rem; padding: 0; font-weight: 700; }
legend h1 { margin: 0; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; }
.scores { display: grid; grid-template-columns: repeat(auto-fit, minmax(2.9rem, 1fr)); gap: .5rem; }
.scores label { position: relative; display: block; }
.scores input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.scores span { display: block; min-height: 2.9rem; line-height: 2.8rem; text-align: center; border: 1px solid var(--line); border-radius: .5rem; font-weight: 600; }
.scores input:checked + span { background: var(--mark); border-color: var(--mark); color: var(--on-mark); }
.scores input:focus-visible + span, button:focus-visible, textarea:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.ends { display: flex; justify-content: space-between; gap: 1rem; margin: .5rem 0 0; font-size: .9375rem; }
.ends span:last-child { text-align: right; }
.comment { display: block; margin: 0 0 .4rem; }
textarea { display: block; width: 100%; min-height: 6rem; padding: .6rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .5rem; }
button { margin-top: 1.25rem; min-height: 3rem; padding: .6rem 1.4rem; font: inherit; font-weight: 600; color: var(--on-mark); background: var(--mark); border: 0; border-radius: .5rem; cursor: pointer; }
.choices { list-style: none; margin: 0 0 .5rem; padding: 0; }
.choices + p { margin: .75rem 0 0; }
.choices label { display: flex; gap: .85rem; align-items: flex-start; padding: .9rem 0; border-top: 1px solid var(--line); cursor: pointer; }
.choices input { flex: none; width: 1.5rem; height: 1.5rem; margin: .05rem 0 0; accent-color: var(--mark); }
.done { border-left: .3rem solid var(--mark); padding-left: .75rem; }
.second { color: var(--mark); background: transparent; border: 1px solid var(--line); }
.buttons { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
a { color: var(--mark); }
input:focus-visible, a:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.small { font-size: .9375rem; margin: 1.5rem 0 0; }
.mistake { border-left: .3rem solid #c62828; padding-left: .75rem; }
@media (max-width: 30rem) { .scores.many { grid-template-columns: repeat(6, 1fr); } button { width: 100%; } }
`;

/** As it is hashed below: whatever formats this file must not touch what stands between the tags. */
const STYLE_TAG = raw(`<style>${STYLE}</style>`);

/** What browsers are told besides: nothing is loaded, nothing runs, the address is kept from other sites and caches. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

/** A page that only says something. */
export function messagePage(
  { language }: { readonly language: string },
  company: string,
  title: string,
  text: string,
): Html {
  return page(
    language,
    title,
    company,
    html`<h1>${title}</h1>
      <p>${text}</p>`,
  );
}

/** A whole page. */
export function page(language: string, title: string, company: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow" />
        <title>${title}</title>
        ${STYLE_TAG}
      </head>
      <body>
        <main>
          <div class="card">${company === '' ? '' : html`<p class="who">${company}</p>`} ${body}</div>
        </main>
      </body>
    </html>`;
}
