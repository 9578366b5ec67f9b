/** The pages that readers see, asked for by good, wrong and cut-off links, while what they choose cannot be stored. */
import { expect } from '@jest/globals';
import { signReaderLink, signSurveyLink } from '../../engine/message/link-token.ts';
import type { Database } from '../../engine/store/database.ts';
import { signingKey } from '../../engine/store/signing-keys.ts';

/** What a reader may type, or put into a link. */
interface Typed {
  readonly name: string;
  readonly address: string;
  readonly body: string;
}

/** Visits them; gives each answer on a line, with its status and which page it is, not with its token. */
export async function visitPages(url: string, db: Database, typed: Typed): Promise<readonly string[]> {
  const key = await signingKey(db);
  const { rows } = await db.query<{ id: number; template: string }>(
    'select id::int as id, template from sends order by id',
  );
  const sendOf = (template: string): number => rows.find((row) => row.template.startsWith(template))?.id ?? 0;
  const [news, survey] = [
    signReaderLink(sendOf('answer'), key),
    signSurveyLink({ sendId: sendOf('rate'), score: 3 }, key),
  ];
  const answers: string[] = [];
  const visit = async (page: string, token: string, form: string | null): Promise<number> => {
    const body = form === null ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(`${url}/${page}/${token}`, { ...body, redirect: 'manual' });
    const answer = `${(await response.text()).replaceAll(/\s+/g, ' ')} ${JSON.stringify([...response.headers])}`;
    answers.push(`${response.status} ${form === null ? 'GET' : 'POST'} ${page}: ${answer}`);
    return response.status;
  };
  const comment = `score=3&none=1&comment=${typed.body}+${typed.name}&topic=${typed.address}`;
  for (const [page, token] of [
    ['unsubscribe', news],
    ['preferences', news],
    ['survey', survey],
  ] as const) {
    expect([page, await visit(page, token, null)]).toEqual([page, 200]);
    // What they choose is refused by the database, with words that nobody else may see.
    expect([page, await visit(page, token, comment)]).toEqual([page, 503]);
    for (const wrong of [
      token.slice(0, -4),
      `${token}x`,
      `${typed.name}.${typed.address}`,
      '',
      `${token}/${typed.body}`,
    ]) {
      expect([404, 405]).toContain(await visit(page, wrong, null));
      expect([404, 405]).toContain(await visit(page, wrong, comment));
    }
    expect(await visit(page, token, `comment=${typed.body.repeat(5_000)}`)).toBeGreaterThan(400);
  }
  for (const page of ['link', 'open']) await visit(page, `${typed.name}.${typed.address}`, null);
  return answers;
}
