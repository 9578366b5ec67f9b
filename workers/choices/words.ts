/** The words of the pages on which readers choose their mail, by language. Another language is another entry here. */
import { firstOf } from '../pages/language.ts';

/** What the pages say. `topic` is its title in perennial.yaml. */
export interface Words {
  readonly language: string;
  readonly leave: (topic: string) => string;
  readonly leaveText: (company: string) => string;
  readonly leaveButton: string;
  readonly left: string;
  readonly leftText: (topic: string, company: string) => string;
  readonly leftBefore: (topic: string) => string;
  readonly toPreferences: string;
  readonly about: string;
  readonly aboutText: (company: string) => string;
  readonly choose: (company: string) => string;
  /** What a reader agrees to by choosing a topic: kept on record as it stands here. */
  readonly consent: (topic: string, company: string) => string;
  readonly consentNote: string;
  readonly save: string;
  readonly none: string;
  readonly saved: string;
  readonly savedText: string;
  readonly always: (topics: string) => string;
  readonly nothing: string;
  readonly nothingText: (company: string) => string;
  readonly blocked: string;
  readonly blockedText: (company: string, address: string | null) => string;
  readonly invalid: string;
  readonly invalidText: (address: string | null) => string;
  readonly gone: string;
  readonly goneText: string;
  readonly trouble: string;
  readonly troubleText: string;
  readonly tooLarge: string;
}

const EN: Words = {
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

const DE: Words = {
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

const FR: Words = {
  language: 'fr',
  leave: (topic) => `Ne plus recevoir « ${topic} » ?`,
  leaveText: (company) => `${company} ne vous enverra plus d’e-mails de ce type.`,
  leaveButton: 'Me désabonner',
  left: 'Vous êtes désabonné',
  leftText: (topic, company) => `${company} ne vous enverra plus « ${topic} ». Cela vaut dès maintenant.`,
  leftBefore: (topic) => `Vous ne recevez déjà plus « ${topic} ». Il n’y a rien d’autre à faire.`,
  toPreferences: 'Choisir ce que vous souhaitez recevoir',
  about: 'Cet e-mail concerne vos commandes ou vos demandes',
  aboutText: (company) =>
    `${company} envoie ces e-mails à la suite de vos démarches, quels que soient vos abonnements. Pour tous les autres, c’est vous qui choisissez.`,
  choose: (company) => `Que peut vous envoyer ${company} ?`,
  consent: (topic, company) => `Oui, ${company} peut m’envoyer « ${topic} » par e-mail.`,
  consentNote: 'Vous pouvez changer d’avis à tout moment, ici ou par le lien présent dans chaque e-mail.',
  save: 'Enregistrer mon choix',
  none: 'Plus aucun courrier',
  saved: 'Votre choix est enregistré',
  savedText: 'Il vaut dès maintenant.',
  always: (topics) =>
    `Ceci est envoyé quel que soit votre choix, car il s’agit de vos commandes et de vos demandes : ${topics}.`,
  nothing: 'Il n’y a rien à choisir',
  nothingText: (company) => `${company} n’envoie que des e-mails sur vos commandes et vos demandes.`,
  blocked: 'Aucun e-mail n’est envoyé à votre adresse',
  blockedText: (company, address) =>
    `${company} n’y envoie rien pour le moment${address === null ? '' : ` ; pour changer cela, écrivez à ${address}`}.`,
  invalid: 'Ce lien n’est pas valide',
  invalidText: (address) =>
    'Rien n’a été modifié. Veuillez ouvrir de nouveau le lien, en entier, depuis l’e-mail : certains logiciels coupent les liens longs.' +
    (address === null ? '' : ` Si cela ne suffit pas, écrivez à ${address} et nous le ferons pour vous.`),
  gone: 'Vous n’êtes pas sur nos listes',
  goneText: 'Ce que nous savions de vous a été effacé, et aucun e-mail ne viendra plus.',
  trouble: 'Cela n’a pas fonctionné',
  troubleText: 'Votre choix n’a pas pu être enregistré, et rien n’a été modifié. Veuillez réessayer dans une minute.',
  tooLarge: 'Plus de données que prévu ont été envoyées, et rien n’a été modifié. Veuillez rouvrir le lien.',
};

const LANGUAGES: ReadonlyMap<string, Words> = new Map([EN, DE, FR].map((words) => [words.language, words]));

/** The words for the first of these locales (`de-AT`, `de_DE`, …) whose language there is; English where there is none. */
export function wordsFor(...locales: readonly (string | null | undefined)[]): Words {
  return firstOf(LANGUAGES, locales) ?? EN;
}
