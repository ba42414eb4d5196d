/**
 * What the decoders with rotary positions share: configuration fields, parameter names, attention from its input to its output, Llama's block, and the head.
 * It knows no family: a family says what of it applies and where its norms stand.
 */
import type { Value } from '../graph/graph.ts';
import { attention, gatedMlp, linear, residualBlock, rmsNorm, rotate, silu, softcap } from './blocks.ts';
import { count, divisible, flag, layerCount, oneOf, positive } from './configuration.ts';
import type {
  BuildContext,
  ModelConfiguration,
  ModelFamily,
  ParameterGroup,
  ParameterSpecification,
  ParameterTable,
  RawConfiguration,
} from './family.ts';
import { readRotary } from './rotary.ts';

/** What holds where config.json leaves a field out. */
export interface DecoderDefaults {
  context: number;
  normEpsilon: number;
  tiedEmbeddings?: boolean;
  /** Fields that give some maps biases in this family; other families' files may not set them. */
  biases?: readonly BiasField[];
}

/** The maps that a field of config.json gives a bias. */
const biasedBy = {
  attention_bias: ['attn.q', 'attn.k', 'attn.v', 'attn.o'],
  mlp_bias: ['mlp.gate', 'mlp.up', 'mlp.down'],
} as const;
type BiasField = keyof typeof biasedBy;

function readBiases(raw: RawConfiguration, honoured: readonly BiasField[] = []): string[] {
  return (['attention_bias', 'mlp_bias'] as const).flatMap((field) => {
    if (!honoured.includes(field)) oneOf(raw, field, [false]);
    return flag(raw, field, false) ? biasedBy[field] : [];
  });
}

/** The fields that most config.json files share; what a family has besides is put over the result. Errors: `BadConfiguration`, `UnsupportedRotary`. */
export function readDecoder(raw: RawConfiguration, family: string, defaults: DecoderDefaults): ModelConfiguration {
  const layers = layerCount(raw, 'num_hidden_layers');
  const hidden = count(raw, 'hidden_size');
  const heads = count(raw, 'num_attention_heads');
  const keyValueHeads = count(raw, 'num_key_value_heads', heads);
  if (raw.head_dim === undefined || raw.head_dim === null) divisible(hidden, heads, 'hidden_size must divide among the heads');
  divisible(heads, keyValueHeads, 'num_attention_heads must be a multiple of num_key_value_heads');
  const headSize = count(raw, 'head_dim', hidden / heads);
  divisible(headSize, 2, 'head_dim must be even for rotary positions');
  return {
    family,
    layers,
    heads,
    keyValueHeads,
    headSize,
    hidden,
    intermediate: count(raw, 'intermediate_size'),
    vocabulary: count(raw, 'vocab_size'),
    context: count(raw, 'max_position_embeddings', defaults.context),
    normEpsilon: positive(raw, 'rms_norm_eps', defaults.normEpsilon),
    rotary: readRotary(raw, headSize),
    tiedEmbeddings: flag(raw, 'tie_word_embeddings', defaults.tiedEmbeddings ?? false),
    ...plainAttention(layers, headSize),
    biases: readBiases(raw, defaults.biases),
  };
}

/** What most families have in common: full attention scaled by 1 / sqrt(head size) and then the MLP, nothing capped, clipped or with a bias. */
export function plainAttention(layers: number, headSize: number) {
  return {
    embeddingScale: 1,
    slidingWindows: Array<null>(layers).fill(null),
    attentionScale: headSize ** -0.5,
    attentionSoftcap: null,
    logitSoftcap: null,
    projectionClip: null,
    biases: [] as readonly string[],
    parallelResidual: false,
  };
}

/** Which parameters a family has besides the seven matrices of a layer, embedding and output matrix. */
export interface DecoderNames {
  /** File names of a layer's norms by role, as far as the family has them. */
  norms: Partial<Record<DecoderNorm, string>>;
  /** The norm before the head has a gain. */
  finalNorm: boolean;
}

type DecoderNorm = 'norm.attn' | 'norm.attn.q' | 'norm.attn.k' | 'norm.attn.after' | 'norm.mlp' | 'norm.mlp.after';

/** Before attention and before the MLP, under the names that most files have. */
export const preNorms = { 'norm.attn': 'input_layernorm', 'norm.mlp': 'post_attention_layernorm' } as const;

