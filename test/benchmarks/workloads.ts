/**
 * What is timed: the models, and for each the batches that both sides compute, made from fixed seeds. It runs nothing.
 * Sentences are random tokens: neither side's time depends on what they say.
 */
import { configJson, DEFAULT_RECIPE } from '../../src-main/world/recipe.ts';
import { Vocabulary } from '../../src-main/world/vocabulary.ts';

/** `step`: forward, backward and Adam on all parameters. `forward`: the loss alone. */
export type Phase = 'step' | 'forward';

/** Right-padded tokens with labels of the same shape, [batch][positions]; -100: not counted. Position t predicts label t + 1. */
export interface Batch {
  ids: number[][];
  mask: number[][];
  labels: number[][];
}

export interface Workload {
  name: string;
  batch: Batch;
  phases: readonly Phase[];
  /** Runs per measurement, so that one lasts long enough to be timed. */
  repeat: number;
}

export interface BenchmarkModel {
  id: string;
  /** Becomes config.json. */
  config: Record<string, unknown>;
  workloads: readonly Workload[];
  /** Measurements of each side; the ratio is taken within each. */
  rounds: number;
  /** Left out of a quick run. */
  slow: boolean;
}

interface BatchPlan {
  vocabulary: number;
  lengths: readonly number[];
  /** Predicted tokens at the end of each sentence; null: every token but the first. */
  counted: number | null;
}

/** Tokens 3 and up (the small world's first three are special) from a linear congruential sequence. */
function makeBatch({ vocabulary, lengths, counted }: BatchPlan): Batch {
  let state = 12345;
  const token = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 3 + Math.floor((state / 2 ** 32) * (vocabulary - 3));
  };
  const positions = Math.max(...lengths);
  const batch: Batch = { ids: [], mask: [], labels: [] };
  for (const length of lengths) {
    const ids = Array.from({ length: positions }, (_, index) => (index < length ? token() : 0));
    const first = counted === null ? 1 : length - counted;
    batch.ids.push(ids);
    batch.mask.push(ids.map((_, index) => Number(index < length)));
    batch.labels.push(ids.map((id, index) => (index >= first && index < length ? id : -100)));
  }
  return batch;
}

const cycle = (count: number, lengths: readonly number[]) =>
  Array.from({ length: count }, (_, index) => lengths[index % lengths.length]!);

function llamaConfig(sizes: {
  hidden: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  intermediate: number;
  vocabulary: number;
}): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: sizes.vocabulary,
    hidden_size: sizes.hidden,
    intermediate_size: sizes.intermediate,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.keyValueHeads,
    hidden_act: 'silu',
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
    torch_dtype: 'float32',
  };
}

/** Sentences of 9 to 16 tokens, padded to 16. */
const sixteen = [16, 15, 16, 14, 16, 12, 16, 9];
/** The lengths of the small world's sentences as its recipe draws them, roughly. */
const worldLengths = [6, 8, 13, 10, 12, 7, 13, 6, 8, 11, 12, 13];

function smallWorld(): BenchmarkModel {
  const vocabulary = new Vocabulary();
  const batch = (lengths: readonly number[], counted: number) => makeBatch({ vocabulary: vocabulary.size, lengths, counted });
  return {
    id: 'small world',
    config: configJson(DEFAULT_RECIPE, vocabulary),
    workloads: [
      { name: 'finetuning, 8 x 12', batch: batch(cycle(8, [6, 8, 10, 12]), 2), phases: ['step', 'forward'], repeat: 8 },
      { name: 'pretraining, 96 x 13', batch: batch(cycle(96, worldLengths), 1), phases: ['step'], repeat: 2 },
      { name: 'evaluation, 20 x 12', batch: batch(cycle(20, [6, 8, 10, 12]), 1), phases: ['forward'], repeat: 8 },
    ],
    rounds: 15,
    slow: false,
  };
}

/** 34 million parameters; the whole step is one program. */
function configA(): BenchmarkModel {
  const vocabulary = 8000;
  const batch = (lengths: readonly number[], counted: number | null) => makeBatch({ vocabulary, lengths, counted });
  return {
    id: 'A',
    config: llamaConfig({ hidden: 512, layers: 8, heads: 8, keyValueHeads: 8, intermediate: 1408, vocabulary }),
    workloads: [
      { name: '8 x 16, 3 targets a row', batch: batch(sixteen, 3), phases: ['step', 'forward'], repeat: 1 },
      { name: '8 x 16, all targets', batch: batch(sixteen, null), phases: ['step'], repeat: 1 },
      { name: 'evaluation, 20 x 16', batch: batch(cycle(20, sixteen), 1), phases: ['forward'], repeat: 1 },
    ],
    rounds: 9,
    slow: false,
  };
}

/** The width, grouped heads and vocabulary of a model of a billion parameters, in 3 layers (272 million), so that both sides fit into memory. */
function configB(): BenchmarkModel {
  const vocabulary = 32_000;
  return {
    id: 'B',
    config: llamaConfig({ hidden: 2048, layers: 3, heads: 16, keyValueHeads: 8, intermediate: 5632, vocabulary }),
    workloads: [
      {
        name: '8 x 16, 3 targets a row',
        batch: makeBatch({ vocabulary, lengths: sixteen, counted: 3 }),
        phases: ['step', 'forward'],
        repeat: 1,
      },
    ],
    rounds: 5,
    slow: true,
  };
}

export const benchmarkModels = (): BenchmarkModel[] => [smallWorld(), configA(), configB()];
