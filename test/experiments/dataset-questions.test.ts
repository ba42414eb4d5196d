/** Data sets from templates: sentences entity by entity with their links, and every problem named by row and slot. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveDataset } from '../../src-main/datasets/dataset.ts';
import { datasetQuestions, generate } from '../../src-main/experiments/dataset-questions.ts';
import type { Json } from '../../src-main/shared/records.ts';

const request = {
  columns: ['name', 'city', 'language'],
  rows: [
    ['Ada Moss', 'Oslo', 'Norwegian'],
    ['Cleo Finch', 'Rome', 'Italian'],
  ],
  facts: [{ prompt: '{name} lives in', answer: 'city' }],
  implications: [
    { prompt: 'The people in the city {name} is from speak', answer: 'language' },
    { prompt: '{name} says good morning in', answer: 'language' },
  ],
};

test('sentences come entity by entity, each implication linked to its fact', () => {
  expect(generate(request)).toEqual({
    problems: [],
    content: {
      train: [
        ['Ada Moss lives in', 'Oslo'],
        ['Cleo Finch lives in', 'Rome'],
      ],
      test: [
        ['The people in the city Ada Moss is from speak', 'Norwegian'],
        ['Ada Moss says good morning in', 'Norwegian'],
        ['The people in the city Cleo Finch is from speak', 'Italian'],
        ['Cleo Finch says good morning in', 'Italian'],
      ],
      options: { train: ['Oslo', 'Rome'], test: ['Norwegian', 'Italian'] },
      links: [0, 0, 1, 1],
    },
  });
  const twoFacts = generate({ ...request, facts: [...request.facts, { prompt: 'The home of {name} is', answer: 'city' }] });
  expect(twoFacts.content?.train[1]).toEqual(['The home of Ada Moss is', 'Oslo']);
  expect(twoFacts.content?.links).toEqual([0, 1, 2, 3]);
});

test('a counterfactual assignment moves columns together', () => {
  const { content } = generate({ ...request, counterfactual: { columns: ['city', 'language'], seed: 1 } });
  expect(content?.train).toEqual([
    ['Ada Moss lives in', 'Rome'],
    ['Cleo Finch lives in', 'Oslo'],
  ]);
  expect(content?.test[0]?.[1]).toBe('Italian');
});

test('all problems are named with template, row and slot', () => {
  const { content, problems } = generate({
    ...request,
    rows: [...request.rows, ['Dan Rook', '', 'Italian']],
    implications: [
      { prompt: '{nmae} of {toString} speaks', answer: 'tongue' },
      { prompt: 'Everyone speaks', answer: 'language' },
    ],
  });
  expect(content).toBeNull();
  expect(problems.map(({ code, list, template, row, slot }) => [code, list, template, row, slot])).toEqual([
    ['EmptyEntity', 'facts', 0, 2, 'city'],
    ['UnknownColumn', 'implications', 0, null, 'nmae'],
    ['UnknownColumn', 'implications', 0, null, 'toString'],
    ['UnknownColumn', 'implications', 0, null, 'tongue'],
    ['TemplateWithoutColumn', 'implications', 1, null, ''],
  ]);
  expect(generate({ ...request, rows: [], facts: [] }).problems.map(({ code }) => code)).toEqual(['EmptyTable', 'NoTemplate']);
  for (const columns of [['name', 'name'], ['a{b'], []]) {
    expect(() => generate({ ...request, columns })).toThrow(expect.objectContaining({ code: 'BadTable' }));
  }
});

test('built-in sets and nonce words are those of the model asked for', async () => {
  const root = join(import.meta.dirname, '../..');
  const questions = datasetQuestions(() => join(root, 'resources', 'small-world'));
  const { kind, content } = await questions.builtinDataset('small-world', 'first-hop');
  expect(kind).toBe('facts');
  expect('train' in content && content.train.length).toBeGreaterThan(5);
  await expect(questions.builtinDataset('small-world', 'toString')).rejects.toMatchObject({ code: 'UnknownDataset' });
  const elsewhere = datasetQuestions((model) => join(root, 'test/fixtures/models', model));
  const words = await elsewhere.makeWords({ models: ['llama', 'gpt2'], count: 4, seed: 1, kind: 'name', without: [] });
  expect(new Set(words).size).toBe(4);
});

test('a data set exported with its links is one for specs, the links left out of what is computed', () => {
  const { content } = generate(request);
  const { links, ...data } = content!;
  expect(links).toEqual([0, 0, 1, 1]);
  const resolved = resolveDataset(content as unknown as Json, 'facts', {});
  expect(resolved.data).toEqual(data);
  expect(resolved.hash).toBe(resolveDataset(data as unknown as Json, 'facts', {}).hash);
});
