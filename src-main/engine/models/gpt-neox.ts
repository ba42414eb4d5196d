/**
 * The GPT-NeoX family (Pythia): y = x + o(attention(norm x)) + down(gelu(up(norm' x))), both norms a LayerNorm with gain and bias, or one after the
 * other where `use_parallel_residual` is false. One map gives each head's q, k and v after each other; only the first part of a head is rotated.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Value } from '../graph/graph.ts';
import { attention, exactGelu, layerNorm, linear, parallelBlock, plainMlp, residualBlock, rotate } from './blocks.ts';
import { count, divisible, flag, layerCount, oneOf, positive, record } from './configuration.ts';
import { embeddingOf, headWith, outputOf, plainAttention } from './decoder.ts';
import type { BuildContext, ModelFamily, ParameterGroup, ParameterSpecification, RawConfiguration } from './family.ts';
import { readRotary } from './rotary.ts';

const outputName = 'embed_out.weight';

/** The roles of attention's matrices; the other linear maps always have a bias. */
const [fused, output] = ['attn.qkv.heads', 'attn.o'];

/** How many of a head's elements are rotated. Errors: `BadConfiguration`. */
function rotatedSize(raw: RawConfiguration, headSize: number): number {
  const parameters = record(raw, 'rope_parameters') ?? {};
  const spelling = 'partial_rotary_factor' in parameters ? 'partial_rotary_factor' : 'rotary_pct';
  const part = positive(spelling === 'rotary_pct' ? raw : parameters, spelling, 0.25);
  const size = Math.trunc(headSize * part);
  if (size < 2 || size > headSize || size % 2 !== 0) {
    throw new HopscopeError(
      'BadConfiguration',
      `config.json: ${spelling} is ${part}, which rotates ${size} of a head's ${headSize} elements; it must be an even number of them, at least 2.`,
    );
  }
  return size;
}

/** q, k and v of every head, [batch * positions, heads * size] each, out of rows that hold [heads][q, k, v][size]. */
function fusedAttention(context: BuildContext, x: Value): Value {
  const { graph, batch, positions } = context;
  const { heads, headSize } = context.configuration;
  const rows = batch * positions;
  const projected = graph.reshape(linear(context, context.label('attn.in', x), fused), [rows, heads, 3, headSize]);
  const [q, k, v] = [0, 1, 2].map((part) => graph.reshape(graph.slice(projected, 2, part, part + 1), [rows, heads * headSize]));
  const z = attention(context, rotate(context, q!, heads), rotate(context, k!, heads), v!);
  return context.label('attn.out', linear(context, z, output));
}

export const gptNeox: ModelFamily = {
  modelTypes: ['gpt_neox'],
  outputName,
  bufferSuffixes: ['.attention.bias', '.attention.masked_bias'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['gelu']);
    const layers = layerCount(raw, 'num_hidden_layers');
    const hidden = count(raw, 'hidden_size');
    const heads = count(raw, 'num_attention_heads');
    divisible(hidden, heads, 'hidden_size must divide among the heads');
    const headSize = hidden / heads;
    return {
      family: 'gpt_neox',
      layers,
      heads,
      keyValueHeads: heads,
      headSize,
      hidden,
      intermediate: count(raw, 'intermediate_size'),
      vocabulary: count(raw, 'vocab_size'),
      context: count(raw, 'max_position_embeddings', 2048),
      normEpsilon: positive(raw, 'layer_norm_eps', 1e-5),
      rotary: readRotary({ ...raw, rope_theta: raw.rotary_emb_base ?? raw.rope_theta }, rotatedSize(raw, headSize)),
      tiedEmbeddings: flag(raw, 'tie_word_embeddings', false),
      ...plainAttention(layers, headSize),
      biases: [...(flag(raw, 'attention_bias', true) ? [fused, output] : []), 'mlp.up', 'mlp.down'],
      parallelResidual: flag(raw, 'use_parallel_residual', true),
    };
  },

  parameters(configuration) {
    const { hidden, intermediate, biases } = configuration;
    const embedding = embeddingOf(configuration, 'gpt_neox.embed_in.weight');
    const entries = (role: string, file: string, shape: number[], group: ParameterGroup): ParameterSpecification[] => [
      { role, name: `gpt_neox.${file}.weight`, shape, group },
      ...(group === 'norm' || biases.includes(role)
        ? [{ role: `${role}.bias`, name: `gpt_neox.${file}.bias`, shape: shape.slice(0, 1), group }]
        : []),
    ];
    return {
      embedding,
      block: [
        ...entries('norm.attn', 'layers.{i}.input_layernorm', [hidden], 'norm'),
        ...entries(fused, 'layers.{i}.attention.query_key_value', [3 * hidden, hidden], 'attention'),
        ...entries(output, 'layers.{i}.attention.dense', [hidden, hidden], 'attention'),
        ...entries('norm.mlp', 'layers.{i}.post_attention_layernorm', [hidden], 'norm'),
        ...entries('mlp.up', 'layers.{i}.mlp.dense_h_to_4h', [intermediate, hidden], 'mlp'),
        ...entries('mlp.down', 'layers.{i}.mlp.dense_4h_to_h', [hidden, intermediate], 'mlp'),
      ],
      head: [...entries('norm.final', 'final_layer_norm', [hidden], 'norm'), outputOf(configuration, embedding, outputName)],
    };
  },

  block: (context, x) =>
    (context.configuration.parallelResidual ? parallelBlock : residualBlock)(
      context,
      x,
      (input) => fusedAttention(context, layerNorm(context, input, 'norm.attn')),
      // In a parallel block this is the layer's input, so that mlp.in and mlp.out do not depend on the layer's attention
      (input) => plainMlp(context, layerNorm(context, input, 'norm.mlp'), exactGelu),
    ),

  ...headWith((context, x) => layerNorm(context, x, 'norm.final')),
};
