/**
 * What experiments say about trained changes of weights. Arithmetic on them, with their lineage, is engine/files/weight-sets.ts's.
 */

import { type Delta, norms } from '../engine/files/weight-sets.ts';
import type { Weights } from '../engine/weights.ts';

/** L2 norm of each parameter's change. */
export const deltaNorms = async (delta: Delta): Promise<Record<string, number>> => Object.fromEntries(await norms(delta));

/** The base with the trained values of the named parameters in place of its own: swapped, never added and subtracted. */
export const keptWeights = (base: Weights, trained: Weights, names: ReadonlySet<string>): Weights =>
  new Map([...base].map(([name, tensor]) => [name, names.has(name) ? trained.get(name)! : tensor]));
