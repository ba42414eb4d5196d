/** A process for kill.test.ts: stores batches for ever and prints each batch's last step once it is committed. It is no test. */
import { writeSync } from 'node:fs';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { openDatabase } from '../../src-main/database/open.ts';
import { createRun } from '../../src-main/database/runs.ts';

const [path, run, batch] = [process.argv[2]!, process.argv[3]!, 10];
const database = openDatabase(path, { check: true });
const spec = { experiment: 'ocr', model: 'small-world', dataset: 'first-hop' };
createRun(database, {
  run,
  owner: 'writer',
  experiment: 'ocr',
  title: run,
  model: 'm',
  dataset: 'd',
  spec,
  created: new Date().toISOString(),
});
for (let first = 0; ; first += batch) {
  const rows = Array.from({ length: batch }, (_, offset) => ({
    kind: 'step' as const,
    row: { seed: 0, stage: 'finetune', epoch: 0, step: first + offset, loss: 0.5, seconds: 0.01 },
  }));
  storeEmissions(database, run, rows, first);
  writeSync(1, `${first + batch}\n`);
}
