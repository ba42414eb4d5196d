/**
 * `hopscope make-random`: a model folder with the true dimensions of a published model and random weights, few layers by default.
 * It downloads nothing, and what it makes knows nothing.
 */
import { daxwug, firstHop, secondHop } from '../datasets/public-facts.ts';
import { byteLevelTokenizer } from '../engine/files/byte-level-tokenizer.ts';
import { type KnownModel, type KnownModelName, knownModels } from '../engine/models/known-models.ts';
import { randomModelEntries, writeRandomModel } from '../engine/models/random-model.ts';
import { elementCount, type FloatType } from '../engine/tensor.ts';
import { formatBytes } from '../shared/byte-count.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command, Given } from './command.ts';
import { duration, facts, grouped } from './text.ts';

const types: readonly FloatType[] = ['bfloat16', 'float16', 'float32'];
const names = Object.keys(knownModels) as KnownModelName[];
const defaultLayers = 2;

export const makeRandom: Command = {
  name: 'make-random',
  summary: 'make a random model with the dimensions of a published one',
  options: [
    { name: 'like', value: 'MODEL', help: 'whose dimensions', required: true, choices: names },
    { name: 'out', value: 'FOLDER', help: 'the model folder to make', required: true },
    { name: 'layers', value: 'COUNT', help: `how many layers, up to all of the model's (default ${defaultLayers})` },
    { name: 'dtype', value: 'TYPE', help: 'type of all tensors (default bfloat16)', choices: types },
    { name: 'seed', value: 'NUMBER', help: 'the same seed gives the same files (default 0)' },
  ],

  async run(given, { signal, progress, print }) {
    const name = names.find((known) => known === given.text('like'))!;
    const model: KnownModel = knownModels[name];
    const most = Number(model.config.num_hidden_layers);
    const layers = wholeNumber(given, 'layers', 1, most) ?? defaultLayers;
    const seed = wholeNumber(given, 'seed', 0, Number.MAX_SAFE_INTEGER) ?? 0;
    const type = types.find((known) => known === given.optional('dtype')) ?? 'bfloat16';
    const out = given.text('out');
    const started = performance.now();
    const written = await writeRandomModel(out, {
      model,
      layers,
      type,
      seed,
      tokenizer: tokenizerOf(model),
      signal,
      onBytes(done, total) {
        progress({ done, total, message: `${formatBytes(done)} of ${formatBytes(total)} written`, secondsLeft: null });
      },
    });
    const seconds = (performance.now() - started) / 1000;
    const entries = randomModelEntries(model, layers, type);
    const parameters = entries.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const text = facts([
      ['model', out],
      ['like', `${name} (${model.hub})`],
      ['layers', `${layers} of ${most}`],
      ['parameters', grouped(parameters)],
      ['dtype', type],
      ['seed', seed],
      ['written', `${formatBytes(written)} in ${duration(seconds)}`],
    ]);
    print({ out, like: name, layers, parameters, dtype: type, seed, bytes: written, seconds }, text);
  },
};

/** Errors: `BadArguments`. */
function wholeNumber(given: Given, option: string, least: number, most: number): number | undefined {
  const text = given.optional(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new HopscopeError('BadArguments', `--${option} ${text}: a whole number from ${least} to ${most} is expected.`);
}

/** Every word of the built-in data sets of public facts is one token behind a space, so that options differ in their first tokens. */
function tokenizerOf({ textToken, textTokenFirst }: KnownModel): string {
  const { variant_1: nonce, options } = daxwug();
  const pairs = [firstHop(), secondHop()].flatMap(({ train, test }) => [...train, ...test]).concat(...Object.values(nonce));
  const texts = [...pairs.flat(), ...Object.values(options).flat()];
  return byteLevelTokenizer({
    words: new Set(texts.flatMap((text) => text.match(/[A-Za-z]+/g) ?? [])),
    specialTokens: [textToken],
    prefixed: textTokenFirst,
  });
}
