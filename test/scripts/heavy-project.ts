/**
 * `node test/scripts/heavy-project.ts --data DIR [--runs 1000]`: adds a project to a data folder that is as heavy as one gets, for looking at the screens
 * and measuring them (npm run bench:screens, test/e2e/heavy.test.ts). About half a minute for 1,000 runs; the same numbers every time.
 *
 * It holds so many runs of all eight experiments over several models, with long names, ended in every way; a model folder of 32 layers with random
 * weights, DIR/random-32-layers; and one run of extractive scores of 32 layers x 32 heads x 20 tokens for the circuit explorer.
 * Runs under way are none of them: a workbench that opens the folder would find their owner gone and end them.
 * Every number comes from a seeded random generator, nothing was measured, and the project's name says so.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addModel } from '../../src-main/database/models.ts';
import { closeDatabase, inTransaction, openDatabase } from '../../src-main/database/open.ts';
import { createProject } from '../../src-main/database/projects.ts';
import { byteLevelTokenizer } from '../../src-main/engine/files/byte-level-tokenizer.ts';
import { type KnownModel, knownModels } from '../../src-main/engine/models/known-models.ts';
import { writeRandomModel } from '../../src-main/engine/models/random-model.ts';
import { databasePath, prepareDataFolder } from '../../src-main/service/data-folder.ts';
import { Random } from '../../src-main/shared/random.ts';
import { storeRandomRuns } from './heavy-runs.ts';
import { depth, storeRandomScores } from './heavy-scores.ts';

export interface HeavyProject {
  project: number;
  /** The project's name. */
  name: string;
  runs: number;
  /** The run of extractive scores, which is the newest one. */
  scored: string;
  /** The folder of the deep model. */
  model: string;
}

/** Adds the project, which then is the one looked at last. Errors: those of data folders, databases and models. */
export async function fillHeavyProject(dataFolder: string, runs: number): Promise<HeavyProject> {
  const folder = prepareDataFolder(dataFolder);
  const random = new Random(`heavy project of ${runs} runs`);
  const model = join(folder, `random-${depth.layers}-layers`);
  if (!existsSync(model)) await writeDeepModel(model);
  const database = openDatabase(databasePath(folder));
  try {
    return inTransaction(database, () => {
      const now = new Date();
      const name = `Random numbers: ${runs.toLocaleString('en-US')} runs`;
      const project = createProject(database, name, now.toISOString());
      addModel(database, { project, path: model, added: now.toISOString() });
      const before = new Date(now.getTime() - 3_600_000);
      storeRandomRuns(database, { project, count: runs - 1, until: before.toISOString(), random });
      const scored = storeRandomScores(database, { project, model, created: now, random });
      return { project, name, runs, scored, model };
    });
  } finally {
    closeDatabase(database);
  }
}

/** As deep as Llama 3 8B, and so narrow that it is written in a moment. */
async function writeDeepModel(folder: string): Promise<void> {
  const known: KnownModel = knownModels['llama-3-8b'];
  const words = Array.from({ length: 8 }, (_, index) => `option${index + 1}`);
  await writeRandomModel(folder, {
    model: {
      ...known,
      config: {
        ...known.config,
        hidden_size: 128,
        intermediate_size: 256,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        vocab_size: 2048,
      },
    },
    layers: depth.layers,
    type: 'bfloat16',
    seed: 0,
    tokenizer: byteLevelTokenizer({ words: new Set(words), specialTokens: [known.textToken], prefixed: known.textTokenFirst }),
    signal: new AbortController().signal,
    onBytes() {},
  });
}

if (process.argv[1] === import.meta.filename) {
  const { data, runs } = parseArgs({ options: { data: { type: 'string' }, runs: { type: 'string', default: '1000' } } }).values;
  if (data === undefined || !/^[1-9]\d{0,5}$/.test(runs)) {
    console.error('node test/scripts/heavy-project.ts --data DIR [--runs 1000]');
    process.exitCode = 2;
  } else {
    console.log(JSON.stringify(await fillHeavyProject(data, Number(runs)), null, 2));
  }
}
