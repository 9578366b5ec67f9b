import type { Words } from './words.ts';

/** German. */
export const DE: Words = {
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
