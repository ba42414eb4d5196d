/**
 * Records of model-editing benchmarks as facts and implications: which field became what, what was left out, and the grid's rows.
 * How one record is read is edit-fields.ts's.
 */
import { mostRows } from '../../src-main/shared/dataset-limits.ts';
import { type EditGroup, type EditPart, isEdit, readEdit } from './edit-fields.ts';
import { answersOf, type ImportedRows } from './import-rows.ts';
import { type ImportProblem, isRecord, mostProblems, type RecordList } from './import-table.ts';

/** What a field became: a choice where it is no fact. */
export type EditUse = 'facts' | 'implications' | 'fact options' | 'left out';

export interface EditField {
  field: string;
  group: EditGroup | null;
  /** What it can become; the first is what it becomes unless it is said otherwise. */
  uses: EditUse[];
  /** Records that have it. */
  records: number;
  /** Sentences or answers in all of them. */
  parts: number;
  /** The first of them. */
  example: string;
}

export interface EditTable {
  records: { line: number; parts: EditPart[] }[];
  fields: EditField[];
  problems: ImportProblem[];
}

/** What a group's fields can become: neighbours keep their old answers, so they are no implications unless it is wished. */
const usesOf: Record<EditGroup, EditUse[]> = {
  fact: ['facts'],
  portability: ['implications', 'left out'],
  paraphrase: ['implications', 'left out'],
  neighborhood: ['left out', 'implications'],
  'old answer': ['left out', 'fact options'],
};
const knownShapes =
  'CounterFact (requested_rewrite with prompt, subject and target_new), zsRE (subject, src, alt), or subject, prompt and target_new with portability, rephrase or locality';

/** Whether records are of an editing benchmark. */
export function areEdits({ records }: RecordList): boolean {
  return records.some(({ value }) => isEdit(value));
}

/** What records say. Where no record is of a known shape, that is the one problem: `UnknownRecords`. */
export function readEdits({ records, problems: earlier, unit }: RecordList): EditTable {
  const problems = [...earlier];
  const table: EditTable['records'] = [];
  const fields = new Map<string, EditField>();
  const add = (field: string, group: EditGroup | null): EditField => {
    const known = fields.get(field);
    if (known !== undefined) return known;
    const fresh = {
      field,
      group,
      uses: group === null ? (['left out'] as EditUse[]) : usesOf[group],
      records: 0,
      parts: 0,
      example: '',
    };
    fields.set(field, fresh);
    return fresh;
  };
  for (const { line, value } of records) {
    if (!isRecord(value)) {
      problems.push({ line, column: '', code: 'BadRow', message: 'This is no object.' });
      continue;
    }
    const { parts, unused, missing } = readEdit(value);
    if (missing !== null) {
      const message = `The record has no ${missing.split('.').at(-1)}, so there is no fact in it.`;
      problems.push({ line, column: missing, code: 'MissingField', message });
      continue;
    }
    table.push({ line, parts });
    const seen = new Set<EditField>(unused.map((field) => add(field, null)));
    for (const part of parts) {
      const field = add(part.field, part.group);
      field.parts++;
      field.example ||= part.prompt === '' ? part.answer : `${part.prompt} → ${part.answer}`;
      seen.add(field);
    }
    for (const field of seen) field.records++;
  }
  if (table.length === 0 && records.length > 0)
    return { records: [], fields: [], problems: [unknownRecords({ records, problems: [], unit })] };
  return { records: table, fields: [...fields.values()].sort(byGroup), problems: problems.slice(0, mostProblems) };
}

/** What is made of a field: what was chosen for it, else the first it can become. */
export function useOf({ field, uses }: Pick<EditField, 'field' | 'uses'>, chosen: ReadonlyMap<string, EditUse>): EditUse {
  return chosen.get(field) ?? uses[0]!;
}

/** The grid's rows: a fact with its implications from its own row down, so that they are linked,
 * what follows from it before its paraphrases. Options are the different answers. */
export function editRows({ records, fields }: EditTable, chosen: ReadonlyMap<string, EditUse>): ImportedRows {
  const uses = new Map(fields.map((field) => [field.field, useOf(field, chosen)]));
  const extra: string[] = [];
  const rows = records.flatMap(({ parts }) => {
    const of = (use: EditUse) => parts.filter(({ field }) => uses.get(field) === use);
    const [facts, implications] = [of('facts'), of('implications').sort(byGroup)];
    extra.push(...of('fact options').map(({ answer }) => answer));
    // Several facts of one record lead to its implications together; they stand with the last.
    return facts.flatMap((fact, index) => {
      const own = index === facts.length - 1 ? implications : [];
      const [first, ...others] = own.map(({ prompt, answer }) => [prompt, answer]);
      return [[fact.prompt, fact.answer, ...(first ?? ['', ''])], ...others.map((pair) => ['', '', ...pair])];
    });
  });
  const filled = (column: number) => rows.filter((cells) => cells[column] !== '').map((cells) => cells.slice(column));
  const problems: ImportProblem[] =
    rows.length > mostRows
      ? [
          {
            line: 1,
            column: '',
            code: 'TooManyRows',
            message: `They make ${rows.length} rows; at most ${mostRows} are kept in one data set. Leave a field out, or split the file.`,
          },
        ]
      : [];
  const options = { train: [...new Set([...answersOf(filled(0)), ...extra])], test: answersOf(filled(2)) };
  return { rows, options, problems };
}

const order: (EditGroup | null)[] = ['fact', 'portability', 'paraphrase', 'neighborhood', 'old answer', null];
function byGroup(a: { group: EditGroup | null }, b: { group: EditGroup | null }): number {
  return order.indexOf(a.group) - order.indexOf(b.group);
}

/** `UnknownRecords`, with the fields of the first record and the shapes that are known. */
export function unknownRecords({ records, unit }: RecordList): ImportProblem {
  const first = records.find(({ value }) => isRecord(value)) ?? records[0]!;
  const keys = isRecord(first.value) ? Object.keys(first.value) : [];
  const held = keys.length === 0 ? 'is no object' : `has ${keys.slice(0, 8).join(', ')}${keys.length > 8 ? ', …' : ''}`;
  return {
    line: first.line,
    column: '',
    code: 'UnknownRecords',
    message: `The records are of no known shape: this ${unit} ${held}. Known are ${knownShapes}.`,
  };
}
