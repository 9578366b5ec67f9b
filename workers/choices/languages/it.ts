import type { Words } from './words.ts';

/** Italian. */
export const IT: Words = {
  language: 'it',
  leave: (topic) => `Non ricevere più «${topic}»?`,
  leaveText: (company) => `${company} non le invierà più e-mail di questo tipo.`,
  leaveButton: 'Annulla l’iscrizione',
  left: 'La sua iscrizione è annullata',
  leftText: (topic, company) => `${company} non le invierà più «${topic}». Vale da subito.`,
  leftBefore: (topic) => `Già non riceve più «${topic}». Non deve fare altro.`,
  toPreferences: 'Scegliere che cosa ricevere',
  about: 'Questa e-mail riguarda i suoi ordini o le sue richieste',
  aboutText: (company) =>
    `${company} invia queste e-mail per qualcosa che lei ha fatto o che le spetta, qualunque siano le sue iscrizioni. Per tutte le altre decide lei.`,
  choose: (company) => `Che cosa può inviarle ${company}?`,
  consent: (topic, company) => `Sì, ${company} può inviarmi «${topic}» per e-mail.`,
  consentNote: 'Può cambiare idea in qualsiasi momento, qui o con il link presente in ogni e-mail.',
  save: 'Salva la mia scelta',
  none: 'Nessuna e-mail',
  saved: 'La sua scelta è salvata',
  savedText: 'Vale da subito.',
  always: (topics) =>
    `Questo arriva qualunque sia la sua scelta, perché riguarda i suoi ordini e le sue richieste: ${topics}.`,
  nothing: 'Non c’è nulla da scegliere',
  nothingText: (company) => `${company} invia solo e-mail sui suoi ordini e sulle sue richieste.`,
  blocked: 'Al suo indirizzo non viene inviata alcuna e-mail',
  blockedText: (company, address) =>
    `Al momento ${company} non vi invia nulla${address === null ? '' : `; per cambiare, scriva a ${address}`}.`,
  invalid: 'Questo link non è valido',
  invalidText: (address) =>
    'Non è stato cambiato nulla. Apra di nuovo il link completo dall’e-mail: alcuni programmi spezzano i link lunghi.' +
    (address === null ? '' : ` Se non basta, scriva a ${address} e lo faremo per lei.`),
  gone: 'Non è nelle nostre liste',
  goneText: 'Quello che sapevamo di lei è stato cancellato e non arriverà più alcuna e-mail.',
  trouble: 'Qualcosa non ha funzionato',
  troubleText: 'Non è stato possibile salvare la sua scelta e nulla è cambiato. Riprovi tra un minuto.',
  tooLarge: 'È stato inviato più di quanto chiede questa pagina e nulla è cambiato. Apra di nuovo il link.',
};
