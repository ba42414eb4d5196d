/**
 * Published models by a short name: their config.json, for making models of the same dimensions. There are no weights here,
 * and opening a model does not need its name in this table.
 */
import type { RawConfiguration } from './family.ts';

export interface KnownModel {
  /** Where it is published. */
  hub: string;
  /** Its config.json as published, without what nothing computes by (the version of the tool that wrote it, ...). */
  config: RawConfiguration;
  /** All of its parameters, each stored tensor once. */
  parameters: number;
  /** What a norm's gain parameter is in a fresh model; 0 where the gain is 1 + w. */
  gain: 0 | 1;
  /** The token that its tokenizer knows as the beginning or end of a text. */
  textToken: string;
  /** Its tokenizer puts that token in front of every text. */
  textTokenFirst: boolean;
}

const llama = { gain: 1, textToken: '<|begin_of_text|>', textTokenFirst: true } as const;
const gemma = { gain: 0, textToken: '<bos>', textTokenFirst: true } as const;
const endOfText = { gain: 1, textToken: '<|endoftext|>', textTokenFirst: false } as const;

const olmoConfig = {
  architectures: ['OlmoForCausalLM'],
  attention_bias: false,
  attention_dropout: 0,
  clip_qkv: null,
  eos_token_id: 50279,
  hidden_act: 'silu',
  initializer_range: 0.02,
  max_position_embeddings: 2048,
  model_type: 'olmo',
  pad_token_id: 1,
  pretraining_tp: 1,
  rope_scaling: null,
  rope_theta: 10000,
  torch_dtype: 'float32',
  use_cache: true,
  vocab_size: 50304,
};

const llamaConfig = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  attention_dropout: 0,
  bos_token_id: 128000,
  eos_token_id: 128001,
  hidden_act: 'silu',
  initializer_range: 0.02,
  model_type: 'llama',
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  torch_dtype: 'bfloat16',
  use_cache: true,
  vocab_size: 128256,
};

const gemmaConfig = {
  architectures: ['Gemma2ForCausalLM'],
  attention_bias: false,
  attention_dropout: 0,
  attn_logit_softcapping: 50,
  bos_token_id: 2,
  cache_implementation: 'hybrid',
  eos_token_id: 1,
  final_logit_softcapping: 30,
  head_dim: 256,
  hidden_act: 'gelu_pytorch_tanh',
  hidden_activation: 'gelu_pytorch_tanh',
  initializer_range: 0.02,
  max_position_embeddings: 8192,
  model_type: 'gemma2',
  pad_token_id: 0,
  query_pre_attn_scalar: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: 4096,
  torch_dtype: 'float32',
  use_cache: true,
  vocab_size: 256000,
};

const qwenConfig = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0,
  bos_token_id: 151643,
  eos_token_id: 151643,
  hidden_act: 'silu',
  initializer_range: 0.02,
  model_type: 'qwen2',
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  torch_dtype: 'bfloat16',
  use_cache: true,
  use_sliding_window: false,
};

