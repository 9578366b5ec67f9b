import type { Words } from './words.ts';

/** Portuguese, in words that are right in Portugal and in Brazil. */
export const PT: Words = {
  language: 'pt',
  recommend: (company) => `Qual a probabilidade de recomendar ${company} a um amigo?`,
  satisfied: (company) => `Qual o seu grau de satisfação com ${company}?`,
  recommendEnds: ['Nada provável', 'Muito provável'],
  satisfiedEnds: ['Nada satisfeito', 'Muito satisfeito'],
  comment: 'Quer dizer-nos porquê? (opcional)',
  send: 'Enviar a minha resposta',
  thanks: 'Obrigado',
  thanksText: (company) => `${company} recebeu a sua resposta. Pode fechar esta página.`,
  before: 'Já temos a sua resposta',
  beforeText: 'Obrigado. Cada pergunta pode ser respondida uma vez; conta a primeira resposta.',
  invalid: 'Este link não é válido',
  invalidText: 'Abra-o novamente, completo, a partir do e-mail. Alguns programas cortam os links longos.',
  gone: 'Este inquérito está encerrado',
  goneText: 'Já não é possível responder.',
  trouble: 'Não funcionou',
  troubleText: 'A sua resposta não pôde ser guardada. Tente novamente dentro de um minuto.',
  choose: 'Escolha uma das pontuações.',
};
