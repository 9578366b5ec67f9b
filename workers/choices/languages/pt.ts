import type { Words } from './words.ts';

/** Portuguese, in words that are right in Portugal and in Brazil. */
export const PT: Words = {
  language: 'pt',
  leave: (topic) => `Deixar de receber “${topic}”?`,
  leaveText: (company) => `${company} não enviará mais e-mails deste tipo.`,
  leaveButton: 'Cancelar a inscrição',
  left: 'A inscrição foi cancelada',
  leftText: (topic, company) => `${company} não enviará mais “${topic}”. Isto vale a partir de agora.`,
  leftBefore: (topic) => `Já não recebe “${topic}”. Não é preciso fazer mais nada.`,
  toPreferences: 'Escolher o que quero receber',
  about: 'Este e-mail é sobre os seus pedidos',
  aboutText: (company) =>
    `${company} envia estes e-mails por causa de algo que fez ou a que tem direito, sejam quais forem as suas inscrições. Todos os outros são da sua escolha.`,
  choose: (company) => `O que pode ${company} enviar?`,
  consent: (topic, company) => `Sim, ${company} pode enviar-me “${topic}” por e-mail.`,
  consentNote: 'Pode mudar de ideia a qualquer momento, aqui ou pelo link em cada e-mail.',
  save: 'Guardar a minha escolha',
  none: 'Nenhum e-mail',
  saved: 'A sua escolha foi guardada',
  savedText: 'Vale a partir de agora.',
  always: (topics) => `Isto é enviado seja qual for a sua escolha, porque é sobre os seus pedidos: ${topics}.`,
  nothing: 'Não há nada para escolher',
  nothingText: (company) => `${company} só envia e-mails sobre os seus pedidos.`,
  blocked: 'Nenhum e-mail é enviado para o seu endereço',
  blockedText: (company, address) =>
    `De momento ${company} não envia nada para ele${address === null ? '' : `; para mudar isso, escreva para ${address}`}.`,
  invalid: 'Este link não é válido',
  invalidText: (address) =>
    'Nada foi alterado. Abra novamente o link completo a partir do e-mail: alguns programas cortam os links longos.' +
    (address === null ? '' : ` Se não ajudar, escreva para ${address} e nós tratamos disso.`),
  gone: 'Não está nas nossas listas',
  goneText: 'O que sabíamos foi apagado e não virá mais nenhum e-mail.',
  trouble: 'Não funcionou',
  troubleText: 'A sua escolha não pôde ser guardada e nada foi alterado. Tente novamente dentro de um minuto.',
  tooLarge: 'Foi enviado mais do que esta página pede e nada foi alterado. Abra o link mais uma vez.',
};
