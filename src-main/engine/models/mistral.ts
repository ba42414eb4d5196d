/**
 * The Mistral family: Llama's equation, h = x + o(attention(rms x)), y = h + down(silu(gate(rms h)) * up(rms h)),
 * with attention of every layer limited to the last `sliding_window` positions where config.json has one. Mixtures of experts are not read.
 */
import { oneOf, slidingWindows } from './configuration.ts';
import { readDecoder } from './decoder.ts';
import type { ModelFamily } from './family.ts';
import { llama } from './llama.ts';

export const mistral: ModelFamily = {
  ...llama,
  modelTypes: ['mistral'],

  configure(raw) {
    oneOf(raw, 'hidden_act', ['silu']);
    const configuration = readDecoder(raw, 'mistral', { context: 131_072, normEpsilon: 1e-6 });
    return { ...configuration, slidingWindows: slidingWindows(raw, configuration.layers, () => true, 4096) };
  },
};
