/**
 * Who lives where, what each city is like, who holds which office: one world per seed. It knows no sentence, no token
 * and no training: those are sentences.ts, vocabulary.ts and recipe.ts.
 */
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import * as entities from './entities.ts';

/** What every city has one of. */
export const ATTRIBUTES = ['language', 'country', 'landmark', 'river', 'food', 'currency'] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

export type City = { readonly name: string } & { readonly [attribute in Attribute]: string };

export interface Person {
  readonly name: string;
  readonly city: City;
}

/** `holder` has `office` in `city`. */
export interface OfficeHolder {
  readonly office: string;
  readonly city: City;
  readonly holder: string;
}

export interface WorldSize {
  /** People whose city is known in pretraining. */
  readonly people: number;
  /** People who hold offices; their cities are not said. */
  readonly officials: number;
  /** Names that no pretraining sentence has: the subjects of new facts. */
  readonly keptNames: number;
  /** Cities whose mayor no pretraining sentence names. */
  readonly citiesWithoutMayor: number;
}

export const DEFAULT_SIZE: WorldSize = { people: 2000, officials: 700, keptNames: 300, citiesWithoutMayor: 20 };

export interface World {
  readonly seed: number;
  readonly cities: readonly City[];
  readonly people: readonly Person[];
  readonly offices: readonly OfficeHolder[];
  readonly keptNames: readonly string[];
  readonly citiesWithoutMayor: readonly City[];
}

/** Draws a world. Each part has its own stream, so a change of one size leaves the other parts as they were. */
export function createWorld(seed = 1, size: WorldSize = DEFAULT_SIZE): World {
  const random = new Random(`small world ${seed}`);
  const cities = drawCities(random);

  const names = entities.FIRST_NAMES.flatMap((first) => entities.LAST_NAMES.map((last) => `${first} ${last}`));
  const wanted = size.people + size.officials + size.keptNames;
  if (wanted > names.length) {
    throw new HopscopeError('WorldTooLarge', `The world needs ${wanted} names but has ${names.length}: lower its sizes.`);
  }
  random.fork('names').shuffle(names);
  const keptNames = names.slice(0, size.keptNames);
  const officials = names.slice(size.keptNames, size.keptNames + size.officials);
  const residents = names.slice(names.length - size.people);

  const homes = random.fork('homes');
  const people = residents.map((name) => ({ name, city: homes.choose(cities) }));

  const citiesWithoutMayor = random.fork('mayors').sample(cities, size.citiesWithoutMayor);
  const holders = random.fork('offices');
  const offices: OfficeHolder[] = [];
  for (const city of cities) {
    for (const office of entities.OFFICES) {
      const holder = holders.choose(officials);
      if (office !== 'mayor' || !citiesWithoutMayor.includes(city)) offices.push({ office, city, holder });
    }
  }
  return { seed, cities, people, offices, keptNames, citiesWithoutMayor };
}

/** Every value of an attribute belongs to as many cities as any other, give or take one; landmarks to one at most. */
function drawCities(random: Random): City[] {
  const landmarks = entities.LANDMARK_FIRST.flatMap((first) => entities.LANDMARK_SECOND.map((second) => `${first} ${second}`));
  const spread = (attribute: Attribute, values: readonly string[]) => {
    const stream = random.fork(attribute);
    const order = stream.shuffle([...values]);
    return stream.shuffle(entities.CITIES.map((_, i) => order[i % order.length]!));
  };
  const columns: Record<Attribute, string[]> = {
    language: spread('language', entities.LANGUAGES),
    country: spread('country', entities.COUNTRIES),
    landmark: spread('landmark', landmarks),
    river: spread('river', entities.RIVERS),
    food: spread('food', entities.FOODS),
    currency: spread('currency', entities.CURRENCIES),
  };
  return entities.CITIES.map((name, i) => {
    const city = { name } as { name: string } & Record<Attribute, string>;
    for (const attribute of ATTRIBUTES) city[attribute] = columns[attribute][i]!;
    return city;
  });
}
