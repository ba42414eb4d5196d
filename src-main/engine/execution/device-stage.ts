/**
 * Weights and values between programs on a device: copies of weights stay there as long as there is room, the least recently used go first, and what
 * is trained there is fed as it lies. When the device fails it goes on in the CPU's memory. It trains nothing and runs no program of a model.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter } from '../models/parameters.ts';
import type { DeviceName } from '../runtime/device.ts';
import { limitIn } from '../runtime/device-errors.ts';
import { DeviceMemory } from '../runtime/device-memory.ts';
import { type AnyTensor, DeviceTensor } from '../runtime/device-tensor.ts';
import { reclaimMemories } from '../runtime/reclaim.ts';
import { keepsTensors } from '../runtime/session.ts';
import { floatTensor } from '../tensor.ts';
import type { WeightTensor } from '../weights.ts';
import { weightOf } from './feeds.ts';
import { halvesOf } from './half-weights.ts';
import { ResidentTensor } from './resident-tensor.ts';
import type { Stage } from './stage.ts';
import { type Wanted, WeightStage } from './weight-stage.ts';

/** What has values on the device that must be brought back from elsewhere when it is lost. */
export interface Recoverable {
  recover(): Promise<void>;
}

/** A weight's copy on the device. */
interface Copy {
  tensor: DeviceTensor;
  generation: number | undefined;
}

interface Named {
  tensor: WeightTensor;
  /** What errors call it. */
  name: string;
}

export interface DeviceStageSettings {
  /** Bytes of the device to be used at most; default: until the device has no more. */
  deviceBytes?: number | undefined;
  /** Told when the device failed and the work goes on without it; absent: failures are errors, and nothing goes on. */
  onDeviceFailure?: ((message: string) => void) | undefined;
  /** Opens the device's memory; others than the device's own are for tests. */
  open?: (device: DeviceName) => Promise<DeviceMemory>;
}

/** Collections find what is forgotten, and are not worth their time more often than this, in milliseconds. */
const betweenCollections = 1000;

