import type { Words } from './words.ts';

/** Italian. */
export const IT: Words = {
  language: 'it',
  recommend: (company) => `Con quale probabilità consiglierebbe ${company} a un amico?`,
  satisfied: (company) => `Quanto è soddisfatto di ${company}?`,
  recommendEnds: ['Per niente probabile', 'Molto probabile'],
  satisfiedEnds: ['Per niente soddisfatto', 'Molto soddisfatto'],
  comment: 'Vuole dirci perché? (facoltativo)',
  send: 'Invia la mia risposta',
  thanks: 'Grazie',
  thanksText: (company) => `${company} ha ricevuto la sua risposta. Può chiudere questa pagina.`,
  before: 'Abbiamo già la sua risposta',
  beforeText: 'Grazie. A ogni domanda si può rispondere una volta; vale la prima risposta.',
  invalid: 'Questo link non è valido',
  invalidText: 'Lo apra di nuovo, per intero, dall’e-mail. Alcuni programmi spezzano i link lunghi.',
  gone: 'Questo sondaggio è chiuso',
  goneText: 'Non si può più rispondere.',
  trouble: 'Qualcosa non ha funzionato',
  troubleText: 'Non è stato possibile salvare la sua risposta. Riprovi tra un minuto.',
  choose: 'Scelga uno dei punteggi.',
};
