/**
 * The OLMo family: h = x + o(attention(norm x)), y = h + down(silu(gate(norm h)) * up(norm h)), norm a LayerNorm without gain and bias.
 * Outputs of q, k and v are clamped to [-clip_qkv, clip_qkv] before the rotation. It reads the transformers layout (model_type olmo) only.
 */
import { gatedMlp, plainLayerNorm, residualBlock, silu } from './blocks.ts';
import { oneOf, positiveOrNull } from './configuration.ts';
import { decoderParameters, headWith, readDecoder, rotaryAttention } from './decoder.ts';
import type { ModelFamily } from './family.ts';

export const olmo: ModelFamily = {
  modelTypes: ['olmo'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    const configuration = readDecoder(raw, 'olmo', { context: 2048, normEpsilon: 1e-5, biases: ['attention_bias'] });
    // The norms' epsilon is fixed, whatever the file says
    return { ...configuration, normEpsilon: 1e-5, projectionClip: positiveOrNull(raw, 'clip_qkv') };
  },

  parameters: (configuration) => decoderParameters(configuration, { norms: {}, finalNorm: false }),

  block(context, x) {
    const { projectionClip: clip } = context.configuration;
    return residualBlock(
      context,
      x,
      (input) =>
        rotaryAttention(context, plainLayerNorm(context, input), {
          prepare: (projected) =>
            clip === null ? projected : context.graph.apply('Clip', [projected], { min: -clip, max: clip }),
        }),
      (middle) => gatedMlp(context, plainLayerNorm(context, middle), silu),
    );
  },

  ...headWith(plainLayerNorm),
};
