/**
 * Training of low-rank adapters: the model with adapters that gradients are taken in, the adapters' state in memory, and the weights with the
 * adapters in them under the model's own names, which is what everything but the training sees. Steps are the trainer's.
 */
import type { Executor } from '../execution/executor.ts';
import { weightOf } from '../execution/feeds.ts';
import { LowRankTensor } from '../files/low-rank-tensor.ts';
import { type Adapter, firstValues, type Training } from '../models/adapters.ts';
import type { LoraSettings } from '../models/lora-targets.ts';
import type { FloatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { AdamState } from './adam-state.ts';
import type { AdamSettings } from './optimizer-state.ts';

/** Adapters in training. */
export class LoraTraining {
  readonly settings: LoraSettings;
  readonly adapters: readonly Adapter[];
  readonly state: AdamState;
  /** Runs the model with its adapters; released with the executor that it was made by. */
  readonly executor: Executor;
  /** The matrices with their adapters in them, by the model's names, formed when they are read. */
  readonly merged: ReadonlyMap<string, LowRankTensor>;

  private constructor(settings: LoraSettings, adapters: readonly Adapter[], state: AdamState, executor: Executor, base: Weights) {
    this.settings = settings;
    this.adapters = adapters;
    this.state = state;
    this.executor = executor;
    const { weights } = state;
    const { rank, alpha } = settings;
    this.merged = new Map(
      adapters.map(({ target: { name }, a, b, inputFirst }) => {
        const change = { rank, scale: alpha / rank, a: weights.get(a.name)!.data, b: weights.get(b.name)!.data, inputFirst };
        return [name, new LowRankTensor(weightOf(base, name), { ...change, generation: () => state.steps })];
      }),
    );
  }

  /** Adapters that change nothing yet. Errors: `MissingTensor`, `OutOfMemory`. */
  static async create(
    executor: Executor,
    base: Weights,
    { outline, adapters }: Training,
    settings: LoraSettings,
    adam: AdamSettings,
  ): Promise<LoraTraining> {
    const matrices = adapters.flatMap(({ a, b }) => [a, b]);
    const state = await AdamState.create(matrices, firstValues(adapters, settings), adam, executor.mode === 'whole');
    const key = JSON.stringify([outline.adapterScale, matrices.map(({ name, shape }) => [name, shape])]);
    return new LoraTraining(settings, adapters, state, executor.variant(key, outline), base);
  }

  /** The adapters' matrices under PEFT's names, as they are now. */
  get matrices(): ReadonlyMap<string, FloatTensor> {
    return this.state.weights;
  }
}

/** adapter_config.json as PEFT writes it, for a model in `folder`. */
export function peftConfiguration({ settings, adapters, executor }: LoraTraining, folder: string): Record<string, unknown> {
  const modules = [...new Set(adapters.map(({ module }) => module))].sort();
  const paths = adapters.map(({ a: { name } }) => name.replace(/^base_model\.model\.(.*)\.lora_A\.weight$/, '$1'));
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: folder,
    inference_mode: true,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: adapters.some(({ inputFirst }) => inputFirst),
    init_lora_weights: true,
    // Names within a layer mean every layer
    target_modules: modules.length * executor.outline.configuration.layers === adapters.length ? modules : paths,
    modules_to_save: null,
  };
}
