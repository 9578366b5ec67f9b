/** Rules of SpamAssassin (4.0 of Debian 12) that letters of the sample company hit, each with the reason why that is right. A letter that hits another one fails the test. */

/** A letter must stay below. SpamAssassin calls 5 points spam. */
export const MAX_POINTS = 1;

/** By rule: why it is hit, and why that stays so. */
export const ALLOWED_RULES: Readonly<Record<string, string>> = {
  HTML_MESSAGE:
    'The letter has a part in HTML: 0.001 points, so that other rules can ask for it. It has one in plain text, too.',
};
