/**
 * `hopscope scores`: extractive scores of every component and token, from a model's old weights to new ones. Files in, a file out.
 * Which scores there are and what they mean is in scores/extractive-scores.ts.
 */

import { Observer } from '../engine/execution/observer.ts';
import { writeSafetensors } from '../engine/files/safetensors.ts';
import { isJsonObject, type JsonValue } from '../engine/files/strict-json.ts';
import type { FloatTensor } from '../engine/tensor.ts';
import { encodePair } from '../engine/training/batch.ts';
import { type CounterfactualChoice, counterfactualsOf } from '../scores/counterfactuals.ts';
import { type ExtractiveScores, extractiveScores } from '../scores/extractive-scores.ts';
import { type FirstOrderCheck, firstOrderCheck } from '../scores/first-order-check.ts';
import { mean } from '../scores/statistics.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Pair } from '../shared/records.ts';
import type { Command } from './command.ts';
import { readDatasetFile } from './dataset-file.ts';
import { readJsonFile, requireWritableFile } from './files.ts';
import { withModelAndSet } from './loaded-model.ts';
import { readNewWeights } from './new-weights.ts';
import { duration, table } from './text.ts';

export const scores: Command = {
  name: 'scores',
  summary: 'score every component for what a finetuning changed',
  options: [
    { name: 'model', value: 'FOLDER', help: 'the model with its old weights', required: true },
    {
      name: 'new',
      value: 'PATH',
      help: 'a model folder with the new weights, or a safetensors file of the tensors that changed',
      required: true,
    },
    { name: 'dataset', value: 'FILE', help: 'JSON with pairs, options, counterfactuals and accumulation', required: true },
    { name: 'out', value: 'FILE', help: 'safetensors to write: pointI.SCORE and average.SCORE', required: true },
    {
      name: 'collisions',
      value: 'RULE',
      help: 'options that begin with the same token: error (default), or merge them into one',
      choices: ['error', 'merge'],
    },
    { name: 'each-counterfactual', help: 'also write upstream.cfK, the score against each counterfactual alone' },
    { name: 'skip-check', help: 'do not compare the scores with the true change of the loss' },
  ],

  async run(given, context) {
    const out = given.text('out');
    requireWritableFile(out);
    const dataset = given.text('dataset');
    const { pairs, options } = readDatasetFile(dataset);
    const { choice, accumulation } = readScoring(dataset);
    const counterfactuals = counterfactualsOf(choice, pairs);
    const started = performance.now();
    await withModelAndSet(
      given.text('model'),
      context,
      'scores',
      { pairs, options, collisions: given.optional('collisions') },
      async ({ model, weights, executor, plan, set }) => {
        const changed = readNewWeights(given.text('new'), model, weights, plan.weightBytes);
        const observer = new Observer(model, executor.settings);
        try {
          const request = { observer, old: weights, new: changed, set, signal: context.signal };
          const computed = await extractiveScores({
            ...request,
            counterfactuals,
            accumulation: encodePair(model.tokenizer, accumulation),
            eachCounterfactual: given.isSet('each-counterfactual'),
            progress(done, total) {
              const elapsed = (performance.now() - started) / 1000;
              context.progress({ done, total, message: 'layers scored', secondsLeft: (elapsed / done) * (total - done) });
            },
          });
          const check = given.isSet('skip-check') ? null : await firstOrderCheck({ ...request, scores: computed });
          context.signal.throwIfAborted();
          writeSafetensors(out, namedTensors(computed), check ? { first_order: JSON.stringify(check) } : {});
          const seconds = (performance.now() - started) / 1000;
          context.print(
            {
              out,
              items: pairs.length,
              candidates: set.items.candidates,
              counterfactuals,
              scores: [...computed.average.keys()],
              loss_old: computed.oldLosses,
              loss_new: computed.newLosses,
              first_order: check,
              seconds,
            },
            `${summary(computed, check)}\n${pairs.length} items scored in ${duration(seconds)}: ${out}`,
          );
        } finally {
          observer.release();
        }
      },
    );
  },
};

/** The part of a data set that only scores need. Errors: `BadDataset`. */
function readScoring(path: string): { choice: CounterfactualChoice; accumulation: Pair } {
  const value = readJsonFile(path);
  const { counterfactuals, accumulation } = isJsonObject(value) ? value : {};
  return { choice: readChoice(path, counterfactuals), accumulation: readAccumulation(path, accumulation) };
}

function readChoice(path: string, value: JsonValue | undefined): CounterfactualChoice {
  if (value === 'all') return 'all';
  if (isIndexLists(value)) return value;
  if (isJsonObject(value)) {
    const { count, seed, ...rest } = value;
    if (isCount(count) && count > 0 && isCount(seed) && Object.keys(rest).length === 0) return { count, seed };
  }
  const shown = value === undefined ? 'it has no `counterfactuals`' : '`counterfactuals` cannot be read';
  throw new HopscopeError(
    'BadDataset',
    `${path}: ${shown}; give a list of item indices for each item, "all", or {"count": 10, "seed": 0}.`,
  );
}

function readAccumulation(path: string, value: JsonValue | undefined): Pair {
  if (isJsonObject(value)) {
    const { prompt, answer } = value;
    if (typeof prompt === 'string' && typeof answer === 'string') return [prompt, answer];
  }
  const shown = value === undefined ? 'it has no `accumulation`' : '`accumulation` cannot be read';
  throw new HopscopeError('BadDataset', `${path}: ${shown}; give {"prompt", "answer"}, the text that averages are shown over.`);
}

/** Whether the numbers are indices of items is for the counterfactuals to check. */
const isIndexLists = (value: JsonValue | undefined): value is number[][] =>
  Array.isArray(value) && value.every((list) => Array.isArray(list) && list.every((index) => typeof index === 'number'));

const isCount = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function namedTensors({ points, average }: ExtractiveScores): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  points.forEach((scores, item) => {
    for (const [name, tensor] of scores) tensors.set(`point${item}.${name}`, tensor);
  });
  for (const [name, tensor] of average) tensors.set(`average.${name}`, tensor);
  return tensors;
}

function summary({ oldLosses, newLosses }: ExtractiveScores, check: FirstOrderCheck | null): string {
  const losses = `mean loss ${mean(oldLosses).toFixed(4)} with the old weights, ${mean(newLosses).toFixed(4)} with the new ones`;
  if (!check) return losses;
  const rows = check.gap.map(({ scale, change, maps, all, meanAbsoluteGap }) => [
    scale,
    ...[change, maps, all, meanAbsoluteGap].map((value) => value.toFixed(4)),
  ]);
  return `${losses}\n${table([['part of the change', 'true change of loss', 'predicted by scores', 'by all weights', 'gap to scores'], ...rows])}`;
}
