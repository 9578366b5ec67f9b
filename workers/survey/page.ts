/** The page with the question of a survey. */
import { html, raw } from 'hono/html';
import { page, type Html } from '../pages/frame.ts';
import type { Words } from './words.ts';

/** A question, and what of it is filled in already. */
export interface Question {
  readonly ask: string;
  readonly company: string;
  readonly scores: readonly number[];
  readonly chosen: number;
  /** True when something was sent that is no answer. */
  readonly mistaken: boolean;
}

/** The page with the form. It answers nothing by itself: mail scanners open links, people press buttons. */
export function questionPage(words: Words, question: Question): Html {
  const { ask, company, scores, chosen, mistaken } = question;
  const isNps = ask === 'nps';
  const title = isNps ? words.recommend(company) : words.satisfied(company);
  const [low, high] = isNps ? words.recommendEnds : words.satisfiedEnds;
  return page(
    words.language,
    title,
    company,
    html`<form method="post">
      <fieldset>
        <legend><h1>${title}</h1></legend>
        ${mistaken ? html`<p class="mistake" role="alert">${words.choose}</p>` : ''}
        <div class="scores${scores.length > 6 ? ' many' : ''}">
          ${scores.map((score) => scoreButton(score, score === chosen))}
        </div>
        <p class="ends"><span>${scores[0] ?? ''} = ${low}</span><span>${scores.at(-1) ?? ''} = ${high}</span></p>
      </fieldset>
      <label class="comment" for="comment">${words.comment}</label>
      <textarea id="comment" name="comment" maxlength="2000"></textarea>
      <button type="submit">${words.send}</button>
    </form>`,
  );
}

function scoreButton(score: number, isChosen: boolean): Html {
  return html`<label
    ><input type="radio" name="score" value="${score}" required${isChosen ? raw(' checked') : ''} /><span
      >${score}</span
    ></label
  >`;
}
