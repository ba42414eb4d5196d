/**
 * Reads the other set of weights that a command compares a model with: a folder of the same model, or a file of tensors in place of the model's.
 * A delta is refused rather than taken for weights.
 */
import { statSync } from 'node:fs';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { openCheckpoint } from '../engine/files/checkpoint.ts';
import { FileTensor } from '../engine/files/file-tensor.ts';
import { SafetensorsFile } from '../engine/files/safetensors.ts';
import { isDelta } from '../engine/files/weight-sets.ts';
import { widenPlainly } from '../engine/files/widening.ts';
import { familyOf } from '../engine/models/index.ts';
import type { Model } from '../engine/models/model.ts';
import { elementCount, type FloatTensor, floatTensor, type Tensor } from '../engine/tensor.ts';
import type { Weights, WeightTensor } from '../engine/weights.ts';
import { HopscopeError } from '../shared/errors.ts';

/**
 * A full set: what `path` has, for the rest the tensors of `weights`. What takes more than `limit` bytes stays in its files, which then stay open. Errors: those of model folders and safetensors files;
 * `OtherModel`, `MissingTensor`, `WrongShape`, `UnknownTensor`, `UnsupportedDtype`, `DeltaNotWeights`.
 */
export function readNewWeights(path: string, model: Model, weights: Weights, limit = Number.POSITIVE_INFINITY): Weights {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? readFolder(path, model, limit) : new Map([...weights, ...readReplaced(path, model, limit)]);
}

function readFolder(path: string, model: Model, limit: number): Weights {
  const checkpoint = openCheckpoint(path);
  let staysOpen = false;
  try {
    const configuration = familyOf(checkpoint.config).configure(checkpoint.config);
    if (JSON.stringify(configuration) !== JSON.stringify(model.configuration)) {
      throw new HopscopeError(
        'OtherModel',
        `${path}: its config.json is not that of ${model.folder}; scores compare two sets of weights of one model.`,
      );
    }
    for (const { name, shape } of model.parameters.all) {
      const info = checkpoint.tensors.get(name);
      if (!info) throw new HopscopeError('MissingTensor', `${path} has no tensor ${name}.`);
      requireShape(path, name, info.shape, shape);
    }
    const weights = loadWeights({ ...model, checkpoint }, limit);
    staysOpen = [...weights.values()].some(({ type }) => type === 'stored');
    return weights;
  } finally {
    if (!staysOpen) checkpoint.close();
  }
}

function readReplaced(path: string, model: Model, limit: number): Map<string, WeightTensor> {
  const file = SafetensorsFile.open(path);
  const elements = [...file.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const staysOpen = elements * 4 > limit;
  try {
    if (isDelta(file.header.metadata)) {
      throw new HopscopeError(
        'DeltaNotWeights',
        `${path} holds a change of weights, not weights; give the weights.safetensors of the same training.`,
      );
    }
    const shapes = new Map(model.parameters.all.map(({ name, shape }) => [name, shape]));
    const replaced = new Map<string, WeightTensor>();
    for (const [name, info] of file.tensors) {
      const shape = shapes.get(name);
      if (!shape) {
        if (model.checkpoint.tensors.has(name)) continue;
        throw new HopscopeError(
          'UnknownTensor',
          `${path}: the model has no parameter ${JSON.stringify(name)} that could be replaced.`,
        );
      }
      requireShape(path, name, info.shape, shape);
      replaced.set(name, staysOpen ? new FileTensor(file, name) : widened(path, name, file.read(name)));
    }
    return replaced;
  } finally {
    if (!staysOpen) file.close();
  }
}

function requireShape(path: string, name: string, given: readonly number[], expected: readonly number[]): void {
  if (given.join() === expected.join()) return;
  throw new HopscopeError(
    'WrongShape',
    `${path}: tensor ${name} has shape [${given.join(', ')}], the model's has [${expected.join(', ')}].`,
  );
}

function widened(path: string, name: string, { type, shape, data }: Tensor): FloatTensor {
  if (type === 'float32') return floatTensor(shape, data as Float32Array);
  if (type !== 'bfloat16' && type !== 'float16') {
    throw new HopscopeError('UnsupportedDtype', `${path}: tensor ${name} is ${type}; weights may be F32, BF16 or F16.`);
  }
  const target = new Float32Array(elementCount(shape));
  widenPlainly(type, data as Uint16Array, target);
  return floatTensor(shape, target);
}
