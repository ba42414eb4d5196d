/**
 * What a model folder holds, and what usual pieces of work with it take on this machine. Nothing is loaded or run.
 */
import { tmpdir } from 'node:os';
import type { ModelDescription, ModelPlan } from '../../shared/records.ts';
import { availableMemory } from '../available-memory.ts';
import type { Model } from '../models/model.ts';
import { defaultThreads } from '../runtime/device.ts';
import { estimate } from './estimate.ts';
import { bestPlan, defaultBudget, type PlannedWork } from './memory-plan.ts';

/** The works that are described: what is done, how often, and in words. */
const works = [
  { name: 'forward', kind: 'forward', of: '20 prompts of 16 tokens, 3 counted each', passes: 1, batch: 20, rows: 60 },
  { name: 'scores', kind: 'scores', of: 'scores of 20 prompts of 16 tokens', passes: 1, batch: 20, rows: 0 },
  { name: 'train_all', kind: 'train', of: '24 steps of Adam on 8 texts of 16 tokens', passes: 24, batch: 8, rows: 24 },
  { name: 'train_mlp_attn', kind: 'train', of: '24 steps of Adam on 8 texts of 16 tokens', passes: 24, batch: 8, rows: 24 },
  { name: 'train_lora', kind: 'train', of: '24 steps of Adam on 8 texts of 16 tokens', passes: 24, batch: 8, rows: 24 },
] as const;

const trainable = { train_all: 'all', train_mlp_attn: 'mlp_attn', train_lora: { lora: {} } } as const;

/** Where a plan is made for, and within what. */
export interface DescribedFor {
  threads?: number;
  /** Bytes of memory to keep to; default: what is available, less a reserve. */
  budget?: number | undefined;
  /** Where a scratch folder would be. */
  scratch?: string;
}

/** `memory` is what work takes where all is kept in memory, `plan` what it will be within the budget. */
export async function describeModel(
  model: Model,
  { threads = defaultThreads(), budget, scratch = tmpdir() }: DescribedFor = {},
): Promise<ModelDescription> {
  const { folder, family, configuration, parameters, checkpoint, tokenizer } = model;
  const plan = { budget: budget ?? defaultBudget() } as ModelPlan;
  const needed: Partial<Record<(typeof works)[number]['name'], number>> = {};
  for (const { name, kind, of, passes, batch, rows } of works) {
    const work: PlannedWork = { kind, batch, positions: 16, rows, ...(kind === 'train' && { trainable: trainable[name] }) };
    plan[name] = { of, ...(await estimate(model, { work, passes, scratch, threads, budget: plan.budget })) };
    // As if memory were plenty
    needed[name] = bestPlan(model, work, Number.MAX_SAFE_INTEGER).peak;
  }
  return {
    path: folder,
    family: family.modelTypes.find((type) => type === checkpoint.config.model_type) ?? configuration.family,
    layers: configuration.layers,
    heads: configuration.heads,
    kv_heads: configuration.keyValueHeads,
    hidden: configuration.hidden,
    vocabulary: configuration.vocabulary,
    parameters: parameters.count,
    dtype: checkpoint.dtype,
    tied_embeddings: configuration.tiedEmbeddings,
    context: configuration.context,
    tokenizer: tokenizer.kind,
    memory: {
      forward: needed.forward!,
      scores: needed.scores!,
      train_all: needed.train_all!,
      train_mlp_attn: needed.train_mlp_attn!,
      available: availableMemory(),
    },
    plan,
  };
}
