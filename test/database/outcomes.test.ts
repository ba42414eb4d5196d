/** What a run came to, as the list shows it: as the screens' own curves say, stored with the run, for runs stored before there was a place for it. */

import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { migrations } from '../../src-main/database/migrations/index.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import { createRun, getRun } from '../../src-main/database/runs.ts';
import type { Emission, EvaluationRow, RunOutcome } from '../../src-main/shared/records.ts';
import { rankCurves, stagesOf, standing } from '../../src-renderer/measures/curves.ts';
import { evaluation, step } from './rows.ts';
import { newRun, temporaryFolder } from './support.ts';

function measured(stage: string, set: string, seed: number, epoch: number, meanRank: number): Emission {
  return { kind: 'evaluation', row: { ...evaluation(epoch, 0), stage, set, seed, meanRank } };
}

/** What the run's screen says of the main training: its first, of emergence its last, or its first stage where none has trained. */
function shown(rows: readonly EvaluationRow[], experiment: string): RunOutcome | null {
  const epochs = (stage: string) => new Set(rows.filter((row) => row.stage === stage).map(({ epoch }) => epoch)).size;
  const trained = stagesOf(rows).filter((stage) => epochs(stage) > 1);
  const stage = trained.at(experiment === 'emergence' ? -1 : 0) ?? rows[0]?.stage;
  if (stage === undefined) return null;
  const lists = rankCurves(rows, [], stage).map((curve) => {
    const { before, latest } = standing(curve)!;
    return [curve.set, { first: before, last: latest }] as const;
  });
  return { stage, trainings: trained.length, lists: Object.fromEntries(lists) };
}

function expectAsShown(outcome: RunOutcome | null, rows: readonly EvaluationRow[], experiment = 'ocr'): void {
  const expected = shown(rows, experiment);
  const withoutRanks = (one: RunOutcome | null) => one && { ...one, lists: Object.keys(one.lists).sort() };
  expect(withoutRanks(outcome)).toEqual(withoutRanks(expected));
  for (const [set, { first, last }] of Object.entries(expected?.lists ?? {})) {
    expect(outcome!.lists[set]!.first).toBeCloseTo(first, 12);
    expect(outcome!.lists[set]!.last).toBeCloseTo(last, 12);
  }
}

/** Rows in any order and number, seeds that got less far, epochs measured twice, several stages and lists. */
const emissions = fc.array(
  fc
    .tuple(
      fc.constantFrom('finetune', 'joint, finetuning', '"quoted"'),
      fc.constantFrom('facts', 'implications', 'left, assignment 1', '12'),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 400 }),
    )
    .map(([stage, set, seed, epoch, rank]) => measured(stage, set, seed, epoch, rank / 20)),
  { maxLength: 60 },
);

const rowsOf = (all: readonly Emission[]) => all.flatMap((one) => (one.kind === 'evaluation' ? [one.row] : []));

test('an outcome is what the screens say of the same evaluations, whatever they are', () => {
  const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  let number = 0;
  fc.assert(
    fc.property(emissions, fc.constantFrom('ocr', 'emergence'), (all, experiment) => {
      const run = `run-${++number}`;
      createRun(database, { ...newRun(run), experiment });
      storeEmissions(database, run, all.slice(0, 7), 1);
      storeEmissions(database, run, all.slice(7), 2);
      expectAsShown(getRun(database, run).outcome, rowsOf(all), experiment);
    }),
    { numRuns: 150 },
  );
});

test('it follows a run from nothing to its end', () => {
  const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  const outcome = () => listRuns(database, { limit: 1, offset: 0 }).runs[0]!.outcome;
  createRun(database, newRun('a'));
  storeEmissions(database, 'a', [step(0)], 1);
  expect(outcome()).toBeNull();
  storeEmissions(database, 'a', [measured('before', 'facts', 0, 0, 9), measured('finetune', 'facts', 0, 0, 8)], 1);
  expect(outcome()).toEqual({ stage: 'before', trainings: 0, lists: { facts: { first: 9, last: 9 } } });
  storeEmissions(database, 'a', [measured('finetune', 'facts', 1, 0, 4), measured('finetune', 'facts', 0, 1, 2)], 1);
  // Seed 1 has not got as far: it is left out at both ends
  expect(outcome()).toEqual({ stage: 'finetune', trainings: 1, lists: { facts: { first: 8, last: 2 } } });
  storeEmissions(database, 'a', [measured('finetune', 'facts', 1, 1, 1), measured('more', 'facts', 0, 0, 1)], 1);
  expect(outcome()).toEqual({ stage: 'finetune', trainings: 1, lists: { facts: { first: 6, last: 1.5 } } });
});

test('runs stored before outcomes were get theirs', () => {
  const path = join(temporaryFolder(), 'hopscope.db');
  const old = openDatabase(path, { migrations: migrations.slice(0, 5) });
  const all = new Map<string, EvaluationRow[]>();
  for (const [index, sample] of fc.sample(emissions, { numRuns: 40, seed: 7 }).entries()) {
    const rows = rowsOf(sample);
    createRun(old, newRun(`run-${index}`));
    insertWithoutOutcome(old, index + 1, rows);
    all.set(`run-${index}`, rows);
  }
  old.close();
  const database = openDatabase(path);
  for (const [run, rows] of all) expectAsShown(getRun(database, run).outcome, rows);
});

function insertWithoutOutcome(database: Database, run: number, rows: readonly EvaluationRow[]): void {
  const insert = database.prepare(
    'INSERT INTO evaluations (run, seed, stage, epoch, item_set, mean_rank, loss) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  for (const { seed, stage, epoch, set, meanRank, loss } of rows) insert.run(run, seed, stage, epoch, set, meanRank, loss);
}
