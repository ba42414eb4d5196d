/**
 * What the benchmark of scores scores: the small world before and after finetuning on FIRST-HOP, and larger models of random weights before and
 * after a random change; always the same 20 implications. It times nothing.
 */
import { join } from 'node:path';
import { builtinDatasets } from '../../src-main/datasets/builtin.ts';
import { Executor } from '../../src-main/engine/execution/executor.ts';
import { loadWeights } from '../../src-main/engine/execution/load-weights.ts';
import type { ModelOutline } from '../../src-main/engine/execution/programs.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { writeModelFolder } from '../../src-main/engine/files/model-folder.ts';
import type { Tokenizer } from '../../src-main/engine/files/tokenizer.ts';
import { familyOf } from '../../src-main/engine/models/index.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { listParameters, trainableNames } from '../../src-main/engine/models/parameters.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';
import { type Example, encodePair } from '../../src-main/engine/training/batch.ts';
import { drawOrder, finetune } from '../../src-main/engine/training/finetune.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import { inMemory } from '../../src-main/engine/weights.ts';
import { type EncodedSet, encodeSet } from '../../src-main/scores/evaluation.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { FactsAndImplications, Pair } from '../../src-main/shared/records.ts';
import { writeRandomModel } from './random-model.ts';
import { benchmarkModels } from './workloads.ts';

const smallWorldFolder = join(import.meta.dirname, '..', '..', 'resources', 'small-world');

/** A model before and after a change, as folders for one side and as weights for the other. */
export interface WeightPair {
  outline: ModelOutline;
  oldFolder: string;
  newFolder: string;
  old: Map<string, FloatTensor>;
  new: Map<string, FloatTensor>;
}

export interface ScoreCase {
  id: string;
  about: string;
  /** Left out unless asked for. */
  slow: boolean;
  /** Items that the peer scores in one round; after 20 / itemsPerRound rounds it has scored them all. */
  itemsPerRound: number;
  make(scratch: string): Promise<WeightPair>;
}

export interface ScoreData {
  set: EncodedSet;
  accumulation: Example;
}

/** FIRST-HOP of the small world, whose tokens every model here knows; its prompts are tokenized word by word. */
export async function scoreData(): Promise<ScoreData> {
  const { tokenizer, checkpoint } = await openModel(smallWorldFolder);
  checkpoint.close();
  const { test, options } = firstHop();
  const accumulation: Pair = ['The people in the city Grace Miller is from speak', test[0]![1]];
  return {
    set: encodeSet(tokenizer, 'implications', test, options.test, 'error'),
    accumulation: encodePair(tokenizer, accumulation),
  };
}

function firstHop(): FactsAndImplications {
  const set = builtinDatasets(smallWorldFolder)['first-hop']?.make();
  if (set && 'train' in set) return set;
  throw new HopscopeError('BenchmarkFailed', 'The small world has no FIRST-HOP.', 'failure');
}

/** Finetuned on the facts as the experiments do it: every weight, 12 epochs, learning rate 1e-3. */
async function smallWorld(scratch: string): Promise<WeightPair> {
  const model = await openModel(smallWorldFolder);
  const old = inMemory(loadWeights(model));
  const executor = new Executor(model, { device: 'cpu', threads: 1 });
  const trainer = await Trainer.create(executor, old, { ...defaultTraining, learningRate: 1e-3 });
  const examples = facts(model.tokenizer);
  await finetune(trainer, examples, drawOrder(examples.length, 8, 12, 0));
  executor.release();
  const newFolder = join(scratch, 'small-world-new');
  writeModelFolder(newFolder, { config: model.checkpoint.config, tensors: inMemory(trainer.weights), tokenizerFiles: {} });
  model.checkpoint.close();
  return { outline: model, oldFolder: smallWorldFolder, newFolder, old, new: inMemory(trainer.weights) };
}

const facts = (tokenizer: Tokenizer): Example[] => firstHop().train.map((pair) => encodePair(tokenizer, pair));

/** Random weights, and as new ones the same with every matrix of MLP and attention changed by noise of 2 % of its size. */
async function randomModel(scratch: string, config: Record<string, unknown>): Promise<WeightPair> {
  const [oldFolder, newFolder] = [join(scratch, 'old'), join(scratch, 'new')];
  writeRandomModel(oldFolder, config);
  const { outline, weights: old } = openRandomModel(oldFolder);
  let state = 88675123;
  const changed = new Map(
    [...trainableNames(outline.parameters, 'mlp_attn')].map((name) => {
      const { shape, data } = old.get(name)!;
      const scale = (0.02 * shape[1]! ** -0.5 * Math.sqrt(3)) / 2 ** 31;
      const moved = data.map((value) => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return value + state * scale;
      });
      return [name, floatTensor(shape, moved)] as const;
    }),
  );
  const weights = new Map([...old, ...changed]);
  writeModelFolder(newFolder, { config, tensors: weights, tokenizerFiles: {} });
  return { outline, oldFolder, newFolder, old, new: weights };
}

/** It has no tokenizer, so no `Model`. */
function openRandomModel(folder: string): { outline: ModelOutline; weights: Map<string, FloatTensor> } {
  const checkpoint = openCheckpoint(folder);
  const family = familyOf(checkpoint.config);
  const configuration = family.configure(checkpoint.config);
  const parameters = listParameters(family, configuration);
  const weights = new Map(
    parameters.all.map(({ name, shape }) => {
      const tensor = floatTensor(shape, new Float32Array(elementCount(shape)));
      checkpoint.readFloat32Into(name, tensor.data);
      return [name, tensor] as const;
    }),
  );
  checkpoint.close();
  return { outline: { family, configuration, parameters }, weights };
}

const configOf = (id: string) => benchmarkModels().find((model) => model.id === id)!.config;

export const scoreCases: readonly ScoreCase[] = [
  { id: 'small world', about: '6 layers x 128', slow: false, itemsPerRound: 4, make: smallWorld },
  {
    id: 'A',
    about: '8 layers x 512, 34 million parameters',
    slow: false,
    itemsPerRound: 2,
    make: (scratch) => randomModel(scratch, configOf('A')),
  },
  {
    id: 'B',
    about: '3 layers x 2048, 272 million parameters',
    slow: true,
    itemsPerRound: 1,
    make: (scratch) => randomModel(scratch, configOf('B')),
  },
];
