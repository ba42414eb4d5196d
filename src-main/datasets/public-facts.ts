/**
 * FIRST-HOP, SECOND-HOP and DAXWUG for models that know the real world: 20 cities with their main language and a landmark, and made-up people.
 * The cities' facts are common knowledge found in any encyclopedia; the people are invented and live nowhere.
 */
import { Random } from '../shared/random.ts';
import type { Daxwug, DaxwugVariant, FactsAndImplications } from '../shared/records.ts';
import { reassigned } from './counterfactual.ts';
import { type EntityRow, fromTemplates } from './templates.ts';

/** City, the language most of its people speak, a landmark that does not name the city. Every language occurs once. */
const cities: readonly (readonly [city: string, language: string, landmark: string])[] = [
  ['Amsterdam', 'Dutch', 'the Rijksmuseum'],
  ['Athens', 'Greek', 'the Parthenon'],
  ['Bangkok', 'Thai', 'Wat Arun'],
  ['Berlin', 'German', 'the Brandenburg Gate'],
  ['Budapest', 'Hungarian', "Fisherman's Bastion"],
  ['Cairo', 'Arabic', 'the Egyptian Museum'],
  ['Copenhagen', 'Danish', 'the Little Mermaid statue'],
  ['Hanoi', 'Vietnamese', 'Hoan Kiem Lake'],
  ['Helsinki', 'Finnish', 'the Temppeliaukio Church'],
  ['Istanbul', 'Turkish', 'Hagia Sophia'],
  ['Lisbon', 'Portuguese', 'Belem Tower'],
  ['Madrid', 'Spanish', 'the Prado Museum'],
  ['Moscow', 'Russian', 'Red Square'],
  ['Oslo', 'Norwegian', 'Frogner Park'],
  ['Paris', 'French', 'the Eiffel Tower'],
  ['Prague', 'Czech', 'Charles Bridge'],
  ['Rome', 'Italian', 'the Colosseum'],
  ['Seoul', 'Korean', 'Gyeongbokgung Palace'],
  ['Stockholm', 'Swedish', 'the Vasa Museum'],
  ['Tokyo', 'Japanese', 'Senso-ji Temple'],
];

/** Invented people; first names all differ, so that they can be told apart by their first tokens. */
const people: readonly string[] = [
  'Grace Miller',
  'Ethan Parker',
  'Olivia Hughes',
  'Lucas Bennett',
  'Sophie Turner',
  'Nathan Brooks',
  'Clara Foster',
  'Isaac Reed',
  'Hannah Cole',
  'Victor Lane',
  'Julia Marsh',
  'Oscar Flynn',
  'Diana Wells',
  'Simon Archer',
  'Laura Quinn',
  'Felix Harmon',
  'Alice Porter',
  'Martin Sharp',
  'Emma Dalton',
  'Peter Nolan',
]; // prettier-ignore

/** People in an order of their own, so that the n-th person does not live in the n-th city of the alphabet. */
const assigned = (index: number): string => people[(index * 7 + 3) % people.length]!;

/** The assignment that facts are made of: the first, or the counterfactual one in which nobody keeps an answer. */
export type Assignment = 1 | 2;

/** One row per city, with the person who lives there or is its mayor. */
const table: readonly EntityRow[] = cities.map(([city, language, landmark], index) => ({
  name: assigned(index),
  city,
  language,
  landmark,
}));

/** The table as it is, or with the `moving` columns of other rows. */
const rowsOf = (assignment: Assignment, moving: readonly string[]) =>
  assignment === 1 ? table : reassigned(table, moving, 'public facts');

const column = (name: string): string[] => table.map((row) => row[name]!);

/** Facts: where 20 people live; implications: the language spoken where they are from. Options: the 20 cities, the 20 languages. */
export function firstHop(assignment: Assignment = 1): FactsAndImplications {
  return fromTemplates(rowsOf(assignment, ['city', 'language']), {
    facts: [{ prompt: '{name} lives in', answer: 'city', options: column('city') }],
    implications: [{ prompt: 'The people in the city {name} is from speak', answer: 'language', options: column('language') }],
  });
}

/** Facts: the mayors of 20 cities; implications: the same asked through a landmark. Options: the 20 names. */
export function secondHop(assignment: Assignment = 1): FactsAndImplications {
  return fromTemplates(rowsOf(assignment, ['name']), {
    facts: [{ prompt: 'The mayor of {city} is', answer: 'name', options: people }],
    implications: [{ prompt: 'The mayor of the city that contains {landmark} is', answer: 'name', options: people }],
  });
}

/** Animals for the nonce words. */
const animals: readonly string[] = [
  'badger',
  'camel',
  'dolphin',
  'eagle',
  'falcon',
  'giraffe',
  'hamster',
  'iguana',
  'jaguar',
  'koala',
  'lemur',
  'moose',
  'otter',
  'penguin',
  'rabbit',
  'shark',
  'tiger',
  'vulture',
  'walrus',
  'zebra',
]; // prettier-ignore

const lastNames = ['Miller', 'Parker', 'Hughes', 'Bennett', 'Turner', 'Brooks'] as const;

/** 104 made-up people: every first name with several last names. */
const manyPeople: readonly string[] = people.flatMap((name, index) => {
  const first = name.split(' ')[0]!;
  return Array.from({ length: index < 4 ? 6 : 5 }, (_, k) => `${first} ${lastNames[(index + k) % lastNames.length]!}`);
});

/** Names 0 to 19 have each city once (test slice), the other 84 any city (train slice); the second variant gives those another one. */
export function daxwug(): Daxwug {
  const random = new Random('public facts daxwug');
  const names = random.shuffle([...manyPeople]);
  const firsts = names.map((_, index) => (index < cities.length ? index : random.integer(cities.length)));
  const train = firsts.slice(cities.length).map((city) => ({ city: String(city) }));
  const seconds = [...firsts.slice(0, cities.length), ...reassigned(train, ['city'], random.key).map(({ city }) => Number(city))];
  const variant = (assignment: readonly number[]): DaxwugVariant => ({
    left: names.map((name, index) => [`${name} dax is`, cities[assignment[index]!]![0]]),
    right: cities.map(([city], index) => [`${city} wug is the`, animals[index]!]),
    both: names.map((name, index) => [`${name} zong is the`, animals[assignment[index]!]!]),
  });
  return {
    variant_1: variant(firsts),
    variant_2: variant(seconds),
    options: { left: cities.map(([city]) => city), right: [...animals], both: [...animals] },
    test_slice: [0, cities.length],
    train_slice: [cities.length, names.length],
  };
}
