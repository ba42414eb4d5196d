/** An item in other runs: its ranks are those of the training that the run list's outcome is of, not of a control measured later. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getItemTwins } from '../../src-main/database/item-twins.ts';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { openDatabase } from '../../src-main/database/open.ts';
import { createRun, getRun } from '../../src-main/database/runs.ts';
import type { Emission } from '../../src-main/shared/records.ts';
import { evaluation, itemSet } from './rows.ts';
import { newRun, temporaryFolder } from './support.ts';

function measured(stage: string, seed: number, epoch: number, rank: number): Emission {
  const { items, ...row } = evaluation(epoch, 1);
  return { kind: 'evaluation', row: { ...row, set: itemSet.set, stage, seed, items: items.map((item) => ({ ...item, rank })) } };
}

test('controls and seeds that got less far do not count', () => {
  const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  for (const run of ['here', 'there', 'evaluated']) {
    createRun(database, newRun(run));
    storeEmissions(database, run, [{ kind: 'items', items: itemSet }], 1);
  }
  storeEmissions(
    database,
    'there',
    [
      measured('joint', 0, 0, 9),
      measured('joint', 0, 1, 2),
      measured('joint', 0, 2, 1),
      measured('joint', 1, 0, 8),
      measured('joint', 1, 1, 7),
      measured('random layers frozen', 0, 0, 9),
      measured('random layers frozen', 0, 2, 5),
      measured('all frozen', 0, 0, 26),
    ],
    1,
  );
  storeEmissions(database, 'evaluated', [measured('as given', 0, 0, 4), measured('all frozen', 0, 0, 26)], 1);
  const item = evaluation(0, 1).items[0]!.item;
  const twins = getItemTwins(database, 'here', itemSet.set, item);
  expect(twins).toMatchObject([
    { run: 'evaluated', stage: 'as given', epoch: 0, ranks: [{ seed: 0, rank: 4 }] },
    { run: 'there', stage: 'joint', epoch: 2, ranks: [{ seed: 0, rank: 1 }] },
  ]);
  expect(twins.map(({ stage }) => stage)).toEqual(['evaluated', 'there'].map((run) => getRun(database, run).outcome!.stage));
  database.close();
});
