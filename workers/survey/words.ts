/** The words of the answer page, by language. */
import { firstOf } from '../pages/language.ts';

/** What the page says. */
export interface Words {
  readonly language: string;
  /** Asks for `nps`. */
  readonly recommend: (company: string) => string;
  /** Asks for everything else. */
  readonly satisfied: (company: string) => string;
  /** Beside the lowest and the highest score. */
  readonly recommendEnds: readonly [string, string];
  readonly satisfiedEnds: readonly [string, string];
  readonly comment: string;
  readonly send: string;
  readonly thanks: string;
  readonly thanksText: (company: string) => string;
  readonly before: string;
  readonly beforeText: string;
  readonly invalid: string;
  readonly invalidText: string;
  readonly gone: string;
  readonly goneText: string;
  readonly trouble: string;
  readonly troubleText: string;
  readonly choose: string;
}

const EN: Words = {
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

const DE: Words = {
  language: 'de',
  recommend: (company) => `Wie wahrscheinlich ist es, dass Sie ${company} weiterempfehlen?`,
  satisfied: (company) => `Wie zufrieden sind Sie mit ${company}?`,
  recommendEnds: ['Sehr unwahrscheinlich', 'Sehr wahrscheinlich'],
  satisfiedEnds: ['Gar nicht zufrieden', 'Sehr zufrieden'],
  comment: 'Möchten Sie uns sagen, warum? (freiwillig)',
  send: 'Antwort senden',
  thanks: 'Vielen Dank',
  thanksText: (company) => `${company} hat Ihre Antwort erhalten. Sie können diese Seite schließen.`,
  before: 'Ihre Antwort liegt schon vor',
  beforeText: 'Vielen Dank. Jede Frage kann einmal beantwortet werden; die erste Antwort zählt.',
  invalid: 'Dieser Link ist nicht gültig',
  invalidText: 'Bitte öffnen Sie ihn noch einmal vollständig aus der E-Mail. Manche Programme trennen lange Links.',
  gone: 'Diese Umfrage ist geschlossen',
  goneText: 'Sie kann nicht mehr beantwortet werden.',
  trouble: 'Das hat nicht geklappt',
  troubleText:
    'Ihre Antwort konnte gerade nicht gespeichert werden. Bitte versuchen Sie es in einer Minute noch einmal.',
  choose: 'Bitte wählen Sie einen der Werte.',
};

const FR: Words = {
  language: 'fr',
  recommend: (company) => `Recommanderiez-vous ${company} à un proche ?`,
  satisfied: (company) => `Êtes-vous satisfait de ${company} ?`,
  recommendEnds: ['Pas du tout probable', 'Très probable'],
  satisfiedEnds: ['Pas du tout satisfait', 'Très satisfait'],
  comment: 'Souhaitez-vous nous dire pourquoi ? (facultatif)',
  send: 'Envoyer ma réponse',
  thanks: 'Merci',
  thanksText: (company) => `${company} a bien reçu votre réponse. Vous pouvez fermer cette page.`,
  before: 'Nous avons déjà votre réponse',
  beforeText: 'Merci. On ne peut répondre qu’une fois à chaque question ; la première réponse compte.',
  invalid: 'Ce lien n’est pas valide',
  invalidText: 'Veuillez l’ouvrir de nouveau, en entier, depuis l’e-mail. Certains logiciels coupent les liens longs.',
  gone: 'Cette enquête est close',
  goneText: 'Il n’est plus possible d’y répondre.',
  trouble: 'Cela n’a pas fonctionné',
  troubleText: 'Votre réponse n’a pas pu être enregistrée. Veuillez réessayer dans une minute.',
  choose: 'Veuillez choisir une des notes.',
};

const LANGUAGES: ReadonlyMap<string, Words> = new Map([EN, DE, FR].map((words) => [words.language, words]));

/** The words for the first of these locales (`de-AT`, `de_DE`, …) whose language there is; English where there is none. */
export function wordsFor(...locales: readonly (string | null | undefined)[]): Words {
  return firstOf(LANGUAGES, locales) ?? EN;
}
