/**
 * The trained parameters with their Adam moments on a device, where gradients are written and steps are taken in place. What must survive the device
 * is copied into memory when it is asked for, and from there it goes on in memory once the device is lost. It does not know where gradients come from.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { DeviceStage } from '../execution/device-stage.ts';
import type { RowGradient } from '../execution/embedding.ts';
import type { Executor } from '../execution/executor.ts';
import { weightOf } from '../execution/feeds.ts';
import type { GradientBuffer } from '../execution/gradient-sink.ts';
import { type Residence, ResidentTensor } from '../execution/resident-tensor.ts';
import { valuesOf } from '../files/values.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import type { Parameter } from '../models/parameters.ts';
import { DeviceAdam } from '../runtime/device-adam.ts';
import { outOfDeviceMemory } from '../runtime/device-errors.ts';
import type { DeviceMemory } from '../runtime/device-memory.ts';
import type { DeviceTensor } from '../runtime/device-tensor.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import { sliceRows, type Weights, type WeightTensor } from '../weights.ts';
import { AdamState, type SavedState } from './adam-state.ts';
import type { AdamSettings, OptimizerState } from './optimizer-state.ts';
import { StretchedTensor } from './stretched-tensor.ts';

/** A parameter, or a stretch of one. */
interface Entry {
  parameter: Parameter;
  residence: Residence;
  m: DeviceTensor<'float32'>;
  v: DeviceTensor<'float32'>;
}

export class DeviceState implements OptimizerState {
  readonly interrupted = null;
  readonly losses: readonly number[] = [];
  readonly weights: ReadonlyMap<string, WeightTensor>;
  readonly #parameters: readonly Parameter[];
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #gradients: ReadonlyMap<string, DeviceTensor<'float32'>>;
  readonly #memory: DeviceMemory;
  readonly #adam: DeviceAdam;
  readonly #settings: AdamSettings;
  readonly #keepsGradients: boolean;
  /** Rows of matrices that ever had a gradient, where only some had: what memory goes on with. */
  readonly #rows = new Map<string, Set<number>>();
  /** What took the device's place. */
  #host: AdamState | null = null;
  #step = 0;
  /** The step whose constants the device has. */
  #begun: AdamStep | null = null;

  private constructor(
    parameters: readonly Parameter[],
    weights: ReadonlyMap<string, WeightTensor>,
    entries: ReadonlyMap<string, Entry>,
    gradients: ReadonlyMap<string, DeviceTensor<'float32'>>,
    memory: DeviceMemory,
    settings: AdamSettings,
    keepsGradients: boolean,
  ) {
    this.#parameters = parameters;
    this.weights = weights;
    this.#entries = entries;
    this.#gradients = gradients;
    this.#memory = memory;
    this.#adam = new DeviceAdam(memory);
    this.#settings = settings;
    this.#keepsGradients = keepsGradients;
  }

  /**
   * Copies the parameters' values from `base`; moments start at 0. Errors: `MissingTensor`; `OutOfDeviceMemory` where the device does not hold all of
   * it and the largest group of other weights besides.
   */
  static async create(
    executor: Executor,
    stage: DeviceStage,
    parameters: readonly Parameter[],
    base: Weights,
    settings: AdamSettings,
  ): Promise<DeviceState> {
    const memory = await stage.memory();
    const keepsGradients = executor.mode === 'whole';
    const taken: DeviceTensor<'float32'>[] = [];
    const take = async (name: string, source: (memory: DeviceMemory) => DeviceTensor<'float32'>) => {
      const tensor = await stage.room(name, source);
      taken.push(tensor);
      return tensor;
    };
    const entries = new Map<string, Entry>();
    const gradients = new Map<string, DeviceTensor<'float32'>>();
    const weights = new Map<string, WeightTensor>();
    try {
      for (const whole of parameters) {
        const { name } = whole;
        const tensors: ResidentTensor[] = [];
        for (const parameter of partsOf(executor, whole)) {
          const { shape, firstRow } = parameter;
          const source = weightOf(base, name);
          const values = await valuesOf(firstRow === undefined ? source : sliceRows(source, firstRow, shape[0]!));
          const device = await take(`${name} in training`, (given) => given.upload(values));
          const [m, v] = [
            await take(`the moments of ${name}`, (given) => given.allocate('float32', shape)),
            await take(`the moments of ${name}`, (given) => given.allocate('float32', shape)),
          ];
          const residence: Residence = { device, host: null, changes: 0 };
          entries.set(entryKey(parameter), { parameter, residence, m, v });
          tensors.push(new ResidentTensor(memory, residence));
          const key = gradientKey(parameter, keepsGradients);
          if (!gradients.has(key))
            gradients.set(key, await take(`the gradient of ${name}`, (given) => given.allocate('float32', shape)));
        }
        weights.set(name, tensors.length === 1 ? tensors[0]! : new StretchedTensor(tensors, 0, whole.shape[0]!));
      }
      const besides = largestGroup(executor, weights);
      if (memory.left < besides)
        throw outOfDeviceMemory(`Beside what is trained there are ${memory.left} bytes left, and ${besides} are needed`);
    } catch (error) {
      for (const tensor of taken) tensor.dispose();
      throw error;
    }
    return new DeviceState(parameters, weights, entries, gradients, memory, settings, keepsGradients);
  }