/** The table of `model.layers.N.self_attn.q_proj.weight` and its like. */
export function decoderParameters(configuration: ModelConfiguration, names: DecoderNames): ParameterTable {
  const { hidden, intermediate, heads, keyValueHeads, headSize, biases } = configuration;
  const [queries, keys] = [heads * headSize, keyValueHeads * headSize];
  const entry = (role: string, file: string, shape: number[], group: ParameterGroup): ParameterSpecification => ({
    role,
    name: `model.layers.{i}.${file}`,
    shape,
    group,
  });
  const norm = (role: DecoderNorm, size = hidden) => {
    const file = names.norms[role];
    return file ? [entry(role, `${file}.weight`, [size], 'norm')] : [];
  };
  const matrix = (role: string, file: string, output: number, input: number) => {
    const group = role.startsWith('attn.') ? 'attention' : 'mlp';
    const bias = biases.includes(role) ? [entry(`${role}.bias`, `${file}.bias`, [output], group)] : [];
    return [entry(role, `${file}.weight`, [output, input], group), ...bias];
  };
  const embedding = embeddingOf(configuration, 'model.embed_tokens.weight');
  return {
    embedding,
    block: [
      ...norm('norm.attn'),
      ...matrix('attn.q', 'self_attn.q_proj', queries, hidden),
      ...matrix('attn.k', 'self_attn.k_proj', keys, hidden),
      ...matrix('attn.v', 'self_attn.v_proj', keys, hidden),
      ...norm('norm.attn.q', queries),
      ...norm('norm.attn.k', keys),
      ...matrix('attn.o', 'self_attn.o_proj', hidden, queries),
      ...norm('norm.attn.after'),
      ...norm('norm.mlp'),
      ...matrix('mlp.gate', 'mlp.gate_proj', intermediate, hidden),
      ...matrix('mlp.up', 'mlp.up_proj', intermediate, hidden),
      ...matrix('mlp.down', 'mlp.down_proj', hidden, intermediate),
      ...norm('norm.mlp.after'),
    ],
    head: [
      ...(names.finalNorm ? [{ role: 'norm.final', name: 'model.norm.weight', shape: [hidden], group: 'norm' } as const] : []),
      outputOf(configuration, embedding),
    ],
  };
}

export function embeddingOf({ vocabulary, hidden }: ModelConfiguration, name: string): ParameterSpecification {
  return { role: 'embedding', name, shape: [vocabulary, hidden], group: 'embedding' };
}

/** The output matrix where it is not the embedding, in most families. */
export const usualOutputName = 'lm_head.weight';

/** The output matrix: the embedding where they are tied. */
export function outputOf(
  { tiedEmbeddings, vocabulary, hidden }: ModelConfiguration,
  embedding: ParameterSpecification,
  name = usualOutputName,
): ParameterSpecification {
  if (tiedEmbeddings) return { ...embedding, role: 'head' };
  return { role: 'head', name, shape: [vocabulary, hidden], group: 'head' };
}

/** What a family does between a projection and the rotation (of v: and attention). */
export type Preparation = (projected: Value, role: 'attn.q' | 'attn.k' | 'attn.v') => Value;

/** o(attention(rotate q(x), rotate k(x), v(x))); labels attn.in and attn.out, and those of its parts. */
export function rotaryAttention(
  context: BuildContext,
  x: Value,
  { prepare = (projected) => projected }: { prepare?: Preparation } = {},
): Value {
  const { heads, keyValueHeads } = context.configuration;
  const read = context.label('attn.in', x);
  const project = (role: Parameters<Preparation>[1]) => prepare(linear(context, read, role), role);
  const q = rotate(context, project('attn.q'), heads);
  const k = rotate(context, project('attn.k'), keyValueHeads);
  return context.label('attn.out', linear(context, attention(context, q, k, project('attn.v')), 'attn.o'));
}

/** h = x + o(attention(rms x)), y = h + down(silu(gate(rms h)) * up(rms h)). */
export function preNormBlock(context: BuildContext, x: Value): Value {
  return residualBlock(
    context,
    x,
    (input) => rotaryAttention(context, rmsNorm(context, input, 'norm.attn')),
    (middle) => gatedMlp(context, rmsNorm(context, middle, 'norm.mlp'), silu),
  );
}

/** The head and the kinds of layers, given the norm that stands before the head. */
export function headWith(
  norm: (context: BuildContext, x: Value) => Value,
): Pick<ModelFamily, 'finalNorm' | 'logits' | 'layerKind'> {
  return {
    finalNorm: (context, x) => context.label('final_norm', norm(context, x)),
    logits: (context, x) => softcap(context, linear(context, x, 'head'), context.configuration.logitSoftcap),
    layerKind: ({ slidingWindows }, layer) => {
      const window = slidingWindows[layer] ?? null;
      return window === null ? 'full' : `sliding ${window}`;
    },
  };
}
