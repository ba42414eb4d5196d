/**
 * The GPT-2 family: h = x + o(attention(norm x)), y = h + down(gelu(up(norm h))), norm a LayerNorm with gain and bias, on token plus learned
 * position embeddings. q, k and v are one map; matrices are stored [in, out]. Names come with and without `transformer.` in front.
 */
import type { Value } from '../graph/graph.ts';
import { attention, layerNorm, linear, plainMlp, residualBlock, tanhGelu } from './blocks.ts';
import { count, divisible, flag, layerCount, oneOf, positive } from './configuration.ts';
import { embeddingOf, headWith, outputOf, plainAttention } from './decoder.ts';
import type { BuildContext, ModelFamily, ParameterGroup, ParameterSpecification } from './family.ts';

/** How all of the family's linear maps are stored (Conv1D). */
const form = { inputFirst: true };

function fusedAttention(context: BuildContext, x: Value): Value {
  const { graph, configuration } = context;
  const { hidden } = configuration;
  const fused = linear(context, context.label('attn.in', x), 'attn.qkv', form);
  const [q, k, v] = [0, 1, 2].map((part) => graph.slice(fused, 1, part * hidden, (part + 1) * hidden));
  return context.label('attn.out', linear(context, attention(context, q!, k!, v!), 'attn.o', form));
}

export const gpt2: ModelFamily = {
  modelTypes: ['gpt2'],
  optionalPrefix: 'transformer.',
  bufferSuffixes: ['.attn.bias', '.attn.masked_bias'],

  configure(raw) {
    oneOf(raw, 'activation_function', ['gelu_new', 'gelu_pytorch_tanh']);
    oneOf(raw, 'scale_attn_weights', [true]);
    oneOf(raw, 'scale_attn_by_inverse_layer_idx', [false]);
    oneOf(raw, 'add_cross_attention', [false]);
    const hidden = count(raw, 'n_embd');
    const heads = count(raw, 'n_head');
    const layers = layerCount(raw, 'n_layer');
    divisible(hidden, heads, 'n_embd must divide among the heads');
    return {
      family: 'gpt2',
      layers,
      heads,
      keyValueHeads: heads,
      headSize: hidden / heads,
      hidden,
      intermediate: count(raw, 'n_inner', 4 * hidden),
      vocabulary: count(raw, 'vocab_size'),
      context: count(raw, 'n_positions', 1024),
      normEpsilon: positive(raw, 'layer_norm_epsilon', 1e-5),
      rotary: null,
      tiedEmbeddings: flag(raw, 'tie_word_embeddings', true),
      ...plainAttention(layers, hidden / heads),
      biases: ['attn.qkv', 'attn.o', 'mlp.up', 'mlp.down'],
    };
  },

  parameters(configuration) {
    const { hidden, intermediate, context } = configuration;
    const embedding = embeddingOf(configuration, 'transformer.wte.weight');
    const pair = (role: string, name: string, shape: number[], group: ParameterGroup): ParameterSpecification[] => [
      { role, name: `transformer.${name}.weight`, shape, group },
      { role: `${role}.bias`, name: `transformer.${name}.bias`, shape: shape.slice(-1), group },
    ];
    return {
      embedding,
      positions: { role: 'positions', name: 'transformer.wpe.weight', shape: [context, hidden], group: 'embedding' },
      block: [
        ...pair('norm.attn', 'h.{i}.ln_1', [hidden], 'norm'),
        ...pair('attn.qkv', 'h.{i}.attn.c_attn', [hidden, 3 * hidden], 'attention'),
        ...pair('attn.o', 'h.{i}.attn.c_proj', [hidden, hidden], 'attention'),
        ...pair('norm.mlp', 'h.{i}.ln_2', [hidden], 'norm'),
        ...pair('mlp.up', 'h.{i}.mlp.c_fc', [hidden, intermediate], 'mlp'),
        ...pair('mlp.down', 'h.{i}.mlp.c_proj', [intermediate, hidden], 'mlp'),
      ],
      head: [...pair('norm.final', 'ln_f', [hidden], 'norm'), outputOf(configuration, embedding)],
    };
  },

  block: (context, x) =>
    residualBlock(
      context,
      x,
      (input) => fusedAttention(context, layerNorm(context, input, 'norm.attn')),
      (middle) => plainMlp(context, layerNorm(context, middle, 'norm.mlp'), tanhGelu, form),
    ),

  ...headWith((context, x) => layerNorm(context, x, 'norm.final')),
};
