/**
 * The small world's weights before the first step, drawn from the recipe's seed.
 * Names and shapes come from the model family; nothing is trained here.
 */
import type { ModelOutline } from '../engine/execution/programs.ts';
import { elementCount, type FloatTensor, floatTensor } from '../engine/tensor.ts';
import type { Random } from '../shared/random.ts';
import type { Recipe } from './recipe.ts';

/** Roles of the matrices that write to the residual stream. */
const residualWriters = new Set(['attn.o', 'mlp.down']);

/** One stream per parameter, so that a parameter's values depend on its name and the seed alone. */
export function initialWeights(
  { parameters, configuration }: ModelOutline,
  recipe: Recipe,
  random: Random,
): Map<string, FloatTensor> {
  return new Map(
    parameters.all.map(({ name, role, shape, group }) => {
      const data = new Float32Array(elementCount(shape));
      if (group === 'norm') data.fill(1);
      else {
        const depth = residualWriters.has(role) ? 2 * configuration.layers : 1;
        const deviation = group === 'embedding' ? recipe.initialization.embedding : (shape[1]! * depth) ** -0.5;
        const stream = random.fork(name);
        for (let index = 0; index < data.length; index++) data[index] = stream.normal() * deviation;
      }
      return [name, floatTensor(shape, data)] as const;
    }),
  );
}
