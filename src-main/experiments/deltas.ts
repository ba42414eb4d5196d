/**
 * What experiments say and do with trained changes of weights: their sizes, and sums of changes that are meant to be combined.
 * Files of changes, with their lineage, are engine/files/weight-sets.ts's.
 */
import type { Weights } from '../engine/execution/executor.ts';
import { type FloatTensor, floatTensor } from '../engine/tensor.ts';

/** Changes by parameter name. */
export type WeightChange = ReadonlyMap<string, FloatTensor>;

/** L2 norm of each parameter's change. */
export function deltaNorms(change: WeightChange): Record<string, number> {
  const norm = ({ data }: FloatTensor) => {
    let squares = 0;
    for (const value of data) squares += value * value;
    return Math.sqrt(squares);
  };
  return Object.fromEntries([...change].map(([name, tensor]) => [name, norm(tensor)]));
}

/** A new set of weights: the base plus all changes. The base stays as it is. */
export function withChanges(base: Weights, changes: readonly WeightChange[]): Map<string, FloatTensor> {
  const result = new Map(base);
  for (const change of changes) {
    for (const [name, { shape, data }] of change) {
      const before = result.get(name)!.data;
      result.set(
        name,
        floatTensor(
          shape,
          data.map((value, index) => before[index]! + value),
        ),
      );
    }
  }
  return result;
}
