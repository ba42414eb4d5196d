/** Templates, counterfactual assignments, nonce words, and the built-in sets that are made with them. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinDatasets } from '../../src-main/datasets/builtin.ts';
import { counterfactualOf, reassigned } from '../../src-main/datasets/counterfactual.ts';
import { resolveDataset } from '../../src-main/datasets/dataset.ts';
import { nonceWords } from '../../src-main/datasets/nonce-words.ts';
import { daxwug, firstHop, secondHop } from '../../src-main/datasets/public-facts.ts';
import { fromTemplates } from '../../src-main/datasets/templates.ts';
import { Tokenizer } from '../../src-main/engine/files/tokenizer.ts';

const root = join(import.meta.dirname, '../..');
const tokenizer = (name: string) => Tokenizer.open(join(root, 'test/fixtures/models', name));

const rows = [
  { name: 'Ada Moss', city: 'Oslo', language: 'Norwegian' },
  { name: 'Ben Lark', city: 'Bergen', language: 'Norwegian' },
  { name: 'Cleo Finch', city: 'Rome', language: 'Italian' },
  { name: 'Dan Rook', city: 'Milan', language: 'Italian' },
];
const templates = {
  facts: [{ prompt: '{name} lives in', answer: 'city' }],
  implications: [{ prompt: 'The people in the city {name} is from speak', answer: 'language' }],
};

describe('templates', () => {
  test('fill every row, with the different answers as options', () => {
    const set = fromTemplates(rows, templates);
    expect(set.train[2]).toEqual(['Cleo Finch lives in', 'Rome']);
    expect(set.test[3]).toEqual(['The people in the city Dan Rook is from speak', 'Italian']);
    expect(set.options).toEqual({ train: ['Oslo', 'Bergen', 'Rome', 'Milan'], test: ['Norwegian', 'Italian'] });
  });

  test('take given options, and several templates one after the other', () => {
    const facts = [...templates.facts, { prompt: 'The home of {name} is', answer: 'city', options: ['Paris'] }];
    const set = fromTemplates(rows, { ...templates, facts });
    expect(set.train).toHaveLength(8);
    expect(set.train[4]).toEqual(['The home of Ada Moss is', 'Oslo']);
    expect(set.options.train).toContain('Paris');
  });

  test.each([
    ['UnknownColumn', rows, '{surname} lives in', 'city'],
    ['UnknownColumn', rows, '{name} lives in', 'toString'],
    ['TemplateWithoutColumn', rows, 'lives in', 'city'],
    ['EmptyEntity', [{ name: ' ', city: 'Oslo' }], '{name} lives in', 'city'],
    ['EmptyTable', [], '{name} lives in', 'city'],
  ])('refuse with %s', (code, given, prompt, answer) => {
    expect(() => fromTemplates(given, { facts: [{ prompt, answer }], implications: [] })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('counterfactual assignments', () => {
  test('change every moving column together and leave the others', () => {
    const moved = reassigned(rows, ['city', 'language'], 1);
    moved.forEach((row, index) => {
      expect(row.name).toBe(rows[index]!.name);
      expect(row.city).not.toBe(rows[index]!.city);
      expect(row.language).not.toBe(rows[index]!.language);
      expect(rows).toContainEqual({ ...rows.find(({ city }) => city === row.city)! });
      expect(rows.find(({ city }) => city === row.city)!.language).toBe(row.language);
    });
    expect(new Set(moved.map(({ city }) => city)).size).toBe(4);
    expect(reassigned(rows, ['city', 'language'], 1)).toEqual(moved);
  });

  test('are found whenever no answer belongs to more than half of the items, and refused otherwise', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 24 }), fc.integer(), (answers, seed) => {
        const table = answers.map((answer) => ({ answer: String(answer) }));
        const most = Math.max(...answers.map((answer) => answers.filter((other) => other === answer).length));
        if (2 * most > answers.length) {
          expect(() => reassigned(table, ['answer'], seed)).toThrow(expect.objectContaining({ code: 'NoOtherAssignment' }));
          return;
        }
        const moved = reassigned(table, ['answer'], seed);
        expect(moved.map(({ answer }) => answer).sort()).toEqual(table.map(({ answer }) => answer).sort());
        expect(moved.every(({ answer }, index) => answer !== table[index]!.answer)).toBe(true);
      }),
    );
  });

  test('of paired lists keep facts and implications consistent', () => {
    const set = fromTemplates(rows, templates);
    const twin = counterfactualOf(set, 7);
    twin.train.forEach(([prompt, city], index) => {
      expect(prompt).toBe(set.train[index]![0]);
      expect(city).not.toBe(set.train[index]![1]);
      expect(twin.test[index]![1]).toBe(rows.find((row) => row.city === city)!.language);
    });
    expect(twin.options).toEqual(set.options);
    expect(() => counterfactualOf({ ...set, test: set.test.slice(1) }, 7)).toThrow(
      expect.objectContaining({ code: 'NotPaired' }),
    );
  });
});

describe('nonce words', () => {
  const names = ['olmo', 'qwen2', 'gemma2'];
  test.each(['word', 'name'] as const)('%ss have first tokens of their own and one length in every tokenizer', (kind) => {
    const tokenizers = names.map(tokenizer);
    const words = nonceWords({ count: 6, seed: 3, kind, tokenizers, without: ['zorib'] });
    expect(new Set(words).size).toBe(6);
    for (const each of tokenizers) {
      const read = words.map((word) => each.encode(` ${word}`, { special: false }));
      expect(new Set(read.map(([first]) => first)).size).toBe(6);
      expect(new Set(read.map(({ length }) => length)).size).toBe(1);
    }
    expect(words.every((word) => (kind === 'name' ? /^[A-Z][a-z]+ [A-Z][a-z]+$/ : /^[a-z]+$/).test(word))).toBe(true);
    expect(nonceWords({ count: 6, seed: 3, kind, tokenizers, without: ['zorib'] })).toEqual(words);
    expect(nonceWords({ count: 6, seed: 4, kind, tokenizers })).not.toEqual(words);
  });

  test('a tokenizer that cannot tell them apart is an error', () => {
    const everything = { encode: () => [0] };
    expect(() => nonceWords({ count: 2, seed: 0, kind: 'word', tokenizers: [everything] })).toThrow(
      expect.objectContaining({ code: 'NotEnoughWords' }),
    );
  });
});

describe('built-in sets of public facts', () => {
  test('second assignments ask the same and answer otherwise, facts and implications in agreement', () => {
    const [first, other] = [firstHop(), firstHop(2)];
    const language = new Map(first.train.map(([, city], index) => [city, first.test[index]![1]]));
    other.train.forEach(([prompt, city], index) => {
      expect(prompt).toBe(first.train[index]![0]);
      expect(city).not.toBe(first.train[index]![1]);
      expect(other.test[index]).toEqual([first.test[index]![0], language.get(city)]);
    });
    const [mayors, others] = [secondHop(), secondHop(2)];
    others.train.forEach(([prompt, name], index) => {
      expect(prompt).toBe(mayors.train[index]![0]);
      expect(name).not.toBe(mayors.train[index]![1]);
      expect(others.test[index]).toEqual([mayors.test[index]![0], name]);
    });
    expect(other.options).toEqual(first.options);
  });

  test('daxwug moves everyone of the train slice and nobody of the test slice', () => {
    const { variant_1, variant_2, test_slice, train_slice } = daxwug();
    expect(variant_2.left.slice(...test_slice)).toEqual(variant_1.left.slice(...test_slice));
    const animals = new Map(variant_2.right.map(([prompt, animal]) => [prompt.replace(' wug is the', ''), animal]));
    for (let index = train_slice[0]; index < train_slice[1]; index++) {
      expect(variant_2.left[index]![1]).not.toBe(variant_1.left[index]![1]);
      expect(variant_2.both[index]![1]).toBe(animals.get(variant_2.left[index]![1]));
    }
  });

  test.each(['test/fixtures/models/llama', 'resources/small-world'])('%s has them under names', (folder) => {
    const builtin = builtinDatasets(join(root, folder));
    for (const name of ['first-hop', 'second-hop']) {
      const [one, two] = [name, `${name}-2`].map((each) => resolveDataset(each, 'facts', builtin).data);
      expect(two!.train.map(([prompt]) => prompt)).toEqual(one!.train.map(([prompt]) => prompt));
      expect(two!.train.every(([, answer], index) => answer !== one!.train[index]![1])).toBe(true);
    }
  });
});
