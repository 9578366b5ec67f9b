import type { Words } from './words.ts';

/** English. */
export const EN: Words = {
  language: 'en',
  recommend: (company) => `How likely are you to recommend ${company} to a friend?`,
  satisfied: (company) => `How satisfied are you with ${company}?`,
  recommendEnds: ['Not at all likely', 'Extremely likely'],
  satisfiedEnds: ['Not at all satisfied', 'Very satisfied'],
  comment: 'Would you like to tell us why? (optional)',
  send: 'Send my answer',
  thanks: 'Thank you',
  thanksText: (company) => `${company} has received your answer. You can close this page.`,
  before: 'We already have your answer',
  beforeText: 'Thank you. Each question can be answered once; the first answer counts.',
  invalid: 'This link is not valid',
  invalidText: 'Please open it from the e-mail again, in full. Some programs break long links.',
  gone: 'This survey is closed',
  goneText: 'It can no longer be answered.',
  trouble: 'That did not work',
  troubleText: 'Your answer could not be stored just now. Please try again in a minute.',
  choose: 'Please choose one of the scores.',
};
