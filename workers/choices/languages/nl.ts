import type { Words } from './words.ts';

/** Dutch. */
export const NL: Words = {
  language: 'nl',
  leave: (topic) => `Afmelden voor “${topic}”?`,
  leaveText: (company) => `${company} stuurt u dan geen e-mails van deze soort meer.`,
  leaveButton: 'Afmelden',
  left: 'U bent afgemeld',
  leftText: (topic, company) => `${company} stuurt u “${topic}” niet meer. Dat geldt vanaf nu.`,
  leftBefore: (topic) => `U krijgt “${topic}” al niet meer. U hoeft niets meer te doen.`,
  toPreferences: 'Kiezen wat u wilt ontvangen',
  about: 'Deze e-mail gaat over uw bestelling of vraag',
  aboutText: (company) =>
    `${company} stuurt zulke e-mails omdat u iets hebt gedaan of omdat u iets toekomt, wat uw abonnementen ook zijn. Over alle andere beslist u.`,
  choose: (company) => `Wat mag ${company} u sturen?`,
  consent: (topic, company) => `Ja, ${company} mag mij “${topic}” per e-mail sturen.`,
  consentNote: 'U kunt altijd van gedachten veranderen, hier of via de link in elke e-mail.',
  save: 'Mijn keuze opslaan',
  none: 'Helemaal geen post meer',
  saved: 'Uw keuze is opgeslagen',
  savedText: 'Die geldt vanaf nu.',
  always: (topics) => `Dit komt wat u ook kiest, omdat het over uw bestellingen en vragen gaat: ${topics}.`,
  nothing: 'Er valt niets te kiezen',
  nothingText: (company) => `${company} stuurt alleen e-mails over uw bestellingen en vragen.`,
  blocked: 'Naar uw adres gaat geen post',
  blockedText: (company, address) =>
    `${company} stuurt er op dit moment niets naartoe${address === null ? '' : `; wilt u dat veranderen, schrijf dan naar ${address}`}.`,
  invalid: 'Deze link is niet geldig',
  invalidText: (address) =>
    'Er is niets veranderd. Open de link nog eens helemaal vanuit de e-mail: sommige programma’s breken lange links af.' +
    (address === null ? '' : ` Helpt dat niet, schrijf dan naar ${address}; wij doen het voor u.`),
  gone: 'U staat niet op onze lijsten',
  goneText: 'Wat wij van u wisten is gewist, en er komt geen e-mail meer.',
  trouble: 'Dat is niet gelukt',
  troubleText: 'Uw keuze kon nu niet worden opgeslagen en er is niets veranderd. Probeer het over een minuut opnieuw.',
  tooLarge: 'Er is meer gestuurd dan deze pagina vraagt en er is niets veranderd. Open de link nog eens.',
};