  get steps(): number {
    return this.#host?.steps ?? this.#step;
  }

  /** Whether all of it is on the device still. */
  get isOnDevice(): boolean {
    return this.#host === null;
  }

  gradientBuffer(parameter: Parameter): GradientBuffer | null {
    if (this.#host) return this.#host.gradientBuffer(parameter);
    return this.#gradients.get(gradientKey(parameter, this.#keepsGradients))!;
  }

  begin(): void {
    if (this.#host) this.#host.begin();
    else this.#step++;
  }

  async prepare(): Promise<void> {}

  async reached(): Promise<void> {}

  async end(): Promise<void> {}

  async update(parameter: Parameter, gradient: GradientBuffer, step: AdamStep): Promise<void> {
    if (gradient instanceof Float32Array) {
      this.#host!.update(parameter, gradient, step);
      return;
    }
    if (this.#begun !== step) this.#adam.begin(step);
    this.#begun = step;
    const { residence, m, v } = this.#entry(parameter);
    const decays = this.#settings.decayed === 'all' || parameter.shape.length > 1;
    await this.#adam.update({ weight: residence.device, m, v }, gradient, decays);
    residence.changes++;
  }

  async updateRows(parameter: Parameter, gradient: RowGradient, step: AdamStep): Promise<void> {
    if (this.#host) this.#host.updateRows(parameter, gradient, step);
    else await this.update(parameter, await this.gradientOfRows(parameter, gradient), step);
  }

  /** The gradient of a matrix of which only some rows have one, on the device. */
  async gradientOfRows(parameter: Parameter, { rows, values }: RowGradient): Promise<GradientBuffer> {
    const buffer = this.gradientBuffer(parameter) as DeviceTensor<'float32'>;
    await this.#adam.addRows(buffer, rows, values, true);
    const touched = this.#rows.get(parameter.name) ?? new Set();
    for (const row of rows) touched.add(row);
    this.#rows.set(parameter.name, touched);
    return buffer;
  }

  /** Adds rows of a matrix to the gradient of it, or of a stretch of it. */
  async addRows(parameter: Parameter, { rows, values }: RowGradient): Promise<void> {
    const { firstRow = 0, shape } = parameter;
    const [count, width] = shape as [number, number];
    const within = [...rows.keys()].filter((index) => rows[index]! >= firstRow && rows[index]! < firstRow + count);
    if (within.length === 0) return;
    const own = new Float32Array(within.length * width);
    within.forEach((index, place) => {
      own.set(values.subarray(index * width, (index + 1) * width), place * width);
    });
    const moved = Int32Array.from(within, (index) => rows[index]! - firstRow);
    await this.#adam.addRows(this.gradientBuffer(parameter) as DeviceTensor<'float32'>, moved, own, false);
  }

  /** Sum of squares of a gradient, for norm clipping; on the device in float32. */
  async sumOfSquares(name: string, gradient: GradientBuffer): Promise<number> {
    return gradient instanceof Float32Array ? this.#host!.sumOfSquares(name, gradient) : this.#adam.sumOfSquares(gradient);
  }

  /** A gradient as it is now, in memory. */
  readGradient(gradient: DeviceTensor<'float32'>): Float32Array {
    return this.#read(gradient).data;
  }

  /** Copies of the trained parameters as they are now. */
  copies(): Map<string, FloatTensor> {
    return this.#gather(({ residence: { device, host } }) => host ?? this.#read(device));
  }

  /** Copies of weights, moments and touched rows, to go on later. */
  state(): SavedState {
    if (this.#host) return this.#host.state();
    const tensors = this.copies();
    for (const [name, tensor] of this.#gather(({ m }) => this.#read(m))) tensors.set(`adam.m.${name}`, tensor);
    for (const [name, tensor] of this.#gather(({ v }) => this.#read(v))) tensors.set(`adam.v.${name}`, tensor);
    const rows = Object.fromEntries([...this.#rows].map(([name, touched]) => [name, [...touched]]));
    return { step: this.#step, tensors, rows };
  }

  /** Goes back to a saved state. Errors: `MissingTensor`. */
  restore(state: SavedState): void {
    if (this.#host) {
      this.#host.restore(state);
      return;
    }
    for (const { parameter, residence, m, v } of this.#entries.values()) {
      const { name } = parameter;
      this.#memory.write(savedPart(state, name, parameter), residence.device);
      this.#memory.write(savedPart(state, `adam.m.${name}`, parameter), m);
      this.#memory.write(savedPart(state, `adam.v.${name}`, parameter), v);
      residence.changes++;
    }
    this.#rows.clear();
    for (const [name, rows] of Object.entries(state.rows)) this.#rows.set(name, new Set(rows));
    this.#step = state.step;
  }

  /** Whoever has the weights keeps `keeper` from being forgotten: it knows how to go on when the device is lost. */
  keptBy(keeper: object): void {
    for (const { residence } of this.#entries.values()) residence.keeper = keeper;
  }

  /** Goes on in memory, from a saved state or the beginning: what the device has is not read any more. */
  async retreat(base: Weights, saved: SavedState | null): Promise<void> {
    const host = await AdamState.create(this.#parameters, base, this.#settings, this.#keepsGradients);
    if (saved) host.restore(saved);
    const { weights } = host;
    for (const { parameter, residence } of this.#entries.values()) {
      const values = weights.get(parameter.name)!;
      const { firstRow = 0, shape } = parameter;
      const start = firstRow * (shape[1] ?? 1);
      residence.host = floatTensor(shape, values.data.subarray(start, start + elementCount(shape)));
      residence.changes++;
    }
    this.#host = host;
  }

  async settle(): Promise<void> {
    for (const { m, v } of this.#entries.values()) {
      m.dispose();
      v.dispose();
    }
    for (const gradient of this.#gradients.values()) gradient.dispose();
    this.#adam.release();
  }

  async remove(): Promise<void> {
    await this.settle();
    for (const { residence } of this.#entries.values()) residence.device.dispose();
  }

  #entry(parameter: Parameter): Entry {
    const entry = this.#entries.get(entryKey(parameter));
    if (!entry) throw new HopscopeError('NotTrained', `${parameter.name} is not among the trained parameters.`, 'failure');
    return entry;
  }

  #read(tensor: DeviceTensor<'float32'>): FloatTensor {
    const copy = floatTensor(tensor.shape);
    this.#memory.read(tensor, copy);
    return copy;
  }

  /** By name, what is in stretches put together. */
  #gather(of: (entry: Entry) => FloatTensor): Map<string, FloatTensor> {
    const gathered = new Map(this.#parameters.map(({ name, shape }) => [name, floatTensor(shape)]));
    for (const entry of this.#entries.values()) {
      const { name, firstRow = 0, shape } = entry.parameter;
      gathered.get(name)!.data.set(of(entry).data, firstRow * (shape[1] ?? 1));
    }
    return gathered;
  }
}

const entryKey = ({ name, firstRow = 0 }: Parameter): string => `${name} ${firstRow}`;

/** Blocks take turns with one gradient per role, stretches of a size likewise; the whole model at once has one for each. */
function gradientKey({ name, role, layer, shape }: Parameter, isWhole: boolean): string {
  return isWhole || layer === null ? `${name} ${shape[0]}` : role;
}

/** Block by block a matrix that is taken in stretches trains in them. */
const partsOf = ({ mode, head }: Executor, parameter: Parameter): readonly Parameter[] =>
  mode === 'blocks' ? head.partsOf(parameter) : [parameter];

/** Bytes of the largest group of weights that programs need at once and that are not trained. */
function largestGroup({ mode, outline: { parameters } }: Executor, trained: ReadonlyMap<string, unknown>): number {
  const bytes = (group: readonly Parameter[]) =>
    group.reduce((sum, { name, shape }) => sum + (trained.has(name) ? 0 : elementCount(shape) * 4), 0);
  const groups = [...parameters.blocks, parameters.head];
  return mode === 'whole' ? bytes(groups.flat()) : Math.max(...groups.map(bytes));
}

/** Errors: `MissingTensor`. */
function savedPart({ tensors }: SavedState, name: string, { firstRow = 0, shape }: Parameter): FloatTensor {
  const saved = tensors.get(name);
  const start = firstRow * (shape[1] ?? 1);
  const values = saved?.data.subarray(start, start + elementCount(shape));
  if (values?.length !== elementCount(shape))
    throw new HopscopeError('MissingTensor', `The saved training state has no ${name}.`);
  return floatTensor(shape, values);
}
