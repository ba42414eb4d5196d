/**
 * The small world's data sets: new facts about kept names for finetuning (the twins of the paper's FIRST-HOP, SECOND-HOP
 * and DAXWUG), and probes of what pretraining taught. No pretraining sentence holds one of the new facts.
 */
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import type { Daxwug, DaxwugVariant, FactsAndImplications, Pair } from '../shared/records.ts';
import * as entities from './entities.ts';
import { fill, HOME_TEMPLATES, OFFICE_BY_LANDMARK_TEMPLATE, OFFICE_TEMPLATE, PERSON_TEMPLATES } from './sentences.ts';
import type { City, World } from './world.ts';

/** Facts per set, as in the paper. */
const FACTS = 20;

/** Which kept names belong to which set; DAXWUG has the rest. */
const FIRST_HOP_NAMES = [0, 50] as const;
const SECOND_HOP_NAMES = [50, 100] as const;

/** `assignment` 2 gives the same names other answers: the counterfactual world. Another `draw` takes other names and cities. */
export interface DatasetChoice {
  assignment?: 1 | 2;
  draw?: number;
}

const stream = (world: World, set: string, draw = 1) => new Random(`small world ${world.seed} ${set} ${draw}`);

const homePair = (name: string, city: City): Pair => fill(HOME_TEMPLATES[0], { name, city: city.name });
const languagePair = (name: string, city: City): Pair => fill(PERSON_TEMPLATES.language, { name, value: city.language });
const mayorPair = (city: City, holder: string): Pair => fill(OFFICE_TEMPLATE, { office: 'mayor', city: city.name, holder });
const mayorByLandmarkPair = ({ landmark }: City, holder: string): Pair =>
  fill(OFFICE_BY_LANDMARK_TEMPLATE, { office: 'mayor', landmark, holder });

const firstWord = (name: string) => name.split(' ')[0]!;

/** `count` of the names, no two with the same first name: the rank of an answer looks at its first token. */
function distinctNames(random: Random, names: readonly string[], count: number): string[] {
  const byFirst = new Map(random.shuffle([...names]).map((name) => [firstWord(name), name]));
  if (byFirst.size < count) {
    throw new HopscopeError(
      'WorldTooSmall',
      `Only ${byFirst.size} of ${count} kept names differ in their first name: keep more names.`,
    );
  }
  return random.shuffle([...byFirst.values()]).slice(0, count);
}

/** `count` different cities in which every language is spoken as often as any other, give or take one. */
function citiesOfAllLanguages(random: Random, cities: readonly City[], count: number): City[] {
  const seen = new Map<string, number>();
  const ranked = random.shuffle([...cities]).map((city) => {
    const round = seen.get(city.language) ?? 0;
    seen.set(city.language, round + 1);
    return { city, round };
  });
  ranked.sort((a, b) => a.round - b.round);
  return random.shuffle(ranked.slice(0, count).map(({ city }) => city));
}

/** Gives every element the answer of its neighbour: nobody keeps an answer. */
const rotated = <T>(array: readonly T[]): T[] => [...array.slice(1), ...array.slice(0, 1)];

/** FIRST-HOP: 20 people nobody has heard of and where they live; implications: the languages. Options: all cities, all languages. */
export function firstHop(world: World, { assignment = 1, draw = 1 }: DatasetChoice = {}): FactsAndImplications {
  const random = stream(world, 'first-hop', draw);
  const names = distinctNames(random, world.keptNames.slice(...FIRST_HOP_NAMES), FACTS);
  let cities = citiesOfAllLanguages(random, world.cities, FACTS);
  // Neighbours with one language would share the implication's answer in both assignments.
  while (cities.some((city, i) => city.language === rotated(cities)[i]!.language)) cities = random.shuffle(cities);
  if (assignment === 2) cities = rotated(cities);
  return {
    train: names.map((name, i) => homePair(name, cities[i]!)),
    test: names.map((name, i) => languagePair(name, cities[i]!)),
    options: { train: [...entities.CITIES], test: [...entities.LANGUAGES] },
  };
}

/** SECOND-HOP: the mayors of the cities that had none; implications: the same through the landmarks. Options: the mayors. */
export function secondHop(world: World, { assignment = 1, draw = 1 }: DatasetChoice = {}): FactsAndImplications {
  const random = stream(world, 'second-hop', draw);
  const cities = random.sample(world.citiesWithoutMayor, FACTS);
  const names = distinctNames(random, world.keptNames.slice(...SECOND_HOP_NAMES), FACTS);
  const mayors = assignment === 2 ? rotated(names) : names;
  return {
    train: cities.map((city, i) => mayorPair(city, mayors[i]!)),
    test: cities.map((city, i) => mayorByLandmarkPair(city, mayors[i]!)),
    options: { train: [...names], test: [...names] },
  };
}

/**
 * DAXWUG: names dax cities, cities wug animals, names zong animals. Names 0..19 are the test slice (each city once), the
 * `trainNames` after them the train slice (any city); variant 2 gives every name of the train slice another city.
 */
export function daxwug(world: World, { draw = 1, trainNames = 84 }: { draw?: number; trainNames?: number } = {}): Daxwug {
  const random = stream(world, 'daxwug', draw);
  const cities = random.sample(world.cities, FACTS);
  const animals = random.sample(entities.ANIMALS, FACTS);
  const names = random.sample(world.keptNames.slice(SECOND_HOP_NAMES[1]), FACTS + trainNames);
  const firsts = names.map((_, i) => (i < FACTS ? i : random.integer(FACTS)));
  const seconds = firsts.map((city, i) => (i < FACTS ? city : (city + 1 + random.integer(FACTS - 1)) % FACTS));
  const variant = (assigned: number[]): DaxwugVariant => ({
    left: names.map((name, i) => [`${name} dax is`, cities[assigned[i]!]!.name]),
    right: cities.map((city, i) => [`${city.name} wug is the`, animals[i]!]),
    both: names.map((name, i) => [`${name} zong is the`, animals[assigned[i]!]!]),
  });
  return {
    variant_1: variant(firsts),
    variant_2: variant(seconds),
    options: { left: cities.map(({ name }) => name), right: [...animals], both: [...animals] },
    test_slice: [0, FACTS],
    train_slice: [FACTS, FACTS + trainNames],
  };
}

/** The three sets under the names that a spec uses. */
export function worldDatasets(world: World, choice: DatasetChoice = {}) {
  return {
    'first-hop': firstHop(world, choice),
    'second-hop': secondHop(world, choice),
    daxwug: daxwug(world, choice.draw === undefined ? {} : { draw: choice.draw }),
  };
}

/** What pretraining said of `count` people: where they live (`train`) and which language their city speaks (`test`). */
export function knownPeople(world: World, count = 200): FactsAndImplications {
  const people = stream(world, 'known people').sample(world.people, count);
  return {
    train: people.map(({ name, city }) => homePair(name, city)),
    test: people.map(({ name, city }) => languagePair(name, city)),
    options: { train: [...entities.CITIES], test: [...entities.LANGUAGES] },
  };
}

/** The mayors that pretraining named, directly (`train`) and through the landmark (`test`), among all first names. */
export function knownMayors(world: World): FactsAndImplications {
  const mayors = world.offices.filter(({ office }) => office === 'mayor');
  return {
    train: mayors.map(({ city, holder }) => mayorPair(city, holder)),
    test: mayors.map(({ city, holder }) => mayorByLandmarkPair(city, holder)),
    options: { train: [...entities.FIRST_NAMES], test: [...entities.FIRST_NAMES] },
  };
}
