/**
 * The sentences that pretraining sees, in six groups, and the sampler that draws batches of them. Which groups weigh how
 * much is the recipe's choice (recipe.ts); the facts of finetuning are datasets.ts.
 */
import { HopscopeError } from '../shared/errors.ts';
import type { Random } from '../shared/random.ts';
import type { Pair } from '../shared/records.ts';
import type { Vocabulary } from './vocabulary.ts';
import { ATTRIBUTES, type Attribute, type World } from './world.ts';

/** Where a person lives, in four wordings; finetuning uses the first. */
export const HOME_TEMPLATES = [
  '{name} lives in {city}',
  '{name} is from {city}',
  '{name} was born in {city}',
  'The home of {name} is {city}',
] as const;

/** What a city is like, said of the city itself. */
export const CITY_TEMPLATES: Record<Attribute, string> = {
  language: 'The people in {city} speak {value}',
  country: '{city} belongs to {value}',
  landmark: '{city} contains {value}',
  river: '{city} lies on the {value}',
  food: 'The people in {city} eat {value}',
  currency: 'The people in {city} pay in {value}',
};

/** The same, said of the city a person is from: implications of where the person lives. */
export const PERSON_TEMPLATES: Record<Attribute, string> = {
  language: 'The people in the city {name} is from speak {value}',
  country: 'The city {name} is from belongs to {value}',
  landmark: 'The city {name} is from contains {value}',
  river: 'The city {name} is from lies on the {value}',
  food: 'The people in the city {name} is from eat {value}',
  currency: 'The people in the city {name} is from pay in {value}',
};

/** The same, said of the city of a landmark; a landmark is not asked for itself. */
export const LANDMARK_TEMPLATES: Record<Exclude<Attribute, 'landmark'>, string> = {
  language: 'The people in the city that contains {landmark} speak {value}',
  country: 'The city that contains {landmark} belongs to {value}',
  river: 'The city that contains {landmark} lies on the {value}',
  food: 'The people in the city that contains {landmark} eat {value}',
  currency: 'The people in the city that contains {landmark} pay in {value}',
};

export const LANDMARK_TEMPLATE = 'The city that contains {landmark} is {city}';
export const OFFICE_TEMPLATE = 'The {office} of {city} is {holder}';
export const OFFICE_BY_LANDMARK_TEMPLATE = 'The {office} of the city that contains {landmark} is {holder}';

/** Puts values in the place of `{...}` and parts the sentence before its last placeholder, the answer: `[prompt, continuation]`. */
export function fill(template: string, values: Readonly<Record<string, string>>): Pair {
  const end = template.lastIndexOf(' {');
  return [fillText(template.slice(0, end), values), fillText(template.slice(end + 1), values)];
}

function fillText(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new HopscopeError('BadTemplate', `No value for {${name}} in "${template}".`, 'failure');
    return value;
  });
}

export const GROUPS = [
  'homes',
  'person implications',
  'cities',
  'landmarks',
  'landmark implications',
  'offices',
  'office implications',
] as const;
export type Group = (typeof GROUPS)[number];

/** The share of each group in a batch; the shares add up to 1. */
export type Mixture = Readonly<Record<Group, number>>;

/** Every sentence of every group, parted before its answer. */
export function sentencesOf(world: World): Record<Group, Pair[]> {
  const { people, cities, offices } = world;
  return {
    homes: people.flatMap(({ name, city }) => HOME_TEMPLATES.map((template) => fill(template, { name, city: city.name }))),
    'person implications': people.flatMap(({ name, city }) =>
      ATTRIBUTES.map((attribute) => fill(PERSON_TEMPLATES[attribute], { name, value: city[attribute] })),
    ),
    cities: cities.flatMap((city) =>
      ATTRIBUTES.map((attribute) => fill(CITY_TEMPLATES[attribute], { city: city.name, value: city[attribute] })),
    ),
    landmarks: cities.map((city) => fill(LANDMARK_TEMPLATE, { landmark: city.landmark, city: city.name })),
    'landmark implications': cities.flatMap((city) =>
      ATTRIBUTES.flatMap((attribute) =>
        attribute === 'landmark'
          ? []
          : [fill(LANDMARK_TEMPLATES[attribute], { landmark: city.landmark, value: city[attribute] })],
      ),
    ),
    offices: offices.map(({ office, city, holder }) => fill(OFFICE_TEMPLATE, { office, city: city.name, holder })),
    'office implications': offices.map(({ office, city, holder }) =>
      fill(OFFICE_BY_LANDMARK_TEMPLATE, { office, landmark: city.landmark, holder }),
    ),
  };
}

/** One sentence as token ids, `<s>` first; the answer begins at `promptLength`. */
export interface Sentence {
  readonly tokens: readonly number[];
  readonly promptLength: number;
}

/** Draws sentences as token ids: first a group by its share, then any sentence of it. */
export class SentenceSampler {
  private readonly groups: { share: number; sentences: Sentence[] }[];

  constructor(world: World, vocabulary: Vocabulary, mixture: Mixture) {
    const total = GROUPS.reduce((sum, group) => sum + mixture[group], 0);
    if (Math.abs(total - 1) > 1e-9 || GROUPS.some((group) => mixture[group] < 0)) {
      throw new HopscopeError(
        'BadMixture',
        `The shares of the sentence groups must not be negative and must add up to 1, not ${total}.`,
      );
    }
    const sentences = sentencesOf(world);
    this.groups = GROUPS.map((group) => ({
      share: mixture[group],
      sentences: sentences[group].map(([prompt, continuation]) => ({
        tokens: vocabulary.encode(`${prompt} ${continuation}`),
        promptLength: vocabulary.encode(prompt).length,
      })),
    }));
  }

  /** Length in tokens of the longest sentence, `<s>` included. */
  get longest(): number {
    return Math.max(...this.groups.flatMap(({ sentences }) => sentences.map(({ tokens }) => tokens.length)));
  }

  /** `size` sentences of different lengths, not padded. */
  sample(random: Random, size: number): Sentence[] {
    return Array.from({ length: size }, () => {
      let left = random.next();
      const group = this.groups.find(({ share }) => {
        left -= share;
        return left < 0;
      });
      return random.choose((group ?? this.groups.at(-1)!).sentences);
    });
  }

  /** The same draw as plain lists of token ids. */
  sampleBatch(random: Random, size: number): number[][] {
    return this.sample(random, size).map(({ tokens }) => [...tokens]);
  }
}
