/** html-validate as a judge of HTML: its recommended rules, and what is not followed, each with the reason. */
import { HtmlValidate, StaticConfigLoader } from 'html-validate';

/** Rules that letters break, and why. Mail programs are no browsers: Outlook for Windows lays mails out with Word. */
export const MAIL_EXCEPTIONS: Readonly<Record<string, string>> = {
  'no-inline-style': 'Gmail drops style sheets from mails that it clips or forwards; what is inline stays.',
  'no-deprecated-attr': 'Word reads width, alignment and colour of tables from attributes only; see PRESENTATIONAL.',
  'no-conditional-comment':
    'Only comments for Word reach Outlook alone: a fixed width for tables that are fluid elsewhere.',
  'prefer-tbody': 'A table here is a frame and has no groups of rows; parsers add the tbody.',
  'doctype-style': 'Small letters are right in HTML (WHATWG, 13.1.1); the rule is one of taste.',
};

/** The attributes that may be outdated in a letter. */
export const PRESENTATIONAL: ReadonlySet<string> = new Set([
  'width',
  'height',
  'align',
  'valign',
  'bgcolor',
  'border',
  'cellpadding',
  'cellspacing',
]);

/** Rules that pages for readers break, and why. */
export const PAGE_EXCEPTIONS: Readonly<Record<string, string>> = {
  'doctype-style': 'As above.',
  'form-dup-name': 'A topic is one value of a name that all of them share, as the form of a list is.',
  'no-trailing-whitespace': 'What is left where a piece of the page is empty; it means nothing in HTML.',
  'void-style': 'The formatter of this project writes <meta />, which is the same to HTML (WHATWG, 13.1.2.1).',
};

/** One thing that is wrong. */
export interface Finding {
  readonly rule: string;
  readonly message: string;
  /** The line of HTML. */
  readonly line: string;
}

const judge = new HtmlValidate(new StaticConfigLoader({ root: true, extends: ['html-validate:recommended'] }));

/** What it finds in a document, all rules counted. */
export async function judgeHtml(html: string): Promise<readonly Finding[]> {
  const lines = html.split('\n');
  const { results } = await judge.validateString(html);
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, line }) => ({
      rule: ruleId,
      message,
      line: (lines[line - 1] ?? '').trim().slice(0, 160),
    })),
  );
}
