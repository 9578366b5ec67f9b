import type { Words } from './words.ts';

/** French. */
export const FR: Words = {
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
