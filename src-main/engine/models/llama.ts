/**
 * The Llama family (2, 3, 3.1, 3.2 and the small world): h = x + o(attention(rms x)), y = h + down(silu(gate(rms h)) * up(rms h)).
 * Rotary positions, grouped attention, tied or untied head. One file describes a family; how its programs are run is elsewhere.
 */
import { rmsNorm } from './blocks.ts';
import { oneOf } from './configuration.ts';
import { decoderParameters, headWith, preNormBlock, preNorms, readDecoder } from './decoder.ts';
import type { ModelFamily } from './family.ts';

export const llama: ModelFamily = {
  modelTypes: ['llama'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    return readDecoder(raw, 'llama', { context: 2048, normEpsilon: 1e-6, biases: ['attention_bias', 'mlp_bias'] });
  },

  parameters: (configuration) => decoderParameters(configuration, { norms: preNorms, finalNorm: true }),

  block: (context, x) => preNormBlock(context, x),

  ...headWith((context, x) => rmsNorm(context, x, 'norm.final')),
};
