/**
 * Rotary position frequencies from config.json, in both spellings (`rope_theta` + `rope_scaling`, and `rope_parameters`), and their tables.
 * Scaling types that change with the sequence length are refused by name rather than approximated.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { positive, record } from './configuration.ts';
import type { RawConfiguration, Rotary } from './family.ts';

/** Frequencies for heads of `headSize`. Errors: `UnsupportedRotary`, `BadConfiguration`. */
export function readRotary(raw: RawConfiguration, headSize: number, defaultTheta = 10_000): Rotary {
  const parameters = record(raw, 'rope_parameters') ?? {};
  const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const kind = Object.keys(parameters).find((key) => isRecord(parameters[key]));
  if (kind !== undefined) {
    throw new HopscopeError(
      'UnsupportedRotary',
      `config.json: rope_parameters has rotary positions of its own for ${JSON.stringify(kind)}; one kind for all layers is supported.`,
    );
  }
  const scaling = record(raw, 'rope_scaling') ?? parameters;
  const theta = positive('rope_theta' in parameters ? parameters : raw, 'rope_theta', defaultTheta);
  const pairs = headSize / 2;
  const frequencies = Float64Array.from({ length: pairs }, (_, pair) => theta ** (-pair / pairs));
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  if (type === 'default') return { frequencies };
  if (type === 'linear') {
    const factor = positive(scaling, 'factor');
    return { frequencies: frequencies.map((frequency) => frequency / factor) };
  }
  if (type === 'llama3') return { frequencies: scaleLlama3(frequencies, scaling) };
  throw new HopscopeError(
    'UnsupportedRotary',
    `config.json: rope scaling of type ${JSON.stringify(type)} is not supported; default, linear and llama3 are.`,
  );
}

/**
 * Llama 3.1's scaling: wavelengths above `original / low` are stretched by `factor`, those below `original / high` kept, between them blended.
 * Source: transformers, `_compute_llama3_parameters`.
 */
function scaleLlama3(frequencies: Float64Array, scaling: RawConfiguration): Float64Array {
  const factor = positive(scaling, 'factor');
  const low = positive(scaling, 'low_freq_factor');
  const high = positive(scaling, 'high_freq_factor');
  const original = positive(scaling, 'original_max_position_embeddings');
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > original / low) return frequency / factor;
    if (wavelength < original / high) return frequency;
    const smooth = (original / wavelength - low) / (high - low);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}

/** cos and sin of position x frequency, each [positions, pairs]. */
export function rotaryTables({ frequencies }: Rotary, positions: number): { cos: Float32Array; sin: Float32Array } {
  const cos = new Float32Array(positions * frequencies.length);
  const sin = new Float32Array(cos.length);
  for (let position = 0; position < positions; position++) {
    frequencies.forEach((frequency, pair) => {
      // transformers rounds the angle to float32 before taking its cosine
      const angle = Math.fround(position * Math.fround(frequency));
      cos[position * frequencies.length + pair] = Math.cos(angle);
      sin[position * frequencies.length + pair] = Math.sin(angle);
    });
  }
  return { cos, sin };
}
