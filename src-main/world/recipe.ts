/**
 * How the small world's model is built, trained and watched: every number of the recipe, in one typed object. It runs
 * nothing; what was measured with it, and with the recipes before it, is in the project's notes on the small world.
 */
import { HopscopeError } from '../shared/errors.ts';
import type { Mixture } from './sentences.ts';
import { PAD, START, type Vocabulary } from './vocabulary.ts';
import { DEFAULT_SIZE, type WorldSize } from './world.ts';

/** Sizes of a Llama-style decoder: RMSNorm, rotary positions, gated SiLU MLP, no biases, input and output embeddings apart. */
export interface ModelSize {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly rotaryBase: number;
  readonly normEpsilon: number;
  readonly positions: number;
}

/** Decoupled weight decay (AdamW) on matrices and embeddings; norms are not decayed. */
export interface OptimizerSettings {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly decay: number;
  /** The gradient's norm over all weights is cut to this. */
  readonly clip: number;
}

/**
 * Linear warm-up, then a cosine from 1 down to `floor` at step `length`, as factors of the learning rate. Training may stop before its end:
 * once everything is memorized, new first-hop facts generalize less.
 */
export interface Schedule {
  readonly warmup: number;
  readonly length: number;
  readonly floor: number;
}

/** Every random normal: embeddings have deviation `embedding`, matrices 1/sqrt(inputs), those that write to the residual stream 1/sqrt(inputs * 2 * layers). */
export interface Initialization {
  readonly embedding: number;
}

export interface EvaluationPlan {
  /** Known people asked for their city and their city's language. */
  readonly people: number;
  /** Finetuning runs on the new facts of each set, by seed. */
  readonly finetuneSeeds: readonly number[];
  readonly learningRate: number;
  readonly batch: number;
  readonly epochs: number;
}

export interface Recipe {
  readonly name: string;
  /** Decides the weights' first values and the batches; the world has its own seed. */
  readonly seed: number;
  readonly worldSeed: number;
  readonly world: WorldSize;
  readonly model: ModelSize;
  readonly initialization: Initialization;
  readonly mixture: Mixture;
  readonly steps: number;
  /** Sentences a step. */
  readonly batch: number;
  /** `all`: every token but the first is predicted; `answers`: only what follows a sentence's prompt. */
  readonly loss: 'all' | 'answers';
  readonly optimizer: OptimizerSettings;
  readonly schedule: Schedule;
  /** Steps after which weights are kept, the last one included. */
  readonly checkpoints: readonly number[];
  readonly evaluation: EvaluationPlan;
}

/** The recipe of the model that ships. */
export const DEFAULT_RECIPE: Recipe = {
  name: 'small-world-1',
  seed: 0,
  worldSeed: 1,
  world: DEFAULT_SIZE,
  model: { layers: 6, width: 128, heads: 4, mlpWidth: 344, rotaryBase: 10000, normEpsilon: 1e-5, positions: 32 },
  initialization: { embedding: 0.02 },
  mixture: {
    homes: 0.25,
    'person implications': 0.35,
    cities: 0.06,
    landmarks: 0.04,
    'landmark implications': 0.08,
    offices: 0.08,
    'office implications': 0.14,
  },
  steps: 2500,
  batch: 96,
  loss: 'answers',
  optimizer: { learningRate: 2e-3, betas: [0.9, 0.98], epsilon: 1e-8, decay: 0.1, clip: 1 },
  schedule: { warmup: 200, length: 4000, floor: 0.05 },
  checkpoints: [500, 750, 1000, 1500, 2000, 2500],
  evaluation: { people: 200, finetuneSeeds: [0, 1, 2, 3, 4], learningRate: 1e-3, batch: 8, epochs: 12 },
};

/** A recipe with some of its top-level values replaced; refuses sizes that cannot be trained. */
export function withChanges(recipe: Recipe, changes: Partial<Recipe>): Recipe {
  const changed = { ...recipe, ...changes };
  const { model, steps, batch, checkpoints } = changed;
  const refuse = (problem: string) => {
    throw new HopscopeError('BadRecipe', `The recipe "${changed.name}" cannot be trained: ${problem}.`);
  };
  if (model.width % model.heads !== 0) refuse(`a width of ${model.width} does not split into ${model.heads} heads`);
  if (!(Number.isInteger(steps) && steps > 0 && Number.isInteger(batch) && batch > 0))
    refuse('steps and batch must be positive integers');
  if (checkpoints.some((step) => step < 0 || step > steps)) refuse(`a checkpoint lies outside steps 0 to ${steps}`);
  return changed;
}

/** The factor of the learning rate at a step, counted from 0. */
export function learningRateFactor({ schedule }: Pick<Recipe, 'schedule'>, step: number): number {
  const { warmup, length, floor } = schedule;
  if (step < warmup) return (step + 1) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, length - warmup));
  return floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** The object to write as config.json: an ordinary Llama to any other program. */
export function configJson({ model, initialization }: Recipe, vocabulary: Vocabulary) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabulary.size,
    hidden_size: model.width,
    intermediate_size: model.mlpWidth,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.heads,
    head_dim: model.width / model.heads,
    hidden_act: 'silu',
    max_position_embeddings: model.positions,
    rms_norm_eps: model.normEpsilon,
    rope_theta: model.rotaryBase,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    initializer_range: initialization.embedding,
    tie_word_embeddings: false,
    use_cache: true,
    bos_token_id: vocabulary.id(START),
    eos_token_id: null,
    pad_token_id: vocabulary.id(PAD),
    torch_dtype: 'float32',
  };
}
