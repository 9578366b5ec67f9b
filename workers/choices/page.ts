/** The pages on which readers leave a topic, and choose among all of them. Opening one changes nothing: pressing its button does. */
import { html, raw } from 'hono/html';
import type { Standing } from '../../engine/store/choices.ts';
import { PREFERENCES_PATH } from '../../engine/message/reader-links.ts';
import { page, type Html } from '../pages/frame.ts';
import type { Words } from './words.ts';

/** Whose page, in which words. */
export interface Speech {
  readonly words: Words;
  readonly company: string;
}

/** Asks whether to leave a topic. */
export function leavePage({ words, company }: Speech, topic: string, token: string): Html {
  const title = words.leave(topic);
  return page(
    words.language,
    title,
    company,
    html`<h1>${title}</h1>
      <p>${words.leaveText(company)}</p>
      <form method="post"><button type="submit">${words.leaveButton}</button></form>
      ${furtherLink(words, token)}`,
  );
}

/** Says something, and leads on to the page of all topics. */
export function saidPage({ words, company }: Speech, title: string, text: string, token: string): Html {
  return page(
    words.language,
    title,
    company,
    html`<h1>${title}</h1>
      <p role="status">${text}</p>
      ${furtherLink(words, token)}`,
  );
}

/** From `/unsubscribe/TOKEN` and wherever that is mounted. */
function furtherLink(words: Words, token: string): Html {
  return html`<p class="small"><a href="..${PREFERENCES_PATH}${token}">${words.toPreferences}</a></p>`;
}

/** All topics with how the reader stands to each. `shown` and `was` say what the form showed: only what differs from it is a choice. */
export function preferencesPage(
  { words, company }: Speech,
  topics: Standing['topics'],
  always: readonly string[],
  isSaved: boolean,
): Html {
  const title = words.choose(company);
  return page(
    words.language,
    title,
    company,
    html`${isSaved ? html`<p class="done" role="status"><strong>${words.saved}.</strong> ${words.savedText}</p>` : ''}
      <form method="post">
        <fieldset>
          <legend><h1>${title}</h1></legend>
          <ul class="choices">
            ${topics.map((topic) => topicBox(topic, words, company))}
          </ul>
          <p>${words.consentNote}</p>
        </fieldset>
        <div class="buttons">
          <button type="submit">${words.save}</button>
          <button type="submit" name="none" value="1" class="second">${words.none}</button>
        </div>
      </form>
      ${always.length === 0 ? '' : html`<p class="small">${words.always(always.join(', '))}</p>`}`,
  );
}

function topicBox({ name, title, wanted }: Standing['topics'][number], words: Words, company: string): Html {
  return html`<li>
    <input type="hidden" name="shown" value="${name}" />${
      wanted ? html`<input type="hidden" name="was" value="${name}" />` : ''
    }
    <label
      ><input type="checkbox" name="topic" value="${name}" ${wanted ? raw(' checked') : ''} /><span
        >${words.consent(title, company)}</span
      ></label
    >
  </li>`;
}
