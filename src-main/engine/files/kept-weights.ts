/**
 * Files of what a training learned: the trained values of the tensors that it changed, which take the place of a model's own, or the low-rank
 * adapters that it put on them. Nothing is added or subtracted, so what is read back is what was trained, bit for bit; a change is weight-sets.ts's.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { bytesOf, elementCount, type FloatTensor } from '../tensor.ts';
import type { Weights, WeightTensor } from '../weights.ts';
import { FileTensor } from './file-tensor.ts';
import { type LowRankChange, LowRankTensor } from './low-rank-tensor.ts';
import { SafetensorsFile, writeSafetensorsStreamed } from './safetensors.ts';
import { writeValues } from './weight-sets.ts';

/** `values`: of at least one tensor all values are kept; `low-rank`: of all of them adapters only. */
export type KeptForm = 'values' | 'low-rank';

/** What is to be written of one set of trained weights. */
export interface Keeping {
  form: KeptForm;
  /** Bytes of values; the file has a header on top. */
  bytes: number;
  /** By tensor: its values, or the adapters on the base's tensor, the one put on first coming first. */
  parts: ReadonlyMap<string, WeightTensor | readonly LowRankChange[]>;
}

/** An open file of what a training learned. */
export interface KeptWeights {
  /** sha256 of the model folder that it was trained from. */
  modelHash: string;
  /** The trained tensors, by name, on the tensors of the model they were trained from. Errors: `MissingTensor`, `WrongShape`. */
  trainedFrom(base: Weights): Map<string, WeightTensor>;
  /** Nothing is read any more. */
  close(): void;
}

const modelKey = 'hopscope.model';
const lowRankKey = 'hopscope.low_rank';

/** Bytes of a file up to which its tensors are read into memory. */
const memoryLimit = 2 ** 30;

/** What of `trained`, a full set, is not `base`'s own. Adapters that lie on `base`'s own tensors stay adapters. */
export function keepingOf(trained: Weights, base: Weights): Keeping {
  const parts = new Map<string, WeightTensor | readonly LowRankChange[]>();
  let bytes = 0;
  let form: KeptForm = 'low-rank';
  for (const [name, tensor] of trained) {
    const own = base.get(name);
    if (tensor === own) continue;
    const changes = changesOn(own, tensor);
    parts.set(name, changes ?? tensor);
    if (changes === null) form = 'values';
    bytes +=
      changes === null ? 4 * elementCount(tensor.shape) : changes.reduce((sum, { a, b }) => sum + 4 * (a.length + b.length), 0);
  }
  return { form, bytes, parts };
}

/** The adapters between a tensor and the one they were put on at last; null where there is anything else between them. */
function changesOn(base: WeightTensor | undefined, tensor: WeightTensor): LowRankChange[] | null {
  const changes: LowRankChange[] = [];
  let below = tensor;
  while (below instanceof LowRankTensor) {
    changes.unshift(below.change);
    below = below.base;
    if (below === base) return changes;
  }
  return null;
}

/** Writes it whole or not at all. Errors: `CannotWrite`, and those of where the values are kept. */
export async function writeKept(path: string, { parts }: Keeping, modelHash: string): Promise<void> {
  const lowRank: Record<string, { scale: number; inputFirst: boolean }[]> = {};
  const entries = [...parts].flatMap(([name, part]) => {
    if ('shape' in part) return [entryOf(name, part)];
    lowRank[name] = part.map(({ scale, inputFirst }) => ({ scale, inputFirst }));
    return part.flatMap(({ rank, a, b }, place) => {
      const matrix = (data: Float32Array, shape: number[]): FloatTensor => ({ type: 'float32', shape, data });
      return [
        entryOf(adapterName(name, place, 'A'), matrix(a, [rank, a.length / rank])),
        entryOf(adapterName(name, place, 'B'), matrix(b, [b.length / rank, rank])),
      ];
    });
  });
  const metadata = { format: 'pt', [modelKey]: modelHash, [lowRankKey]: JSON.stringify(lowRank) };
  await writeSafetensorsStreamed(path, entries, metadata, ({ tensor }, write) =>
    tensor.type === 'float32' ? write(bytesOf(tensor.data)) : writeValues(tensor, write),
  );
}

const entryOf = (name: string, tensor: WeightTensor) => ({ name, type: 'float32' as const, shape: tensor.shape, tensor });

const adapterName = (name: string, place: number, matrix: 'A' | 'B') => `${name}.lora_${matrix}.${place}`;

/** Whether a file's metadata say that it was written by `writeKept`. */
export const isKept = (metadata: ReadonlyMap<string, string>): boolean => metadata.has(modelKey);

