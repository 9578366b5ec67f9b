/** What the mail of a survey sees: a link for each score. docs/playbooks.md. */
import { signSurveyLink, type SigningKey } from './link-token.ts';

/** `survey` in a template. */
export interface SurveyVariable {
  /** What is asked, such as `nps`. */
  readonly ask: string;
  readonly links: readonly { readonly score: number; readonly url: string }[];
}

/** Where answers go, and under which key links are signed. */
export interface AnswerLinks {
  /** Without a slash at its end, e.g. `https://mail.hearth.example`. */
  readonly publicUrl: string;
  readonly key: SigningKey;
}

/** The path under which answers are given; a token follows. */
export const ANSWER_PATH = '/survey/';

/** The scores of a survey, ascending: 0 to 10 for `nps` (likely to recommend), 1 to 5 for all others. */
export function scoresOf(ask: string): readonly number[] {
  return ask === 'nps' ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1, 2, 3, 4, 5];
}

/** The variable for one mail. */
export function surveyVariable(ask: string, sendId: number, links: AnswerLinks): SurveyVariable {
  return {
    ask,
    links: scoresOf(ask).map((score) => ({
      score,
      url: `${links.publicUrl}${ANSWER_PATH}${signSurveyLink({ sendId, score }, links.key)}`,
    })),
  };
}

/** The same for a mail that nobody gets, in dry runs and tests of playbooks: its links lead nowhere. */
export function sampleSurvey(ask: string): SurveyVariable {
  return surveyVariable(ask, 0, { publicUrl: 'https://survey.example', key: { id: 1, secret: new Uint8Array(32) } });
}
