import type { Words } from './words.ts';

/** German. */
export const DE: Words = {
  language: 'de',
  leave: (topic) => `„${topic}“ abbestellen?`,
  leaveText: (company) => `${company} schickt Ihnen dann keine E-Mails dieser Art mehr.`,
  leaveButton: 'Abbestellen',
  left: 'Sie sind abgemeldet',
  leftText: (topic, company) => `${company} schickt Ihnen „${topic}“ nicht mehr. Das gilt ab sofort.`,
  leftBefore: (topic) => `Sie erhalten „${topic}“ bereits nicht mehr. Es ist nichts weiter zu tun.`,
  toPreferences: 'Auswählen, was Sie erhalten möchten',
  about: 'In dieser E-Mail geht es um Ihre Bestellung oder Anfrage',
  aboutText: (company) =>
    `${company} schickt solche E-Mails, weil Sie etwas veranlasst haben oder Ihnen etwas zusteht, unabhängig von Ihren Abonnements. Über alle anderen bestimmen Sie.`,
  choose: (company) => `Was darf ${company} Ihnen schicken?`,
  consent: (topic, company) => `Ja, ${company} darf mir „${topic}“ per E-Mail schicken.`,
  consentNote: 'Sie können es sich jederzeit anders überlegen, hier oder über den Link in jeder E-Mail.',
  save: 'Auswahl speichern',
  none: 'Gar keine Post mehr',
  saved: 'Ihre Auswahl ist gespeichert',
  savedText: 'Sie gilt ab sofort.',
  always: (topics) =>
    `Dies kommt unabhängig von Ihrer Auswahl, weil es um Ihre Bestellungen und Anfragen geht: ${topics}.`,
  nothing: 'Es gibt nichts auszuwählen',
  nothingText: (company) => `${company} schickt nur E-Mails zu Ihren Bestellungen und Anfragen.`,
  blocked: 'An Ihre Adresse geht keine Post',
  blockedText: (company, address) =>
    `${company} schickt zurzeit nichts dorthin${address === null ? '' : `; wenn Sie das ändern möchten, schreiben Sie an ${address}`}.`,
  invalid: 'Dieser Link ist nicht gültig',
  invalidText: (address) =>
    'Es wurde nichts geändert. Bitte öffnen Sie den Link noch einmal vollständig aus der E-Mail: manche Programme trennen lange Links.' +
    (address === null ? '' : ` Hilft das nicht, schreiben Sie an ${address}, und wir erledigen es für Sie.`),
  gone: 'Sie stehen nicht auf unseren Listen',
  goneText: 'Was wir über Sie wussten, ist gelöscht, und es kommt keine Post mehr.',
  trouble: 'Das hat nicht geklappt',
  troubleText:
    'Ihre Auswahl konnte gerade nicht gespeichert werden, und es wurde nichts geändert. Bitte versuchen Sie es in einer Minute noch einmal.',
  tooLarge:
    'Es wurde mehr geschickt, als diese Seite fragt, und nichts geändert. Bitte öffnen Sie den Link noch einmal.',
};
