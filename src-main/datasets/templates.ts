/**
 * Data sets from a table of entities and sentence templates: one row a fact, one template a question about it.
 * Which entities exist and what is true of them is the caller's; so is the model that reads the sentences.
 */
import { HopscopeError } from '../shared/errors.ts';
import type { FactsAndImplications, Pair } from '../shared/records.ts';

/** One row of entities by column, such as `{name: 'Grace Miller', city: 'Tokyo', language: 'Japanese'}`. */
export type EntityRow = Readonly<Record<string, string>>;

/** `{name} lives in` with answer `city`: columns in braces are filled in, the answer is a column's value. */
export interface Template {
  prompt: string;
  /** The column that holds the answer. */
  answer: string;
  /** The options its answers are ranked among; left out: the column's different values, in order of appearance. */
  options?: readonly string[];
}

/**
 * Facts and implications of every row, in the rows' order; of several templates the first one's sentences come first.
 * Errors: `EmptyTable`, `UnknownColumn`, `EmptyEntity`, `TemplateWithoutColumn`.
 */
export function fromTemplates(
  rows: readonly EntityRow[],
  { facts, implications }: { facts: readonly Template[]; implications: readonly Template[] },
): FactsAndImplications {
  const options = (templates: readonly Template[]) => [
    ...new Set(templates.flatMap((template) => template.options ?? rows.map((row) => cellOf(row, template.answer, template)))),
  ];
  return {
    train: facts.flatMap((template) => sentences(rows, template)),
    test: implications.flatMap((template) => sentences(rows, template)),
    options: { train: options(facts), test: options(implications) },
  };
}

/** One template's `[prompt, answer]` of every row. */
export function sentences(rows: readonly EntityRow[], template: Template): Pair[] {
  if (rows.length === 0) throw new HopscopeError('EmptyTable', 'The table of entities has no rows.');
  if (!/\{[^{}]+\}/.test(template.prompt)) {
    throw new HopscopeError(
      'TemplateWithoutColumn',
      `The template ${JSON.stringify(template.prompt)} names no column in braces, such as {name}: all rows would ask the same.`,
    );
  }
  return rows.map((row) => [
    template.prompt.replaceAll(/\{([^{}]+)\}/g, (_, column: string) => cellOf(row, column, template)),
    cellOf(row, template.answer, template),
  ]);
}

function cellOf(row: EntityRow, column: string, { prompt }: Template): string {
  const value = Object.hasOwn(row, column) ? row[column] : undefined;
  if (value === undefined) {
    throw new HopscopeError(
      'UnknownColumn',
      `The template ${JSON.stringify(prompt)} asks for the column ${JSON.stringify(column)}; the table has ${Object.keys(row).join(', ')}.`,
    );
  }
  if (value.trim() === '') {
    throw new HopscopeError('EmptyEntity', `The column ${column} is empty in the row ${JSON.stringify(row)}.`);
  }
  return value;
}
