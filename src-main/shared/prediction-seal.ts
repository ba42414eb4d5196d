/**
 * What is hashed to seal a prediction: its own words, the run it was made for and when. Whoever has the run can hash it again; it shows
 * that a stored prediction was changed later, not who changed it.
 */
import { canonicalJson } from './canonical-json.ts';
import type { Json } from './records.ts';

/** Stored with a prediction under `seal`. */
export interface Seal {
  /** ISO 8601, UTC. */
  time: string;
  /** sha256 of `sealedText`, in hexadecimal digits. */
  hash: string;
}

/** The text under the seal; a `seal` that the prediction has already is no part of it. */
export function sealedText(run: string, time: string, prediction: { readonly [name: string]: Json }): string {
  const { seal: _seal, ...words } = prediction;
  return canonicalJson({ prediction: words, run, time });
}
