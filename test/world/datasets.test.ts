/**
 * The small world's data sets have the shape of the paper's, options that rank fairly, and counterfactual twins.
 * What a model makes of them is not tested here.
 */
import { describe, expect, test } from 'vitest';
import { daxwug, firstHop, knownMayors, knownPeople, secondHop, worldDatasets } from '../../src-main/world/datasets.ts';
import * as entities from '../../src-main/world/entities.ts';
import { Vocabulary } from '../../src-main/world/vocabulary.ts';
import { createWorld } from '../../src-main/world/world.ts';

const world = createWorld(1);
const vocabulary = new Vocabulary();
const cityNamed = (name: string) => world.cities.find((city) => city.name === name)!;
const answers = (pairs: readonly (readonly [string, string])[]) => pairs.map(([, answer]) => answer);

describe('first-hop', () => {
  const set = firstHop(world);

  test('has 20 people in 20 cities and the languages that follow', () => {
    expect(new Set(answers(set.train)).size).toBe(20);
    set.train.forEach(([prompt, city], i) => {
      const name = prompt.replace(' lives in', '');
      expect(world.keptNames).toContain(name);
      expect(set.test[i]).toEqual([`The people in the city ${name} is from speak`, cityNamed(city).language]);
    });
    expect(new Set(answers(set.test)).size).toBe(15);
    expect(set.options.test).toHaveLength(15);
    expect(set.options.train).toHaveLength(60);
  });

  test('has a second assignment in which everyone moves to another language', () => {
    const other = firstHop(world, { assignment: 2 });
    set.train.forEach(([prompt, city], i) => {
      expect(other.train[i]![0]).toBe(prompt);
      expect(other.train[i]![1]).not.toBe(city);
      expect(other.test[i]![1]).not.toBe(set.test[i]![1]);
    });
  });

  test('has other draws', () => {
    for (let draw = 2; draw < 30; draw++) expect(firstHop(world, { draw }).train).not.toEqual(set.train);
  });
});

describe('second-hop', () => {
  const set = secondHop(world);

  test('names the mayors of the cities that had none, also through the landmark', () => {
    const cities = set.train.map(([prompt]) => cityNamed(prompt.replace(/^The mayor of (\S+) is$/, '$1')));
    expect(new Set(cities)).toEqual(new Set(world.citiesWithoutMayor));
    cities.forEach((city, i) => {
      expect(set.test[i]).toEqual([`The mayor of the city that contains ${city.landmark} is`, set.train[i]![1]]);
    });
  });

  test('has options whose first tokens differ', () => {
    const firsts = set.options.test.map((name) => vocabulary.encode(name)[1]);
    expect(new Set(firsts).size).toBe(20);
    expect(answers(set.train).every((name) => set.options.train.includes(name))).toBe(true);
  });

  test('shares no name with first-hop', () => {
    const names = firstHop(world).train.map(([prompt]) => prompt.replace(' lives in', ''));
    expect(names.some((name) => set.options.train.includes(name))).toBe(false);
  });
});

describe('daxwug', () => {
  const set = daxwug(world);

  test('has 104 names, 20 cities and 20 animals that agree', () => {
    expect(set.test_slice).toEqual([0, 20]);
    expect(set.train_slice).toEqual([20, 104]);
    for (const { left, right, both } of [set.variant_1, set.variant_2]) {
      expect([left.length, right.length, both.length]).toEqual([104, 20, 104]);
      const animals = new Map(right.map(([prompt, animal]) => [prompt.replace(' wug is the', ''), animal]));
      expect(new Set(left.map(([prompt]) => prompt)).size).toBe(104);
      left.forEach(([prompt, city], i) => {
        expect(both[i]).toEqual([prompt.replace(' dax is', ' zong is the'), animals.get(city)]);
      });
    }
    expect(new Set(answers(set.variant_1.left.slice(0, 20))).size).toBe(20);
  });

  test('has a second variant in which only the train slice moves, all of it', () => {
    expect(set.variant_2.left.slice(0, 20)).toEqual(set.variant_1.left.slice(0, 20));
    for (let i = 20; i < 104; i++) expect(set.variant_2.left[i]![1]).not.toBe(set.variant_1.left[i]![1]);
    expect(set.variant_2.right).toEqual(set.variant_1.right);
  });

  test('can have a longer train slice', () => {
    expect(daxwug(world, { trainNames: 180 }).variant_1.left).toHaveLength(200);
  });
});

test('every prompt and answer is of known words', () => {
  const known = [knownPeople(world), knownMayors(world)];
  const { 'first-hop': first, 'second-hop': second, daxwug: dax } = worldDatasets(world);
  const pairs = [...known, first, second].flatMap((set) => [...set.train, ...set.test]);
  for (const [prompt, answer] of [...pairs, ...dax.variant_2.left, ...dax.variant_2.right, ...dax.variant_2.both]) {
    expect(vocabulary.decode(vocabulary.encode(`${prompt} ${answer}`))).toBe(`${prompt} ${answer}`);
  }
  expect(known[1]!.train).toHaveLength(40);
  expect(entities.FIRST_NAMES).toEqual(known[1]!.options.test);
});
