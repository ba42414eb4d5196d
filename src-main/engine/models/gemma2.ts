/**
 * The Gemma 2 family: h = x + rms(o(attention(rms x))), y = h + rms(down(gelu(gate(rms h)) * up(rms h))), every rms with gain 1 + w,
 * on embeddings times sqrt(d). Attention slides on layers 0, 2, ...; attention scores and logits pass c tanh(s / c). `mlp.out` is the value before the norm.
 */
import type { Value } from '../graph/graph.ts';
import { gatedMlp, residualBlock, rmsNorm, tanhGelu } from './blocks.ts';
import { oneOf, positive, positiveOrNull, slidingWindows } from './configuration.ts';
import { decoderParameters, headWith, readDecoder, rotaryAttention } from './decoder.ts';
import type { BuildContext, ModelFamily } from './family.ts';

/** RMS norm with gain 1 + w. */
function norm(context: BuildContext, x: Value, role: string): Value {
  return rmsNorm(context, x, role, context.graph.add(context.weight(role), context.graph.scalar(1)));
}

export const gemma2: ModelFamily = {
  modelTypes: ['gemma2'],

  configure(raw) {
    oneOf(raw, 'hidden_activation', ['gelu_pytorch_tanh']);
    const configuration = readDecoder(raw, 'gemma2', {
      context: 8192,
      normEpsilon: 1e-6,
      tiedEmbeddings: true,
      biases: ['attention_bias'],
    });
    return {
      ...configuration,
      // A float32 constant in transformers too
      embeddingScale: Math.fround(Math.sqrt(configuration.hidden)),
      slidingWindows: slidingWindows(raw, configuration.layers, (layer) => layer % 2 === 0, 4096),
      attentionScale: positive(raw, 'query_pre_attn_scalar', 256) ** -0.5,
      attentionSoftcap: positiveOrNull(raw, 'attn_logit_softcapping'),
      logitSoftcap: positiveOrNull(raw, 'final_logit_softcapping'),
    };
  },

  parameters: (configuration) =>
    decoderParameters(configuration, {
      norms: {
        'norm.attn': 'input_layernorm',
        'norm.attn.after': 'post_attention_layernorm',
        'norm.mlp': 'pre_feedforward_layernorm',
        'norm.mlp.after': 'post_feedforward_layernorm',
      },
      finalNorm: true,
    }),

  block: (context, x) =>
    residualBlock(
      context,
      x,
      (input) => norm(context, rotaryAttention(context, norm(context, input, 'norm.attn')), 'norm.attn.after'),
      (middle) => norm(context, gatedMlp(context, norm(context, middle, 'norm.mlp'), tanhGelu), 'norm.mlp.after'),
    ),

  ...headWith((context, x) => norm(context, x, 'norm.final')),
};
