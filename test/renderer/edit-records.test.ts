/** Records of model-editing benchmarks as facts and implications: every published shape, what is left out, and records that are of none. */
import { describe, expect, it, test } from 'vitest';
import { areEdits, editRows, readEdits, unknownRecords } from '../../src-renderer/datasets/edit-records.ts';
import { factsOf } from '../../src-renderer/datasets/facts-table.ts';
import type { RecordList } from '../../src-renderer/datasets/import-table.ts';

const list = (...values: unknown[]): RecordList => ({
  records: values.map((value, index) => ({ line: index + 1, value })),
  problems: [],
  unit: 'row',
});

const counterfact = {
  case_id: 0,
  pararel_idx: 2796,
  requested_rewrite: {
    prompt: 'The mother tongue of {} is',
    relation_id: 'P103',
    target_new: { str: 'English', id: 'Q1860' },
    target_true: { str: 'French', id: 'Q150' },
    subject: 'Danielle Darrieux',
  },
  paraphrase_prompts: ['Danielle Darrieux, a native', 'Danielle Darrieux spoke the language'],
  neighborhood_prompts: ['The mother tongue of Léon Blum is'],
  attribute_prompts: ['J.R.R. Tolkien, a native'],
  generation_prompts: ["Danielle Darrieux's mother tongue is"],
};
const zsre = {
  subject: 'Watts Humphrey',
  src: 'What university did Watts Humphrey attend?',
  pred: 'Trinity College',
  rephrase: 'What university did Watts Humphrey take part in?',
  alt: 'University of Michigan',
  answers: ['Illinois Institute of Technology'],
  loc: 'nq question: who played desmond doss father in hacksaw ridge',
  loc_ans: 'Hugo Weaving',
  cond: 'Trinity College >> University of Michigan',
  portability: {
    'Recalled Relation': '(University of Michigan, state, Michigan)',
    'New Question': 'In which state did Watts Humphrey attend university?',
    'New Answer': 'Michigan',
  },
};
const knowedit = {
  subject: 'Leo Arons',
  prompt: 'The place of death of {} is',
  target_new: 'Bern',
  ground_truth: [['Berlin']],
  portability: {
    Reasoning: [{ prompt: 'Leo Arons died in the country of', ground_truth: [['Switzerland']] }],
    Subject_Aliasing: [{ prompt: 'Martin Leo Arons died in', ground_truth: [['Bern']] }],
  },
  locality: { Relation_Specificity: [{ prompt: 'Leo Arons was a citizen of', ground_truth: [['Germany']] }] },
};
const mquake = {
  case_id: 1,
  requested_rewrite: [
    { prompt: '{} works for', target_new: { str: 'Acme' }, target_true: { str: 'Globex' }, subject: 'Ada', question: 'Who?' },
    { prompt: '{} is based in', target_new: { str: 'Oslo' }, target_true: { str: 'Rome' }, subject: 'Acme', question: 'Where?' },
  ],
  questions: ['In which city does Ada work?', 'Where is the employer of Ada?'],
  answer: 'Rome',
  new_answer: 'Oslo',
};

describe('a record of', () => {
  it('CounterFact: the rewrite is the fact, paraphrases are asked, neighbours only if wished', () => {
    const given = list(counterfact);
    expect(areEdits(given)).toBe(true);
    const table = readEdits(given);
    expect(table.problems).toEqual([]);
    expect(table.fields.map(({ field, uses, parts }) => [field, uses[0], parts])).toEqual([
      ['requested_rewrite', 'facts', 1],
      ['paraphrase_prompts', 'implications', 2],
      ['neighborhood_prompts', 'left out', 1],
      ['requested_rewrite.target_true', 'left out', 1],
      ['case_id', 'left out', 0],
      ['pararel_idx', 'left out', 0],
      ['attribute_prompts', 'left out', 0],
      ['generation_prompts', 'left out', 0],
    ]);
    expect(editRows(table, new Map())).toEqual({
      rows: [
        ['The mother tongue of Danielle Darrieux is', 'English', 'Danielle Darrieux, a native', 'English'],
        ['', '', 'Danielle Darrieux spoke the language', 'English'],
      ],
      options: { train: ['English'], test: ['English'] },
      problems: [],
    });
    const chosen = editRows(
      table,
      new Map([
        ['paraphrase_prompts', 'left out'],
        ['neighborhood_prompts', 'implications'],
        ['requested_rewrite.target_true', 'fact options'],
      ] as const),
    );
    expect(chosen.rows).toEqual([
      ['The mother tongue of Danielle Darrieux is', 'English', 'The mother tongue of Léon Blum is', 'French'],
    ]);
    expect(chosen.options).toEqual({ train: ['English', 'French'], test: ['French'] });
  });

  it('zsRE: src and alt are the fact, the question that follows from it comes first', () => {
    const table = readEdits(list(zsre));
    const { rows, options } = editRows(table, new Map());
    expect(rows).toEqual([
      [
        'What university did Watts Humphrey attend?',
        'University of Michigan',
        'In which state did Watts Humphrey attend university?',
        'Michigan',
      ],
      ['', '', 'What university did Watts Humphrey take part in?', 'University of Michigan'],
    ]);
    expect(options.test).toEqual(['Michigan', 'University of Michigan']);
    expect(table.fields.filter(({ group }) => group === null).map(({ field }) => field)).toEqual(['pred', 'cond']);
    expect(editRows(table, new Map([['loc', 'implications']])).rows.at(-1)).toEqual(['', '', zsre.loc, 'Hugo Weaving']);
  });

  it('KnowEdit: every kind of portability and locality is a field of its own', () => {
    const table = readEdits(list(knowedit));
    expect(editRows(table, new Map([['portability.Subject_Aliasing', 'left out']])).rows).toEqual([
      ['The place of death of Leo Arons is', 'Bern', 'Leo Arons died in the country of', 'Switzerland'],
    ]);
    expect(table.fields.map(({ field }) => field)).toContain('locality.Relation_Specificity');
  });

  it('MQuAKE: several facts, whose questions stand with the last of them', () => {
    const { rows, options } = editRows(readEdits(list(mquake)), new Map());
    expect(rows).toEqual([
      ['Ada works for', 'Acme', '', ''],
      ['Acme is based in', 'Oslo', 'In which city does Ada work?', 'Oslo'],
      ['', '', 'Where is the employer of Ada?', 'Oslo'],
    ]);
    expect(factsOf(rows, options)).toMatchObject({ problems: [], content: { links: [1, 1] } });
  });
});

test('what is missing is named with its row; the others are read', () => {
  const { target_new: _target, ...half } = counterfact.requested_rewrite;
  const table = readEdits(list(counterfact, { requested_rewrite: half }, 7, { prompt: '{} is', target_new: 'x' }));
  expect(table.records).toHaveLength(1);
  expect(table.problems.map(({ line, column, code }) => [line, column, code])).toEqual([
    [2, 'requested_rewrite.target_new', 'MissingField'],
    [3, '', 'BadRow'],
    [4, 'subject', 'MissingField'],
  ]);
});

test('a table is none, and records of no known shape are refused with what they have', () => {
  expect(areEdits(list({ prompt: 'a', answer: 'b' }, { subject: 'a', prompt: 'b' }))).toBe(false);
  expect(readEdits(list({ target_new: 'x', notes: 1 })).problems).toMatchObject([{ code: 'UnknownRecords', line: 1 }]);
  expect(unknownRecords(list({ edit: { a: 1 } })).message).toMatch(/this row has edit\. Known are CounterFact/);
});
