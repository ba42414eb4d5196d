/**
 * The Qwen2 family (2 and 2.5): Llama's equation, h = x + o(attention(rms x)), y = h + down(silu(gate(rms h)) * up(rms h)), with biases on q, k
 * and v. Layers from `max_window_layers` on slide, but only where `use_sliding_window` is set. Mixtures of experts are not read.
 */
import { rmsNorm } from './blocks.ts';
import { flag, nonNegative, oneOf, slidingWindows } from './configuration.ts';
import { decoderParameters, headWith, preNormBlock, preNorms, readDecoder } from './decoder.ts';
import type { ModelConfiguration, ModelFamily } from './family.ts';

export const qwen2: ModelFamily = {
  modelTypes: ['qwen2'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    const configuration: ModelConfiguration = {
      ...readDecoder(raw, 'qwen2', { context: 32_768, normEpsilon: 1e-6 }),
      biases: ['attn.q', 'attn.k', 'attn.v'],
    };
    if (!flag(raw, 'use_sliding_window', false)) return configuration;
    const first = nonNegative(raw, 'max_window_layers', 28);
    return { ...configuration, slidingWindows: slidingWindows(raw, configuration.layers, (layer) => layer >= first, 4096) };
  },

  parameters: (configuration) => decoderParameters(configuration, { norms: preNorms, finalNorm: true }),

  block: (context, x) => preNormBlock(context, x),

  ...headWith((context, x) => rmsNorm(context, x, 'norm.final')),
};
