import type { Words } from './words.ts';

/** French. */
export const FR: Words = {
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
