/**
 * One trained parameter, or a stretch of a large one, whose weights and Adam moments live in a file and come into memory to be worked on.
 * When that happens and which files count is scratch-state.ts's business.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';
import { fetchFrom, storeAt } from '../files/read-ahead.ts';
import { readInto } from '../files/values.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import type { Parameter } from '../models/parameters.ts';
import { Arena, arenaSize } from '../runtime/memory.ts';
import { bytesOf, bytesPerElement, elementCount, type FloatType, floatsOf } from '../tensor.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import { stagingElements } from './optimizer-state.ts';

/** A parameter in memory: weights and moments side by side, and room for a piece of a gradient. */
export interface PartBuffer {
  arena: Arena;
  weight: Float32Array;
  m: Float32Array;
  v: Float32Array;
  staging: Float32Array;
}

/** Bytes of a buffer for so many elements. */
export const partBufferBytes = (elements: number): number => 3 * arenaSize(elements * 4) + arenaSize(stagingElements * 4);

export function createPartBuffer(elements: number): PartBuffer {
  const arena = new Arena(partBufferBytes(elements));
  const [weight, m, v] = [arena.floats(elements), arena.floats(elements), arena.floats(elements)];
  return { arena, weight, m, v, staging: arena.floats(stagingElements) };
}

/** By which a parameter, or a stretch of one, is known in a scratch folder. */
export const partKey = ({ name, firstRow = 0 }: Parameter): string => `${name}.${firstRow}`;

export class ScratchPart implements StoredTensor {
  readonly type = 'stored';
  readonly parameter: Parameter;
  /** Names its files. */
  readonly key: string;
  readonly elements: number;
  readonly #folder: string;
  readonly #base: WeightTensor;
  /** The step after which the file that counts was written; 0: the values are still the base's, the moments 0. */
  #fileStep = 0;
  #buffer: PartBuffer | null = null;
  #generation = 0;
  #hasMoments = true;

  /** `base`: the parameter's values before training. */
  constructor(parameter: Parameter, base: WeightTensor, folder: string) {
    this.parameter = parameter;
    this.key = partKey(parameter);
    this.elements = elementCount(parameter.shape);
    this.#base = base;
    this.#folder = folder;
  }

  get shape(): readonly number[] {
    return this.parameter.shape;
  }

  /** Grows with every change of the values. */
  get generation(): number {
    return this.#generation;
  }

