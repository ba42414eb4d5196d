/**
 * Seals what was expected of a run with its time and a hash, when the run is stored. Whether the seal still fits is for the reader to see.
 */
import { createHash } from 'node:crypto';
import { type Seal, sealedText } from '../shared/prediction-seal.ts';
import type { Json } from '../shared/records.ts';

/** The prediction with its seal; one that is no object has no place for it and stays as it is. */
export function sealed(run: string, time: string, prediction: Json): Json {
  if (typeof prediction !== 'object' || prediction === null || Array.isArray(prediction)) return prediction;
  const hash = createHash('sha256')
    .update(sealedText(run, time, prediction))
    .digest('hex');
  return { ...prediction, seal: { time, hash } satisfies Seal };
}
