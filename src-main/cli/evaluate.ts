/**
 * `hopscope evaluate`: how a model ranks the right answers of a list among its options, with finetuned weights on request.
 * Nothing is stored.
 */
import { isKept, readKept } from '../engine/files/kept-weights.ts';
import { readHeader } from '../engine/files/safetensors.ts';
import { add, readDelta } from '../engine/files/weight-sets.ts';
import type { Model } from '../engine/models/model.ts';
import type { Weights } from '../engine/weights.ts';
import { measure } from '../scores/evaluation.ts';
import { logitLoss } from '../scores/rank.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { readDatasetFile } from './dataset-file.ts';
import { withModelAndSet } from './loaded-model.ts';
import { table } from './text.ts';

export const evaluate: Command = {
  name: 'evaluate',
  summary: 'rank the answers of a list among its options',
  options: [
    { name: 'model', value: 'FOLDER', help: 'a model folder', required: true },
    {
      name: 'delta',
      value: 'FILE',
      help: "a training's delta.safetensors, added to the model, or what a run kept (its files are in `hopscope show RUN`)",
    },
    { name: 'dataset', value: 'FILE', help: 'JSON with pairs and options', required: true },
    {
      name: 'collisions',
      value: 'RULE',
      help: 'options that begin with the same token: error (default), or merge them into one',
      choices: ['error', 'merge'],
    },
  ],

  async run(given, context) {
    const { pairs, options } = readDatasetFile(given.text('dataset'));
    const delta = given.optional('delta');
    await withModelAndSet(
      given.text('model'),
      context,
      'forward',
      { pairs, options, collisions: given.optional('collisions') },
      async ({ model, weights, executor, set }) => {
        const current = delta === undefined ? weights : await finetuned(weights, delta, model);
        const { items, meanRank, loss } = await measure(executor, current, set);
        context.signal.throwIfAborted();
        const { candidates, answers } = set.items;
        const losses = items.map(({ logits }, item) => logitLoss(candidates[answers[item]!]!, candidates, logits));
        const result = {
          candidates,
          candidate_logits: items.map(({ logits }) => logits),
          ranks: items.map(({ rank }) => rank),
          mean_rank: meanRank,
          mean_logit_loss: losses,
          mean_cross_entropy: loss,
          prefix_special_tokens: model.tokenizer.prefixSpecialTokens,
        };
        const rows = pairs.map(([prompt, continuation], item) => [
          items[item]!.rank,
          losses[item]!.toFixed(3),
          `${prompt} -> ${continuation}`,
        ]);
        const summary = `mean rank ${meanRank.toFixed(3)} of ${candidates.length} options (0 is best), mean cross entropy ${loss.toFixed(4)}`;
        context.print(result, `${table([['rank', 'logit loss', 'item'], ...rows])}\n${summary}`);
      },
    );
  },
};

/** The model's weights with what a training changed: a delta added, or a run's kept weights in their place. Errors: `DeltaOfAnotherBase`, those of the files. */
async function finetuned(weights: Weights, path: string, { checkpoint, folder }: Model): Promise<Weights> {
  if (!isKept(readHeader(path).metadata)) return add(weights, readDelta(path));
  const kept = readKept(path);
  if (kept.modelHash !== checkpoint.hash()) {
    throw new HopscopeError(
      'DeltaOfAnotherBase',
      `${path} was trained from another model than ${folder}, or its files have changed since. Give the model that the run was made with.`,
    );
  }
  return new Map([...weights, ...kept.trainedFrom(weights)]);
}
