/**
 * The small world keeps its promises: same seed same world, every word one token, no new fact in any pretraining
 * sentence. It trains nothing.
 */
import { describe, expect, test } from 'vitest';
import { Random } from '../../src-main/shared/random.ts';
import * as entities from '../../src-main/world/entities.ts';
import { DEFAULT_RECIPE } from '../../src-main/world/recipe.ts';
import { fill, GROUPS, HOME_TEMPLATES, SentenceSampler, sentencesOf } from '../../src-main/world/sentences.ts';
import { Vocabulary } from '../../src-main/world/vocabulary.ts';
import { ATTRIBUTES, createWorld, DEFAULT_SIZE } from '../../src-main/world/world.ts';

const world = createWorld(DEFAULT_RECIPE.worldSeed, DEFAULT_RECIPE.world);
const vocabulary = new Vocabulary();
const sentences = sentencesOf(world);

describe('entities', () => {
  test('are as many as the world needs, and no word serves twice', () => {
    const counts = [
      [entities.CITIES, 60],
      [entities.LANGUAGES, 15],
      [entities.COUNTRIES, 20],
      [entities.LANDMARK_FIRST, 12],
      [entities.LANDMARK_SECOND, 10],
      [entities.RIVERS, 25],
      [entities.FOODS, 20],
      [entities.CURRENCIES, 12],
      [entities.FIRST_NAMES, 60],
      [entities.LAST_NAMES, 80],
      [entities.OFFICES, 10],
      [entities.ANIMALS, 20],
    ] as const;
    for (const [list, count] of counts) expect(list).toHaveLength(count);
    const lower = vocabulary.words.filter((word) => word !== 'The').map((word) => word.toLowerCase());
    expect(new Set(lower).size).toBe(lower.length);
  });
});

describe('world', () => {
  test('follows from its seed', () => {
    expect(createWorld(1)).toEqual(createWorld(1));
    expect(createWorld(2).people).not.toEqual(createWorld(1).people);
  });

  test('has the sizes of its specification', () => {
    expect(world.cities).toHaveLength(60);
    expect(world.people).toHaveLength(DEFAULT_SIZE.people);
    expect(world.citiesWithoutMayor).toHaveLength(20);
    expect(world.offices).toHaveLength(60 * 10 - 20);
    for (const attribute of ATTRIBUTES) {
      const uses = new Map<string, number>();
      for (const city of world.cities) uses.set(city[attribute], (uses.get(city[attribute]) ?? 0) + 1);
      expect(Math.max(...uses.values()) - Math.min(...uses.values())).toBeLessThanOrEqual(1);
    }
    expect(new Set(world.cities.map((city) => city.landmark)).size).toBe(60);
  });

  test('gives residents, officials and kept names to different people', () => {
    const residents = new Set(world.people.map(({ name }) => name));
    const officials = new Set(world.offices.map(({ holder }) => holder));
    expect(residents.size).toBe(world.people.length);
    for (const name of world.keptNames) expect(residents.has(name) || officials.has(name)).toBe(false);
    for (const name of officials) expect(residents.has(name)).toBe(false);
  });

  test('refuses more people than names', () => {
    expect(() => createWorld(1, { ...DEFAULT_SIZE, people: 4000 })).toThrow('lower its sizes');
  });
});

describe('sentences', () => {
  const all = GROUPS.flatMap((group) => sentences[group].map(([prompt, continuation]) => `${prompt} ${continuation}`));

  test('never name a kept name, a nonce word, an animal or a missing mayor', () => {
    const text = `\n${all.join('\n')}\n`;
    for (const name of world.keptNames) expect(text).not.toContain(name);
    for (const word of [...entities.NONCE_WORDS, ...entities.ANIMALS]) expect(text).not.toContain(` ${word}`);
    for (const { name, landmark } of world.citiesWithoutMayor) {
      expect(text).not.toContain(`mayor of ${name} is`);
      expect(text).not.toContain(`mayor of the city that contains ${landmark} is`);
    }
    expect(text).toContain('mayor of');
  });

  test('agree with each other', () => {
    const { name, city } = world.people[0]!;
    expect(sentences.homes).toContainEqual(fill(HOME_TEMPLATES[0], { name, city: city.name }));
    expect(sentences['person implications']).toContainEqual([`The people in the city ${name} is from speak`, city.language]);
    expect(sentences.cities).toContainEqual([`${city.name} contains`, city.landmark]);
    expect(sentences.landmarks).toContainEqual([`The city that contains ${city.landmark} is`, city.name]);
  });

  test('are all of known words, and decode to themselves', () => {
    for (const text of all) expect(vocabulary.decode(vocabulary.encode(text))).toBe(text);
    expect(() => vocabulary.encode('Paris')).toThrow('no word of the small world');
  });
});

describe('sampler', () => {
  const sampler = new SentenceSampler(world, vocabulary, DEFAULT_RECIPE.mixture);

  test('repeats itself for a seed', () => {
    expect(sampler.sampleBatch(new Random(1), 50)).toEqual(sampler.sampleBatch(new Random(1), 50));
    expect(sampler.sampleBatch(new Random(1), 50)).not.toEqual(sampler.sampleBatch(new Random(2), 50));
  });

  test('keeps the shares of the mixture', () => {
    const groupOf = new Map(GROUPS.flatMap((group) => sentences[group].map((pair) => [pair.join(' '), group] as const)));
    const size = 20000;
    const counts = new Map<string, number>();
    const drawn = sampler.sample(new Random('shares'), size);
    for (const { tokens } of drawn) {
      const group = groupOf.get(vocabulary.decode(tokens))!;
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    expect(drawn.every(({ tokens, promptLength }) => promptLength < tokens.length)).toBe(true);
    expect(Math.max(...drawn.map(({ tokens }) => tokens.length))).toBe(sampler.longest);
    for (const group of GROUPS) {
      const share = DEFAULT_RECIPE.mixture[group];
      const tolerance = 5 * Math.sqrt((share * (1 - share)) / size);
      expect(Math.abs((counts.get(group) ?? 0) / size - share)).toBeLessThan(tolerance);
    }
  });

  test('refuses shares that do not add up to 1', () => {
    expect(() => new SentenceSampler(world, vocabulary, { ...DEFAULT_RECIPE.mixture, homes: 0.9 })).toThrow('add up to 1');
  });
});