  get storedType(): FloatType {
    if (this.#fileStep > 0 || this.#base.type !== 'stored') return 'float32';
    return this.#base.storedType;
  }

  get fileStep(): number {
    return this.#fileStep;
  }

  /** From now on the file of that step counts, as it was recorded. */
  useFile(step: number): void {
    this.#fileStep = step;
    this.#generation++;
  }

  fileOf(step: number): string {
    return join(this.#folder, `${this.key}.step-${step}`);
  }

  values(): Float32Array | null {
    return this.#buffer?.weight ?? null;
  }

  /** Errors: `CannotRead`, `BadSafetensors` when a file of the scratch folder is gone or short. */
  async fetch(target: Uint8Array): Promise<void> {
    if (this.#fileStep > 0) await this.#read([{ position: 0, target }]);
    else if (this.#base.type === 'stored') await this.#base.fetch(target);
    else target.set(bytesOf(this.#base.data));
  }

  rows(rows: Int32Array): Float32Array {
    const width = this.shape[1]!;
    if (this.#buffer) return takeRows({ type: 'float32', shape: this.shape, data: this.#buffer.weight }, rows);
    if (this.#fileStep === 0) return takeRows(this.#base, rows);
    const values = new Float32Array(rows.length * width);
    const descriptor = openSync(this.fileOf(this.#fileStep), 'r');
    try {
      rows.forEach((row, index) => {
        readSync(descriptor, values, index * width * 4, width * 4, row * width * 4);
      });
    } finally {
      closeSync(descriptor);
    }
    return values;
  }

  slice(first: number, count: number): WeightTensor {
    return first === 0 && count === this.shape[0] ? this : new PartSlice(this, first, count);
  }

  /** Some of the rows' weights, in order, from wherever they are. */
  async fetchRows(first: number, count: number, target: Uint8Array): Promise<void> {
    const rowBytes = elementCount(this.shape.slice(1)) * 4;
    if (this.#buffer) {
      target.set(bytesOf(this.#buffer.weight).subarray(first * rowBytes, (first + count) * rowBytes));
    } else if (this.#fileStep > 0) await this.#read([{ position: first * rowBytes, target }]);
    else await readInto(sliceRows(this.#base, first, count), floatsOf(target));
  }

  /** Brings weights and moments into the buffer, which is the part's until `leave`. */
  async enter(buffer: PartBuffer): Promise<void> {
    const { weight, m, v } = buffer;
    if (this.#fileStep > 0) {
      const size = this.elements * 4;
      await this.#read([weight, m, v].map((values, index) => ({ position: index * size, target: bytesOf(values) })));
    } else {
      await readInto(this.#base, weight);
      m.fill(0);
      v.fill(0);
    }
    this.#buffer = buffer;
  }

  /** Gives the buffer up; what was not written is lost. */
  leave(): PartBuffer | null {
    const buffer = this.#buffer;
    this.#buffer = null;
    return buffer;
  }

  /** One step of Adam on the part in memory. */
  update(gradient: Float32Array, step: AdamStep): void {
    const { arena, weight, m, v, staging } = this.#buffer!;
    const [w, first, second] = [arena.address(weight), arena.address(m), arena.address(v)];
    for (let start = 0; start < gradient.length; start += stagingElements) {
      const piece = gradient.subarray(start, start + stagingElements);
      staging.set(piece);
      arena.kernels.adam(w + start * 4, first + start * 4, second + start * 4, arena.address(staging), piece.length, step);
    }
    this.#generation++;
  }

  /** Writes the part in memory as it is after `step` to a new file; the old one stays until the new one counts. Errors: `CannotWrite`. */
  async write(step: number): Promise<void> {
    const { weight, m, v } = this.#buffer!;
    const path = this.fileOf(step);
    const file = await open(path, 'w').catch((error: Error) => {
      throw new HopscopeError('CannotWrite', `${path} cannot be written: ${error.message}.`, 'failure');
    });
    try {
      const size = this.elements * 4;
      await Promise.all([weight, m, v].map((values, index) => storeAt(file.fd, index * size, bytesOf(values), path)));
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Cuts the moments off; nothing can be trained afterwards. */
  async dropMoments(): Promise<void> {
    if (this.#fileStep === 0 || !this.#hasMoments) return;
    this.#hasMoments = false;
    const file = await open(this.fileOf(this.#fileStep), 'r+');
    try {
      await file.truncate(this.elements * bytesPerElement.float32);
    } finally {
      await file.close();
    }
  }

  async #read(stretches: readonly { position: number; target: Uint8Array }[]): Promise<void> {
    const path = this.fileOf(this.#fileStep);
    const file = await open(path, 'r').catch((error: Error) => {
      throw new HopscopeError(
        'CannotRead',
        `${path} cannot be read: ${error.message}. The training cannot go on without it.`,
        'failure',
      );
    });
    try {
      await Promise.all(stretches.map(({ position, target }) => fetchFrom(file.fd, position, target, path)));
    } finally {
      await file.close();
    }
  }
}

/** Some rows of a part. */
class PartSlice implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #part: ScratchPart;
  readonly #first: number;

  constructor(part: ScratchPart, first: number, count: number) {
    this.#part = part;
    this.#first = first;
    this.shape = [count, ...part.shape.slice(1)];
  }

  get generation(): number {
    return this.#part.generation;
  }

  fetch(target: Uint8Array): Promise<void> {
    return this.#part.fetchRows(this.#first, this.shape[0]!, target);
  }

  rows(rows: Int32Array): Float32Array {
    return this.#part.rows(rows.map((row) => row + this.#first));
  }

  slice(first: number, count: number): WeightTensor {
    return this.#part.slice(this.#first + first, count);
  }
}
