import type { Words } from './words.ts';

/** Spanish. */
export const ES: Words = {
  language: 'es',
  recommend: (company) => `¿Con qué probabilidad recomendaría ${company} a un amigo?`,
  satisfied: (company) => `¿Cuál es su grado de satisfacción con ${company}?`,
  recommendEnds: ['Nada probable', 'Muy probable'],
  satisfiedEnds: ['Nada satisfecho', 'Muy satisfecho'],
  comment: '¿Quiere decirnos por qué? (opcional)',
  send: 'Enviar mi respuesta',
  thanks: 'Gracias',
  thanksText: (company) => `${company} ha recibido su respuesta. Puede cerrar esta página.`,
  before: 'Ya tenemos su respuesta',
  beforeText: 'Gracias. Cada pregunta se puede responder una vez; cuenta la primera respuesta.',
  invalid: 'Este enlace no es válido',
  invalidText: 'Ábralo de nuevo, completo, desde el correo. Algunos programas cortan los enlaces largos.',
  gone: 'Esta encuesta está cerrada',
  goneText: 'Ya no se puede responder.',
  trouble: 'No ha funcionado',
  troubleText: 'No se ha podido guardar su respuesta. Inténtelo de nuevo dentro de un minuto.',
  choose: 'Elija una de las puntuaciones.',
};
