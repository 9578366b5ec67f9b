import type { Words } from './words.ts';

/** English. */
export const EN: Words = {
  language: 'en',
  leave: (topic) => `Unsubscribe from “${topic}”?`,
  leaveText: (company) => `${company} will send you no more mail of this kind.`,
  leaveButton: 'Unsubscribe',
  left: 'You are unsubscribed',
  leftText: (topic, company) => `${company} will send you no more “${topic}”. This holds from now on.`,
  leftBefore: (topic) => `You get no “${topic}” any more. There is nothing left to do.`,
  toPreferences: 'Choose what you would like to get',
  about: 'This mail is about your dealings with us',
  aboutText: (company) =>
    `${company} sends such mail because of something you did or are owed, whatever you subscribe to. All other mail is yours to choose.`,
  choose: (company) => `What may ${company} send you?`,
  consent: (topic, company) => `Yes, ${company} may send me “${topic}” by e-mail.`,
  consentNote: 'You can change your mind at any time, here or by the link in every mail.',
  save: 'Save my choice',
  none: 'No letters at all',
  saved: 'Your choice is saved',
  savedText: 'It holds from now on.',
  always: (topics) => `These come whatever you choose, because they are about your dealings with us: ${topics}.`,
  nothing: 'There is nothing to choose',
  nothingText: (company) => `${company} sends only mail about your dealings with it.`,
  blocked: 'No mail is sent to your address',
  blockedText: (company, address) =>
    `${company} sends nothing to it at present${address === null ? '' : `; to change that, write to ${address}`}.`,
  invalid: 'This link is not valid',
  invalidText: (address) =>
    'Nothing was changed. Please open the link from the e-mail again, in full: some programs break long links.' +
    (address === null ? '' : ` If that does not help, write to ${address}, and we do it for you.`),
  gone: 'You are not on our lists',
  goneText: 'What we knew of you was erased, and no mail will come.',
  trouble: 'That did not work',
  troubleText: 'Your choice could not be stored just now, and nothing was changed. Please try again in a minute.',
  tooLarge: 'More was sent than this page asks for, and nothing was changed. Please open the link once more.',
};
