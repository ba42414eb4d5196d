/**
 * What the data editor asks of compute: built-in sets as data, sentences from templates with every problem named by row and slot,
 * and nonce words that several models read alike. It stores nothing; the editor decides what is kept.
 */
import { builtinDatasets } from '../datasets/builtin.ts';
import { reassigned } from '../datasets/counterfactual.ts';
import { nonceWords } from '../datasets/nonce-words.ts';
import { type EntityRow, fromTemplates } from '../datasets/templates.ts';
import { Tokenizer } from '../engine/files/tokenizer.ts';
import type {
  DatasetCompute,
  DatasetContent,
  Generated,
  GenerationProblem,
  GenerationRequest,
  LinkedFacts,
  SentenceTemplate,
} from '../shared/contract-datasets.ts';
import { HopscopeError } from '../shared/errors.ts';

const mostProblems = 200;
const mostSentences = 100_000;
const slotPattern = /\{([^{}]+)\}/g;

/** `folderOf` gives the folder of a model as specs name it. */
export function datasetQuestions(folderOf: (model: string) => string): DatasetCompute {
  return {
    async builtinDataset(model, name) {
      const sets = builtinDatasets(folderOf(model));
      const found = Object.hasOwn(sets, name) ? sets[name] : undefined;
      if (found === undefined) {
        throw new HopscopeError(
          'UnknownDataset',
          `There is no built-in set ${JSON.stringify(name)}; there are ${Object.keys(sets).join(', ')}.`,
        );
      }
      return { kind: found.kind, content: found.make() as DatasetContent };
    },

    generateDataset: async (request) => generate(request),

    makeWords: async ({ models, ...choice }) =>
      nonceWords({ ...choice, tokenizers: models.map((model) => Tokenizer.open(folderOf(model))) }),
  };
}

/** Errors: `BadTable`, and those of `reassigned`. */
export function generate(request: GenerationRequest): Generated {
  const { columns, facts, implications, counterfactual } = request;
  const table = tableOf(request);
  const problems = [
    ...(table.length === 0 ? [problem('EmptyTable', 'table', -1, null, '', 'The table of entities has no rows.')] : []),
    ...facts.flatMap((template, index) => problemsOf('facts', index, template, columns, table)),
    ...implications.flatMap((template, index) => problemsOf('implications', index, template, columns, table)),
  ];
  if (facts.length === 0 || implications.length === 0) {
    const list = facts.length === 0 ? 'facts' : 'implications';
    problems.push(problem('NoTemplate', list, -1, null, '', `There is no sentence for the ${list}; write at least one.`));
  }
  if (table.length * (facts.length + implications.length) > mostSentences)
    problems.push(problem('TooManyRows', 'table', -1, null, '', `More than ${mostSentences} sentences would be made.`));
  if (problems.length > 0) return { content: null, problems: problems.slice(0, mostProblems) };
  const rows = counterfactual ? reassigned(table, counterfactual.columns, counterfactual.seed) : table;
  return { content: byEntity(rows, facts, implications), problems: [] };
}

/** Each entity's facts and implications together: the n-th implication follows from its n-th fact, further ones from its last. */
function byEntity(
  rows: readonly EntityRow[],
  facts: readonly SentenceTemplate[],
  implications: readonly SentenceTemplate[],
): LinkedFacts {
  const { train, test, options } = fromTemplates(rows, { facts, implications });
  const inOrder = <Value>(list: readonly Value[], templates: number) =>
    rows.flatMap((_, row) => Array.from({ length: templates }, (_, template) => list[template * rows.length + row]!));
  const links = rows.flatMap((_, row) => implications.map((_, index) => row * facts.length + Math.min(index, facts.length - 1)));
  return { train: inOrder(train, facts.length), test: inOrder(test, implications.length), options, links };
}

function tableOf({ columns, rows }: GenerationRequest): EntityRow[] {
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (columns.length === 0 || columns.some((column) => column.trim() === '' || /[{}]/.test(column)) || twice !== undefined) {
    throw new HopscopeError(
      'BadTable',
      twice === undefined
        ? 'Every column of the table needs a name without braces.'
        : `Two columns of the table are called ${JSON.stringify(twice)}; rename one.`,
    );
  }
  return rows.map((cells) => Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])));
}

function problemsOf(
  list: 'facts' | 'implications',
  index: number,
  { prompt, answer }: SentenceTemplate,
  columns: readonly string[],
  table: readonly EntityRow[],
): GenerationProblem[] {
  const slots = [...new Set([...prompt.matchAll(slotPattern)].map(([, slot]) => slot!))];
  const known = columns.join(', ');
  const found: GenerationProblem[] = [];
  if (slots.length === 0) {
    const message = `The sentence ${JSON.stringify(prompt)} names no column in braces, such as {${columns[0]}}: all rows would say the same.`;
    found.push(problem('TemplateWithoutColumn', list, index, null, '', message));
  }
  const asked = [...new Set([...slots, answer])];
  for (const slot of asked) {
    if (columns.includes(slot)) continue;
    const what = slot === answer && !slots.includes(slot) ? `Its answer is the column ${JSON.stringify(slot)}` : `{${slot}}`;
    found.push(problem('UnknownColumn', list, index, null, slot, `${what} is no column of the table; there are ${known}.`));
  }
  for (const [row, entity] of table.entries()) {
    for (const slot of asked) {
      if (!columns.includes(slot) || entity[slot]!.trim() !== '') continue;
      found.push(problem('EmptyEntity', list, index, row, slot, `Row ${row + 1} has nothing in the column ${slot}.`));
      if (found.length >= mostProblems) return found;
    }
  }
  return found;
}

function problem(
  code: string,
  list: GenerationProblem['list'],
  template: number,
  row: number | null,
  slot: string,
  message: string,
): GenerationProblem {
  return { code, list, template, row, slot, message };
}