export class DeviceStage implements Stage {
  readonly #device: DeviceName;
  readonly #settings: DeviceStageSettings;
  /** Where weights that are not in memory are brought to on their way. */
  readonly #inner = new WeightStage();
  /** By what the values lie in: the tensor, or the buffer and where in it. */
  readonly #copies = new WeakMap<object, Map<string, Copy>>();
  /** The least recently used first. They do not refer to the weights, which may be forgotten. */
  readonly #recent = new Set<Copy>();
  /** Of the last call: they stay until the next one. */
  #inUse = new Set<Copy>();
  readonly #forgotten = new FinalizationRegistry<Map<string, Copy>>((copies) => {
    for (const copy of copies.values()) this.#drop(copy);
  });
  /** Places to use again, by shape. */
  readonly #places = new Map<string, DeviceTensor<'float32'>[]>();
  readonly #recoverables = new Set<WeakRef<Recoverable>>();
  #isLost = false;
  #hasWorked = false;
  #collected = 0;

  constructor(device: DeviceName, settings: DeviceStageSettings = {}) {
    this.#device = device;
    this.#settings = settings;
  }

  get device(): DeviceName {
    return this.#isLost ? 'cpu' : this.#device;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** The device's memory. Errors: `RuntimeFailed`, `DeviceLost`. */
  async memory(): Promise<DeviceMemory> {
    const { open = DeviceMemory.of, deviceBytes = Number.POSITIVE_INFINITY } = this.#settings;
    const memory = await open(this.#device);
    memory.limitTo(deviceBytes);
    return memory;
  }

  /** Whether work goes on when the device is lost. */
  get recovers(): boolean {
    return !this.#isLost && this.#settings.onDeviceFailure !== undefined;
  }

  /** Says that less is done on the device than could be. */
  tell(message: string): void {
    this.#settings.onDeviceFailure?.(message);
  }

  /** To be asked for its values when the device is lost, unless it is forgotten by then. */
  register(recoverable: Recoverable): void {
    for (const known of this.#recoverables) if (!known.deref()) this.#recoverables.delete(known);
    this.#recoverables.add(new WeakRef(recoverable));
  }

  async feeds(wanted: readonly Wanted[], ahead: readonly Wanted[] = []): Promise<Record<string, AnyTensor>> {
    if (this.#isLost) return this.#inner.feeds(wanted, ahead);
    const tensors = await this.#bring(namedOf(wanted), namedOf(ahead));
    const names = wanted.flatMap(({ parameters, feedName = ({ role }: Parameter) => role }) => parameters.map(feedName));
    return Object.fromEntries(names.map((name, index) => [name, tensors[index]!]));
  }

  async values(tensors: readonly WeightTensor[], ahead: readonly WeightTensor[] = []): Promise<AnyTensor[]> {
    if (this.#isLost) return this.#inner.values(tensors, ahead);
    const named = (list: readonly WeightTensor[]) =>
      list.map((tensor): Named => ({ tensor, name: 'a stretch of the output matrix' }));
    return this.#bring(named(tensors), named(ahead));
  }

  async place(shape: readonly number[]): Promise<AnyTensor> {
    if (this.#isLost) return floatTensor(shape);
    return (
      this.#places.get(shape.join())?.pop() ?? this.room('values between programs', (memory) => memory.allocate('float32', shape))
    );
  }

  free(tensor: AnyTensor | undefined): void {
    if (this.#isLost || !(tensor instanceof DeviceTensor) || tensor.type !== 'float32') return;
    const key = tensor.shape.join();
    this.#places.set(key, [...(this.#places.get(key) ?? []), tensor as DeviceTensor<'float32'>]);
  }

  /**
   * Takes memory of the device, making room where there is none: by places that wait, copies of weights that are not in use, and what was forgotten.
   * Errors: `OutOfDeviceMemory`, which says what it was for.
   */
  async room<T>(name: string, take: (memory: DeviceMemory) => T): Promise<T> {
    const memory = await this.memory();
    while (true) {
      try {
        return take(memory);
      } catch (error) {
        if (!isCode(error, 'OutOfDeviceMemory')) throw error;
        if (limitIn(error.message) === null && ((await this.#collect()) || this.#makeRoom())) continue;
        throw new HopscopeError('OutOfDeviceMemory', `There is no room on the device for ${name}. ${error.message}`, 'failure');
      }
    }
  }

  worked(): void {
    this.#hasWorked = true;
  }

  /** Goes on where the device is lost, or its memory ran out in the middle of the work; what did not fit from the beginning stays an error. */
  async recover(error: unknown): Promise<boolean> {
    const { onDeviceFailure } = this.#settings;
    const isLoss = isCode(error, 'DeviceLost') || (isCode(error, 'OutOfDeviceMemory') && this.#hasWorked);
    if (!onDeviceFailure || this.#isLost || !isLoss) return false;
    this.#isLost = true;
    onDeviceFailure(`${error.message} The work goes on on the CPU, from the last checkpoint.`);
    this.#dropAll();
    for (const recoverable of this.#recoverables) await recoverable.deref()?.recover();
    return true;
  }

  async release(): Promise<void> {
    this.#dropAll();
    await this.#inner.release();
  }

  /** All of `wanted` on the device; the first of `ahead` that is not there is read meanwhile. */
  async #bring(wanted: readonly Named[], ahead: readonly Named[]): Promise<DeviceTensor[]> {
    this.#inUse = new Set(wanted.flatMap(({ tensor }) => this.#known(tensor) ?? []));
    for (const copy of this.#inUse) this.#use(copy);
    const isMissing = ({ tensor }: Named) => !residentOf(tensor) && !this.#known(tensor);
    const missing = wanted.filter(isMissing);
    const next = ahead.find(isMissing);
    const following = [...missing.slice(1), ...(next ? [next] : [])];
    for (const [index, { tensor, name }] of missing.entries()) {
      if (this.#known(tensor)) continue;
      const copy = await this.#upload(tensor, name, following[index]?.tensor);
      this.#inUse.add(copy);
      this.#remember(tensor, copy);
    }
    return wanted.map(({ tensor }) => residentOf(tensor) ?? this.#known(tensor)!.tensor);
  }

  async #upload(tensor: WeightTensor, name: string, next: WeightTensor | undefined): Promise<Copy> {
    const generation = tensor.type === 'stored' ? tensor.generation : undefined;
    const halves = await halvesOf(tensor, async () => (await this.memory()).hasHalves());
    const values = halves ?? (await this.#inner.values([tensor], next ? [next] : []))[0]!;
    const uploaded = await this.room<DeviceTensor>(`${name} [${tensor.shape}]`, (memory) => memory.upload(values));
    return { tensor: uploaded, generation };
  }

  /** The copy of a weight, if it is of the values as they are now. */
  #known(tensor: WeightTensor): Copy | undefined {
    const { source, key } = identityOf(tensor);
    const copy = this.#copies.get(source)?.get(key);
    if (!copy || copy.tensor.disposed) return undefined;
    if (tensor.type === 'stored' && tensor.generation !== copy.generation) {
      this.#drop(copy);
      return undefined;
    }
    return copy;
  }

  #remember(tensor: WeightTensor, copy: Copy): void {
    const { source, key } = identityOf(tensor);
    let copies = this.#copies.get(source);
    if (!copies) {
      copies = new Map();
      this.#copies.set(source, copies);
      this.#forgotten.register(source, copies);
    }
    copies.set(key, copy);
    this.#recent.add(copy);
  }

  #use(copy: Copy): void {
    this.#recent.delete(copy);
    this.#recent.add(copy);
  }

  #drop(copy: Copy): void {
    this.#recent.delete(copy);
    copy.tensor.dispose();
  }

  #dropAll(): void {
    for (const places of this.#places.values()) for (const tensor of places) tensor.dispose();
    this.#places.clear();
    for (const copy of this.#recent) copy.tensor.dispose();
    this.#recent.clear();
  }

  /** Frees something that is not in use. */
  #makeRoom(): boolean {
    for (const places of this.#places.values()) {
      const place = places.pop();
      if (!place) continue;
      place.dispose();
      return true;
    }
    for (const copy of this.#recent) {
      if (this.#inUse.has(copy)) continue;
      this.#drop(copy);
      return true;
    }
    return false;
  }

  /** Lets what was forgotten be freed, now and then. */
  async #collect(): Promise<boolean> {
    if (performance.now() - this.#collected < betweenCollections) return false;
    reclaimMemories();
    // Freeing comes after the collection, in a turn of its own
    await new Promise((resolve) => setImmediate(resolve));
    this.#collected = performance.now();
    return true;
  }
}

/** Where the programs of a run with these settings have their weights. */
export const stageFor = ({ device, ...settings }: { device: DeviceName } & DeviceStageSettings): Stage =>
  keepsTensors(device) ? new DeviceStage(device, settings) : new WeightStage();

const isCode = (error: unknown, code: string): error is HopscopeError => error instanceof HopscopeError && error.code === code;

const residentOf = (tensor: WeightTensor): DeviceTensor<'float32'> | null =>
  tensor instanceof ResidentTensor ? tensor.onDevice() : null;

function identityOf(tensor: WeightTensor): { source: object; key: string } {
  if (tensor.type === 'stored') return { source: tensor, key: '' };
  const { buffer, byteOffset, length } = tensor.data;
  return { source: buffer, key: `${byteOffset} ${length}` };
}

const namedOf = (wanted: readonly Wanted[]): Named[] =>
  wanted.flatMap(({ weights, parameters }) => parameters.map(({ name }) => ({ tensor: weightOf(weights, name), name })));
