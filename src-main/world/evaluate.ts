/**
 * What a small-world model knows and how well it generalizes: ranks of known people's cities and languages and of known mayors, and ranks
 * of new facts and their implications before and after finetuning, by seed. It changes no weights.
 */
import type { Executor } from '../engine/execution/executor.ts';
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import { drawOrder, finetune } from '../engine/training/finetune.ts';
import { defaultTraining, Trainer } from '../engine/training/trainer.ts';
import type { Weights } from '../engine/weights.ts';
import { encodeSet, measure } from '../scores/evaluation.ts';
import type { FactsAndImplications } from '../shared/records.ts';
import { firstHop, knownMayors, knownPeople, secondHop } from './datasets.ts';
import type { Recipe } from './recipe.ts';
import type { World } from './world.ts';

export interface FinetuneResult {
  factBefore: number;
  implicationBefore: number;
  /** By seed. */
  fact: number[];
  implication: number[];
}

export interface CheckpointEvaluation {
  step: number;
  /** Mean ranks among all cities, all languages, all mayors of what pretraining showed. */
  knownCity: number;
  knownLanguage: number;
  knownMayor: number;
  firstHop: FinetuneResult;
  secondHop: FinetuneResult;
}

export async function evaluateCheckpoint(
  executor: Executor,
  tokenizer: Tokenizer,
  weights: Weights,
  world: World,
  recipe: Recipe,
  step: number,
  signal?: AbortSignal,
): Promise<CheckpointEvaluation> {
  const { people, finetuneSeeds, ...settings } = recipe.evaluation;
  const rank = async (name: string, data: FactsAndImplications, side: 'train' | 'test', current: Weights) =>
    (await measure(executor, current, encodeSet(tokenizer, name, data[side], data.options[side], 'merge'))).meanRank;
  const known = knownPeople(world, people);
  const after = async (data: FactsAndImplications): Promise<FinetuneResult> => {
    const result: FinetuneResult = {
      factBefore: await rank('facts', data, 'train', weights),
      implicationBefore: await rank('implications', data, 'test', weights),
      fact: [],
      implication: [],
    };
    const { examples } = encodeSet(tokenizer, 'facts', data.train, data.options.train, 'merge');
    for (const seed of finetuneSeeds) {
      const trainer = await Trainer.create(executor, weights, { ...defaultTraining, learningRate: settings.learningRate });
      await finetune(trainer, examples, drawOrder(examples.length, settings.batch, settings.epochs, seed), { signal });
      result.fact.push(await rank('facts', data, 'train', trainer.weights));
      result.implication.push(await rank('implications', data, 'test', trainer.weights));
    }
    return result;
  };
  return {
    step,
    knownCity: await rank('known cities', known, 'train', weights),
    knownLanguage: await rank('known languages', known, 'test', weights),
    knownMayor: await rank('known mayors', knownMayors(world), 'train', weights),
    firstHop: await after(firstHop(world)),
    secondHop: await after(secondHop(world)),
  };
}
