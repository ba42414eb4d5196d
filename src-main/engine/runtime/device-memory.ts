/**
 * The device's memory: gives out tensors there, moves elements between them and the CPU, and counts their bytes.
 * What is kept there, and when it is let go, is the caller's choice.
 */
import { Graph } from '../graph/graph.ts';
import { bytesPerElement, elementCount, floatTensor, type Tensor } from '../tensor.ts';
import type { DeviceName } from './device.ts';
import { outOfDeviceMemory } from './device-errors.ts';
import { type DeviceElementType, DeviceLedger, DeviceTensor } from './device-tensor.ts';
import { copyModel, fillModel, gatherModel } from './elastic-models.ts';
import { Session } from './session.ts';

const elementTypes: readonly DeviceElementType[] = ['float32', 'float16', 'int32'];

interface Programs {
  /** Gives out memory, in int32s whatever it is used for, and owns it: released, it would take every tensor along. */
  fill: Session;
  copies: ReadonlyMap<DeviceElementType, Session>;
  gather: Session;
}

const opened = new Map<DeviceName, Promise<DeviceMemory>>();

export class DeviceMemory {
  readonly device: DeviceName;
  readonly #programs: Programs;
  readonly #ledger = new DeviceLedger();
  #budget = Number.POSITIVE_INFINITY;
  #halves: Promise<boolean> | null = null;

  private constructor(device: DeviceName, programs: Programs) {
    this.device = device;
    this.#programs = programs;
  }

  /** The one memory of a device that keeps tensors, for as long as the process lives. Errors: `RuntimeFailed`, `DeviceLost`. */
  static of(device: DeviceName): Promise<DeviceMemory> {
    let memory = opened.get(device);
    if (!memory) {
      memory = open(device).then((programs) => new DeviceMemory(device, programs));
      // A driver that is mended can be tried again
      memory.catch(() => opened.delete(device));
      opened.set(device, memory);
    }
    return memory;
  }

  /** Bytes of all tensors now, and at most so far; what programs need besides while they run is not known. */
  get allocated(): number {
    return this.#ledger.allocated;
  }

  get peak(): number {
    return this.#ledger.peak;
  }

  /** Whether programs may be fed with float16, found out when it is first asked. */
  hasHalves(): Promise<boolean> {
    this.#halves ??= widensHalves(this.device);
    return this.#halves;
  }

  /** Bytes that may still be taken, of those to be used. */
  get left(): number {
    return this.#budget - this.allocated;
  }

  /** Refuses from now on to have tensors of more bytes than this at once; the device itself cannot be asked what it has. */
  limitTo(bytes: number): void {
    this.#budget = bytes;
  }

  /** Zeros. Errors, here and below: `OutOfDeviceMemory`, `DeviceLost`. */
  allocate<T extends DeviceElementType>(type: T, shape: readonly number[]): DeviceTensor<T> {
    const bytes = elementCount(shape) * bytesPerElement[type];
    if (this.allocated + bytes > this.#budget) {
      throw outOfDeviceMemory(
        `A tensor of ${bytes} bytes does not fit: ${this.allocated} of the ${this.#budget} bytes to be used of the device are taken`,
      );
    }
    const buffer = this.#programs.fill.allocate({
      value: { type: 'int32', shape: [1], data: new Int32Array(1) },
      shape: { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(Math.ceil(bytes / 4))) },
    });
    return DeviceTensor.over(type, shape, buffer, this.#ledger);
  }

  /** A copy of a tensor on the device. */
  upload<T extends DeviceElementType>(tensor: Tensor<T>): DeviceTensor<T> {
    const target = this.allocate(tensor.type, tensor.shape);
    try {
      this.write(tensor, target);
    } catch (error) {
      target.dispose();
      throw error;
    }
    return target;
  }

  /** Overwrites a device tensor with the elements of another tensor of its type, on the CPU or the device; shapes may differ. */
  write(source: Tensor | DeviceTensor, target: DeviceTensor): void {
    const length = [elementCount(target.shape)];
    this.#copy(target.type).run({ x: flat(source) }, { y: target.as(length) });
  }

  /** Copies a device tensor's elements into a tensor of the CPU. Waits for the device. */
  read(source: DeviceTensor, target: Tensor): void {
    this.#copy(source.type).run({ x: source.as([elementCount(source.shape)]) }, { y: flat(target) as Tensor });
  }

  /** Some rows of a matrix, as they are. Waits for the device. */
  readRows(source: DeviceTensor<'float32'>, rows: Int32Array): Float32Array {
    const width = source.shape[1]!;
    const taken = floatTensor([rows.length, width]);
    if (rows.length === 0) return taken.data;
    const indices: Tensor = { type: 'int64', shape: [rows.length], data: BigInt64Array.from(rows, BigInt) };
    this.#programs.gather.run({ x: source, rows: indices }, { y: taken });
    return taken.data;
  }

  #copy(type: DeviceElementType): Session {
    return this.#programs.copies.get(type)!;
  }
}

async function open(device: DeviceName): Promise<Programs> {
  const settings = { device, threads: 1, name: 'device memory' };
  const fill = await Session.createAllocating(fillModel('int32'), settings);
  const copies = new Map<DeviceElementType, Session>();
  for (const type of elementTypes) copies.set(type, await Session.create(copyModel(type), settings));
  const gather = await Session.create(gatherModel(), settings);
  return { fill, copies, gather };
}

/** Whether the float16 1, -2 and 0.5 come out of a program on the device as float32. */
async function widensHalves(device: DeviceName): Promise<boolean> {
  const graph = new Graph('half precision test');
  graph.output('y', graph.apply('Cast', [graph.input('x', [3], 'float16')], { to: 'float32' }));
  const y = floatTensor([3]);
  try {
    const session = await Session.compile(graph, { device, threads: 1, name: graph.name, quiet: true });
    session.run({ x: { type: 'float16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x3800) } }, { y });
    session.release();
    return y.data.join() === '1,-2,0.5';
  } catch {
    return false;
  }
}

const flat = (tensor: Tensor | DeviceTensor): Tensor | DeviceTensor => {
  const shape = [elementCount(tensor.shape)];
  return tensor instanceof DeviceTensor ? tensor.as(shape) : { ...tensor, shape };
};
