/**
 * What experiments say about trained changes of weights. Arithmetic on them, with their lineage, is engine/files/weight-sets.ts's.
 */
import { type Delta, norms } from '../engine/files/weight-sets.ts';

/** L2 norm of each parameter's change. */
export const deltaNorms = (delta: Delta): Record<string, number> => Object.fromEntries(norms(delta));
