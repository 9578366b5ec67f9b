import type { Words } from './words.ts';

/** Spanish. */
export const ES: Words = {
  language: 'es',
  leave: (topic) => `¿Dejar de recibir «${topic}»?`,
  leaveText: (company) => `${company} no le enviará más correos de este tipo.`,
  leaveButton: 'Darme de baja',
  left: 'Se ha dado de baja',
  leftText: (topic, company) => `${company} no le enviará más «${topic}». Es válido desde ahora mismo.`,
  leftBefore: (topic) => `Ya no recibe «${topic}». No tiene que hacer nada más.`,
  toPreferences: 'Elegir lo que quiero recibir',
  about: 'Este correo trata de sus pedidos o consultas',
  aboutText: (company) =>
    `${company} envía estos correos por algo que usted ha hecho o que le corresponde, sean cuales sean sus suscripciones. Sobre todos los demás decide usted.`,
  choose: (company) => `¿Qué puede enviarle ${company}?`,
  consent: (topic, company) => `Sí, ${company} puede enviarme «${topic}» por correo electrónico.`,
  consentNote: 'Puede cambiar de opinión en cualquier momento, aquí o con el enlace de cada correo.',
  save: 'Guardar mi elección',
  none: 'Ningún correo más',
  saved: 'Su elección se ha guardado',
  savedText: 'Es válida desde ahora mismo.',
  always: (topics) =>
    `Esto se envía con independencia de su elección, porque trata de sus pedidos y consultas: ${topics}.`,
  nothing: 'No hay nada que elegir',
  nothingText: (company) => `${company} solo envía correos sobre sus pedidos y consultas.`,
  blocked: 'No se envía ningún correo a su dirección',
  blockedText: (company, address) =>
    `De momento ${company} no le envía nada${address === null ? '' : `; si quiere cambiarlo, escriba a ${address}`}.`,
  invalid: 'Este enlace no es válido',
  invalidText: (address) =>
    'No se ha cambiado nada. Abra de nuevo el enlace completo desde el correo: algunos programas cortan los enlaces largos.' +
    (address === null ? '' : ` Si no funciona, escriba a ${address} y lo haremos por usted.`),
  gone: 'No está en nuestras listas',
  goneText: 'Lo que sabíamos de usted se ha borrado y no recibirá ningún correo.',
  trouble: 'No ha funcionado',
  troubleText: 'No se ha podido guardar su elección y no se ha cambiado nada. Inténtelo de nuevo dentro de un minuto.',
  tooLarge: 'Se ha enviado más de lo que pide esta página y no se ha cambiado nada. Abra el enlace otra vez.',
};