/** Opens a file that `writeKept` has written; one of more than `limit` bytes stays open. Errors: `BadKeptWeights`, `BadSafetensors`, `CannotRead`. */
export function readKept(path: string, limit = memoryLimit): KeptWeights {
  const file = SafetensorsFile.open(path);
  let staysOpen = false;
  try {
    const { metadata, tensors } = file.header;
    const modelHash = metadata.get(modelKey);
    if (modelHash === undefined)
      throw new HopscopeError(
        'BadKeptWeights',
        `${path} is no file of what a run's training learned; such files are listed by "hopscope show".`,
      );
    const lowRank = lowRankOf(metadata.get(lowRankKey), path);
    const bytes = [...tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
    staysOpen = bytes > limit;
    const read = (name: string) => readFloat(file, name);
    const adapters = new Map(
      [...lowRank].map(([name, of]) => [
        name,
        of.map(({ scale, inputFirst }, place): LowRankChange => {
          const [a, b] = (['A', 'B'] as const).map((matrix) => read(adapterName(name, place, matrix)));
          return { rank: a!.shape[0]!, scale, inputFirst, a: a!.data, b: b!.data, generation: () => 0 };
        }),
      ]),
    );
    const ofAdapters = new Set(
      [...adapters].flatMap(([name, of]) =>
        of.flatMap((_, place) => [adapterName(name, place, 'A'), adapterName(name, place, 'B')]),
      ),
    );
    const names = [...tensors.keys()].filter((name) => !ofAdapters.has(name));
    const values = new Map<string, WeightTensor>(names.map((name) => [name, staysOpen ? fileTensor(file, name) : read(name)]));
    return { modelHash, trainedFrom: (base) => onBase(path, base, values, adapters), close: () => file.close() };
  } finally {
    if (!staysOpen) file.close();
  }
}

function onBase(
  path: string,
  base: Weights,
  values: Weights,
  adapters: ReadonlyMap<string, readonly LowRankChange[]>,
): Map<string, WeightTensor> {
  const own = (name: string): WeightTensor => {
    const tensor = base.get(name);
    if (tensor === undefined)
      throw new HopscopeError('MissingTensor', `${path}: the model has no tensor "${name}" that could be replaced.`);
    return tensor;
  };
  const trained = new Map<string, WeightTensor>();
  for (const [name, tensor] of values) {
    requireShape(path, name, own(name).shape, tensor.shape);
    trained.set(name, tensor);
  }
  for (const [name, changes] of adapters) {
    let tensor = own(name);
    for (const change of changes) {
      const [output, input] = [change.b.length / change.rank, change.a.length / change.rank];
      requireShape(path, name, tensor.shape, change.inputFirst ? [input, output] : [output, input]);
      tensor = new LowRankTensor(tensor, change);
    }
    trained.set(name, tensor);
  }
  return trained;
}

function requireShape(path: string, name: string, expected: readonly number[], given: readonly number[]): void {
  if (expected.join() === given.join()) return;
  throw new HopscopeError('WrongShape', `${path}: tensor "${name}" has shape [${given}], the model's has [${expected}].`);
}

function fileTensor(file: SafetensorsFile, name: string): FileTensor {
  requireFloat(file, name);
  return new FileTensor(file, name);
}

function readFloat(file: SafetensorsFile, name: string): FloatTensor {
  requireFloat(file, name);
  return file.read(name) as FloatTensor;
}

function requireFloat(file: SafetensorsFile, name: string): void {
  const { type, dtype } = file.info(name);
  if (type !== 'float32')
    throw new HopscopeError('UnsupportedDtype', `${file.path}: tensor "${name}" is ${dtype}; F32 is expected.`);
}

/** Errors: `BadKeptWeights`. */
function lowRankOf(text: string | undefined, path: string): Map<string, { scale: number; inputFirst: boolean }[]> {
  try {
    const entries = Object.entries(JSON.parse(text ?? '{}') as Record<string, unknown>);
    const isAdapter = (value: unknown) =>
      typeof value === 'object' &&
      value !== null &&
      'scale' in value &&
      Number.isFinite(value.scale) &&
      'inputFirst' in value &&
      typeof value.inputFirst === 'boolean';
    if (entries.some(([, list]) => !Array.isArray(list) || list.length === 0 || !list.every(isAdapter)))
      throw new TypeError('not a list of adapters');
    return new Map(entries as [string, { scale: number; inputFirst: boolean }[]][]);
  } catch (error) {
    throw new HopscopeError(
      'BadKeptWeights',
      `${path}: its list of low-rank adapters cannot be read (${(error as Error).message}).`,
    );
  }
}
