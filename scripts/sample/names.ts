/** Common first and last names of one language, to be combined at random; no real person is meant. */
export interface NamePool {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

const words = (text: string): readonly string[] => text.split(' ');

export const ENGLISH: NamePool = {
  first: words(
    'Alice Amelia Arthur Beatrice Charlotte Daniel Edith Edward Eleanor Emily Florence Frances George Grace Harriet ' +
      'Harry Henry Imogen Isla Jack James Jane Joseph Katherine Lucy Martha Matthew Nathan Oliver Philippa Rose Samuel ' +
      'Sophie Thomas Violet William',
  ),
  last: words(
    'Ashby Bailey Barlow Bennett Carter Clarke Cooper Dawson Ellis Fletcher Foster Gibson Harding Hughes Kerr Lloyd ' +
      'Marsh Mason Newton Palmer Parry Quinn Reed Rowe Shaw Slater Turner Walsh Webb Whitaker Wright',
  ),
};

export const IRISH: NamePool = {
  first: words('Aoife Brendan Caoimhe Cian Ciara Conor Eoin Gráinne Niamh Oisín Órla Pádraig Róisín Sinéad'),
  last: words('Brennan Byrne Doyle Fitzgerald Gallagher Kavanagh Murphy Nolan O’Brien O’Connor O’Neill Sheehan'),
};

export const GERMAN: NamePool = {
  first: words('Annika Bärbel Christoph Dörte Felix Greta Hannah Jörg Jürgen Katrin Lena Lukas Matthias Ute Wolfgang'),
  last: words('Bauer Brandt Fischer Groß Hoffmann Jäger Köhler Krüger Lange Müller Schäfer Schröder Vogel Weiß'),
};

export const POLISH: NamePool = {
  first: words('Agnieszka Andrzej Bartosz Ewa Grażyna Jakub Kasia Łukasz Małgorzata Paweł Piotr Zofia'),
  last: words('Dąbrowski Kamińska Kowalczyk Lewandowska Mazur Nowak Wiśniewski Wójcik Zając Zieliński'),
};

export const FRENCH: NamePool = {
  first: words('Aurélie Benoît Camille Chloé Étienne Françoise Hélène Jérôme Léa Mathieu Noémie Théo'),
  last: words('Bernard Chevalier Dubois Fournier Garnier Lefèvre Mercier Moreau Périer Rousseau'),
};

export const ITALIAN: NamePool = {
  first: words('Alessandra Chiara Davide Elena Francesca Giorgio Lorenzo Marta Niccolò Paola'),
  last: words('Bianchi Conti Esposito Ferrari Galli Lombardi Marchetti Ricci Romano'),
};

export const SOUTH_ASIAN: NamePool = {
  first: words('Aisha Amit Deepa Farah Harpreet Imran Kavita Meera Nadia Priya Rahul Sanjay Tariq Zara'),
  last: words('Ahmed Begum Chaudhry Desai Gill Hussain Iyer Kapoor Khan Mehta Patel Sharma Sidhu'),
};

export const NORDIC: NamePool = {
  first: words('Åse Astrid Bjørn Freja Gunnar Ingrid Jón Kirsten Lærke Søren Sigrún Øyvind'),
  last: words('Andersen Berg Bjørnstad Dahl Eriksson Hansen Lindqvist Nyström Østergaard Sørensen'),
};

export const TURKISH: NamePool = {
  first: words('Ayşe Burak Çağla Deniz Elif Gökhan İrem Mehmet Özlem Şule'),
  last: words('Aydın Çelik Demir Kaya Öztürk Şahin Yıldız Yılmaz'),
};

export const WEST_AFRICAN: NamePool = {
  first: words('Abena Adaeze Chidi Efua Emeka Folake Kofi Kwame Ngozi Yaa'),
  last: words('Adeyemi Asante Boateng Eze Mensah Nwosu Okafor Owusu'),
};

/** Letters that carry no accent to be taken off. */
const PLAIN: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', æ: 'ae', ł: 'l', ı: 'i' };

/** A name as it can stand before the @ of an address: lower case, a to z only. */
export function plainLetters(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[ßøæłı]/gu, (letter) => PLAIN[letter] ?? '')
    .replace(/[^a-z]/gu, '');
}
