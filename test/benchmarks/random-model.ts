/**
 * Writes a model folder with random weights for a configuration; both sides read it. It has no tokenizer and is no model of anything.
 */
import { writeModelFolder } from '../../src-main/engine/files/model-folder.ts';
import { familyOf } from '../../src-main/engine/models/index.ts';
import { listParameters } from '../../src-main/engine/models/parameters.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';

/** Norms are 1; all else is uniform with the deviation 1/sqrt(inputs) (embeddings 0.02), from one xorshift sequence. */
export function writeRandomModel(folder: string, config: Record<string, unknown>): void {
  const family = familyOf(config);
  const parameters = listParameters(family, family.configure(config));
  let state = 2463534242;
  const tensors = new Map<string, FloatTensor>(
    parameters.all.map(({ name, group, shape }) => {
      const data = new Float32Array(elementCount(shape));
      if (group === 'norm') return [name, floatTensor(shape, data.fill(1))];
      const deviation = group === 'embedding' ? 0.02 : shape[1]! ** -0.5;
      // A uniform number in [-1, 1) has the deviation 1 / sqrt(3)
      const scale = (deviation * Math.sqrt(3)) / 2 ** 31;
      for (let index = 0; index < data.length; index++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        data[index] = state * scale;
      }
      return [name, floatTensor(shape, data)];
    }),
  );
  writeModelFolder(folder, { config, tensors, tokenizerFiles: {} });
}
