import type { Words } from './words.ts';

/** Dutch. */
export const NL: Words = {
  language: 'nl',
  recommend: (company) => `Hoe waarschijnlijk is het dat u ${company} bij een vriend aanbeveelt?`,
  satisfied: (company) => `Hoe tevreden bent u over ${company}?`,
  recommendEnds: ['Zeer onwaarschijnlijk', 'Zeer waarschijnlijk'],
  satisfiedEnds: ['Helemaal niet tevreden', 'Zeer tevreden'],
  comment: 'Wilt u ons vertellen waarom? (niet verplicht)',
  send: 'Mijn antwoord versturen',
  thanks: 'Dank u wel',
  thanksText: (company) => `${company} heeft uw antwoord ontvangen. U kunt deze pagina sluiten.`,
  before: 'Wij hebben uw antwoord al',
  beforeText: 'Dank u wel. Elke vraag kan één keer worden beantwoord; het eerste antwoord telt.',
  invalid: 'Deze link is niet geldig',
  invalidText: 'Open hem nog eens helemaal vanuit de e-mail. Sommige programma’s breken lange links af.',
  gone: 'Deze enquête is gesloten',
  goneText: 'U kunt niet meer antwoorden.',
  trouble: 'Dat is niet gelukt',
  troubleText: 'Uw antwoord kon nu niet worden opgeslagen. Probeer het over een minuut opnieuw.',
  choose: 'Kies een van de scores.',
};
