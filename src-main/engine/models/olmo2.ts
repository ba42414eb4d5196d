/**
 * The OLMo 2 family: h = x + rms(o(attention(x))), y = h + rms(down(silu(gate(h)) * up(h))): norms stand after attention and MLP, not before.
 * The whole q and k projections are RMS-normed before they are split into heads and rotated. `mlp.out` is the value before the norm.
 */
import { gatedMlp, residualBlock, rmsNorm, silu } from './blocks.ts';
import { oneOf } from './configuration.ts';
import { decoderParameters, headWith, readDecoder, rotaryAttention } from './decoder.ts';
import type { ModelFamily } from './family.ts';

export const olmo2: ModelFamily = {
  modelTypes: ['olmo2'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    return readDecoder(raw, 'olmo2', { context: 2048, normEpsilon: 1e-5, biases: ['attention_bias'] });
  },

  parameters: (configuration) =>
    decoderParameters(configuration, {
      norms: {
        'norm.attn.q': 'self_attn.q_norm',
        'norm.attn.k': 'self_attn.k_norm',
        'norm.attn.after': 'post_attention_layernorm',
        'norm.mlp.after': 'post_feedforward_layernorm',
      },
      finalNorm: true,
    }),

  block: (context, x) =>
    residualBlock(
      context,
      x,
      (input) => {
        const attended = rotaryAttention(context, input, {
          prepare: (projected, role) => (role === 'attn.v' ? projected : rmsNorm(context, projected, `norm.${role}`)),
        });
        return rmsNorm(context, attended, 'norm.attn.after');
      },
      (middle) => rmsNorm(context, gatedMlp(context, middle, silu), 'norm.mlp.after'),
    ),

  ...headWith((context, x) => rmsNorm(context, x, 'norm.final')),
};
