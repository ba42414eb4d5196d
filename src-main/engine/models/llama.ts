/**
 * The Llama family (2, 3, 3.1, 3.2 and the small world): RMS norms, rotary positions, grouped attention, gated SiLU MLP, tied or untied head.
 * One file describes a family; how its programs are run is elsewhere.
 */
import { attention, gatedMlp, linear, rmsNorm, rotate, wantedRows } from './blocks.ts';
import { count, divisible, flag, oneOf, positive } from './configuration.ts';
import type { ModelFamily } from './family.ts';
import { readRotary } from './rotary.ts';

export const llama: ModelFamily = {
  modelTypes: ['llama'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    oneOf(raw, 'attention_bias', [false]);
    oneOf(raw, 'mlp_bias', [false]);
    const hidden = count(raw, 'hidden_size');
    const heads = count(raw, 'num_attention_heads');
    const keyValueHeads = count(raw, 'num_key_value_heads', heads);
    if (raw.head_dim === undefined || raw.head_dim === null) divisible(hidden, heads, 'hidden_size must divide among the heads');
    divisible(heads, keyValueHeads, 'num_attention_heads must be a multiple of num_key_value_heads');
    const headSize = count(raw, 'head_dim', hidden / heads);
    divisible(headSize, 2, 'head_dim must be even for rotary positions');
    return {
      family: 'llama',
      layers: count(raw, 'num_hidden_layers'),
      heads,
      keyValueHeads,
      headSize,
      hidden,
      intermediate: count(raw, 'intermediate_size'),
      vocabulary: count(raw, 'vocab_size'),
      context: count(raw, 'max_position_embeddings', 2048),
      normEpsilon: positive(raw, 'rms_norm_eps', 1e-6),
      rotary: readRotary(raw, headSize),
      tiedEmbeddings: flag(raw, 'tie_word_embeddings', false),
      embeddingScale: 1,
    };
  },

  parameters({ hidden, intermediate, heads, keyValueHeads, headSize, vocabulary, tiedEmbeddings }) {
    const block = 'model.layers.{i}';
    const embedding = {
      role: 'embedding',
      name: 'model.embed_tokens.weight',
      shape: [vocabulary, hidden],
      group: 'embedding',
    } as const;
    return {
      embedding,
      block: [
        { role: 'norm.attn', name: `${block}.input_layernorm.weight`, shape: [hidden], group: 'norm' },
        { role: 'attn.q', name: `${block}.self_attn.q_proj.weight`, shape: [heads * headSize, hidden], group: 'attention' },
        {
          role: 'attn.k',
          name: `${block}.self_attn.k_proj.weight`,
          shape: [keyValueHeads * headSize, hidden],
          group: 'attention',
        },
        {
          role: 'attn.v',
          name: `${block}.self_attn.v_proj.weight`,
          shape: [keyValueHeads * headSize, hidden],
          group: 'attention',
        },
        { role: 'attn.o', name: `${block}.self_attn.o_proj.weight`, shape: [hidden, heads * headSize], group: 'attention' },
        { role: 'norm.mlp', name: `${block}.post_attention_layernorm.weight`, shape: [hidden], group: 'norm' },
        { role: 'mlp.gate', name: `${block}.mlp.gate_proj.weight`, shape: [intermediate, hidden], group: 'mlp' },
        { role: 'mlp.up', name: `${block}.mlp.up_proj.weight`, shape: [intermediate, hidden], group: 'mlp' },
        { role: 'mlp.down', name: `${block}.mlp.down_proj.weight`, shape: [hidden, intermediate], group: 'mlp' },
      ],
      head: [
        { role: 'norm.final', name: 'model.norm.weight', shape: [hidden], group: 'norm' },
        tiedEmbeddings
          ? { ...embedding, role: 'head' }
          : { role: 'head', name: 'lm_head.weight', shape: [vocabulary, hidden], group: 'head' },
      ],
    };
  },

  // x + o(attention(norm x)), then + mlp(norm ...)
  block(context, x) {
    const { graph, configuration } = context;
    const normed = context.label('attn.in', rmsNorm(context, x, 'norm.attn'));
    const q = rotate(context, linear(context, normed, 'attn.q'), configuration.heads);
    const k = rotate(context, linear(context, normed, 'attn.k'), configuration.keyValueHeads);
    const v = linear(context, normed, 'attn.v');
    const attended = context.label('attn.out', linear(context, attention(context, q, k, v), 'attn.o'));
    const middle = graph.add(wantedRows(context, x), attended);
    return graph.add(middle, gatedMlp(context, context.label('mlp.in', rmsNorm(context, middle, 'norm.mlp'))));
  },

  finalNorm: (context, x) => context.label('final_norm', rmsNorm(context, x, 'norm.final')),

  logits: (context, x) => linear(context, x, 'head'),

  layerKind: () => 'block',
};