export const knownModels = {
  'olmo-7b': {
    ...endOfText,
    hub: 'allenai/OLMo-7B-hf',
    parameters: 6_888_095_744,
    config: {
      ...olmoConfig,
      hidden_size: 4096,
      intermediate_size: 11008,
      num_attention_heads: 32,
      num_hidden_layers: 32,
      num_key_value_heads: 32,
      tie_word_embeddings: false,
    },
  },
  'llama-3-8b': {
    ...llama,
    hub: 'meta-llama/Meta-Llama-3-8B',
    parameters: 8_030_261_248,
    config: {
      ...llamaConfig,
      hidden_size: 4096,
      intermediate_size: 14336,
      max_position_embeddings: 8192,
      num_attention_heads: 32,
      num_hidden_layers: 32,
      num_key_value_heads: 8,
      rope_scaling: null,
      tie_word_embeddings: false,
    },
  },
  'gemma-2-9b': {
    ...gemma,
    hub: 'google/gemma-2-9b',
    parameters: 9_241_705_984,
    config: {
      ...gemmaConfig,
      hidden_size: 3584,
      intermediate_size: 14336,
      num_attention_heads: 16,
      num_hidden_layers: 42,
      num_key_value_heads: 8,
    },
  },
  'qwen2-7b': {
    ...endOfText,
    hub: 'Qwen/Qwen2-7B',
    parameters: 7_615_616_512,
    config: {
      ...qwenConfig,
      hidden_size: 3584,
      intermediate_size: 18944,
      max_position_embeddings: 131072,
      max_window_layers: 28,
      num_attention_heads: 28,
      num_hidden_layers: 28,
      num_key_value_heads: 4,
      sliding_window: 131072,
      tie_word_embeddings: false,
      vocab_size: 152064,
    },
  },
  'olmo-1b': {
    ...endOfText,
    hub: 'allenai/OLMo-1B-hf',
    parameters: 1_176_764_416,
    config: {
      ...olmoConfig,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_attention_heads: 16,
      num_hidden_layers: 16,
      num_key_value_heads: 16,
      tie_word_embeddings: true,
    },
  },
  'llama-3.2-1b': {
    ...llama,
    hub: 'meta-llama/Llama-3.2-1B',
    parameters: 1_235_814_400,
    config: {
      ...llamaConfig,
      head_dim: 64,
      hidden_size: 2048,
      intermediate_size: 8192,
      max_position_embeddings: 131072,
      mlp_bias: false,
      num_attention_heads: 32,
      num_hidden_layers: 16,
      num_key_value_heads: 8,
      rope_scaling: {
        factor: 32,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 8192,
        rope_type: 'llama3',
      },
      tie_word_embeddings: true,
    },
  },
  'gemma-2-2b': {
    ...gemma,
    hub: 'google/gemma-2-2b',
    parameters: 2_614_341_888,
    config: {
      ...gemmaConfig,
      hidden_size: 2304,
      intermediate_size: 9216,
      num_attention_heads: 8,
      num_hidden_layers: 26,
      num_key_value_heads: 4,
    },
  },
  'qwen2.5-0.5b': {
    ...endOfText,
    hub: 'Qwen/Qwen2.5-0.5B',
    parameters: 494_032_768,
    config: {
      ...qwenConfig,
      hidden_size: 896,
      intermediate_size: 4864,
      max_position_embeddings: 32768,
      max_window_layers: 24,
      num_attention_heads: 14,
      num_hidden_layers: 24,
      num_key_value_heads: 2,
      sliding_window: 32768,
      tie_word_embeddings: true,
      vocab_size: 151936,
    },
  },
  'smollm2-135m': {
    ...endOfText,
    hub: 'HuggingFaceTB/SmolLM2-135M',
    parameters: 134_515_008,
    config: {
      ...llamaConfig,
      bos_token_id: 0,
      eos_token_id: 0,
      hidden_size: 576,
      intermediate_size: 1536,
      max_position_embeddings: 8192,
      num_attention_heads: 9,
      num_hidden_layers: 30,
      num_key_value_heads: 3,
      rope_scaling: null,
      rope_theta: 100000,
      tie_word_embeddings: true,
      vocab_size: 49152,
    },
  },
  'pythia-1b': {
    ...endOfText,
    hub: 'EleutherAI/pythia-1b',
    parameters: 1_011_781_632,
    config: {
      architectures: ['GPTNeoXForCausalLM'],
      bos_token_id: 0,
      eos_token_id: 0,
      hidden_act: 'gelu',
      hidden_size: 2048,
      initializer_range: 0.02,
      intermediate_size: 8192,
      layer_norm_eps: 1e-5,
      max_position_embeddings: 2048,
      model_type: 'gpt_neox',
      num_attention_heads: 8,
      num_hidden_layers: 16,
      rotary_emb_base: 10000,
      rotary_pct: 0.25,
      tie_word_embeddings: false,
      torch_dtype: 'float16',
      use_cache: true,
      use_parallel_residual: true,
      vocab_size: 50304,
    },
  },
} as const satisfies Record<string, KnownModel>;

export type KnownModelName = keyof typeof knownModels;
