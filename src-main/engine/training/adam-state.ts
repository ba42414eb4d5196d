/**
 * The trained parameters with their Adam moments, side by side in WebAssembly memories, and one step of Adam on them in place.
 * It does not know where gradients come from.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { RowGradient } from '../execution/embedding.ts';
import { readInto } from '../files/values.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import type { Parameter } from '../models/parameters.ts';
import { Arena, arenaLimit, arenaSize } from '../runtime/memory.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { type AdamSettings, type OptimizerState, stagingElements, stepFor } from './optimizer-state.ts';

interface Entry {
  parameter: Parameter;
  arena: Arena;
  weight: Float32Array;
  m: Float32Array;
  v: Float32Array;
  /** In the same memory where gradients of all parameters live at once; null: they pass through the staging buffer. */
  gradient: Float32Array | null;
  /** Rows that ever had a gradient; Adam over these alone equals Adam over all, the others' moments being 0. */
  rows: Set<number>;
}

/** What a training goes on from: weights, moments as `adam.m.NAME` and `adam.v.NAME`, and the rows of matrices that had gradients. */
export interface SavedState {
  step: number;
  tensors: Map<string, FloatTensor>;
  rows: Record<string, number[]>;
}

export class AdamState implements OptimizerState {
  readonly interrupted = null;
  readonly losses: readonly number[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #staging = new Map<Arena, Float32Array>();
  readonly #settings: AdamSettings;
  #step = 0;

  private constructor(settings: AdamSettings) {
    this.#settings = settings;
  }

  /** Copies the parameters' values from `base`; moments start at 0. `keepGradients` adds a gradient buffer beside each. */
  static async create(
    parameters: readonly Parameter[],
    base: Weights,
    settings: AdamSettings,
    keepGradients: boolean,
  ): Promise<AdamState> {
    const state = new AdamState(settings);
    const buffers = keepGradients ? 4 : 3;
    const bytes = ({ shape }: Parameter) => arenaSize(elementCount(shape) * 4) * buffers;
    for (const group of packed(parameters, bytes)) {
      const arena = new Arena(group.reduce((sum, parameter) => sum + bytes(parameter), 0) + stagingElements * 4);
      state.#staging.set(arena, arena.floats(stagingElements));
      for (const parameter of group) {
        const size = elementCount(parameter.shape);
        const weight = arena.floats(size);
        const source = base.get(parameter.name);
        if (!source) throw new HopscopeError('MissingTensor', `The weights have no ${parameter.name}.`);
        await readInto(source, weight);
        const entry = { parameter, arena, weight, m: arena.floats(size), v: arena.floats(size), rows: new Set<number>() };
        state.#entries.set(parameter.name, { ...entry, gradient: keepGradients ? arena.floats(size) : null });
      }
    }
    return state;
  }

  /** Steps begun. */
  get steps(): number {
    return this.#step;
  }

  /** The current values, not copies. */
  get weights(): Map<string, FloatTensor> {
    return new Map([...this.#entries].map(([name, { parameter, weight }]) => [name, floatTensor(parameter.shape, weight)]));
  }

  gradientBuffer({ name }: Parameter): Float32Array | null {
    return this.#entry(name).gradient;
  }

  async prepare(): Promise<void> {}

  async reached(): Promise<void> {}

  async end(): Promise<void> {}

  async settle(): Promise<void> {}

  async remove(): Promise<void> {}

  /** Sum of squares of a gradient, in float64, for norm clipping. */
  sumOfSquares(name: string, gradient: Float32Array): number {
    const { arena } = this.#entry(name);
    let total = 0;
    this.#inPieces(arena, gradient, (address, _start, count) => {
      total += arena.kernels.sumOfSquares(address, count);
    });
    return total;
  }

  begin(): void {
    this.#step++;
  }

  update(parameter: Parameter, gradient: Float32Array, step: AdamStep): void {
    const { arena, weight, m, v } = this.#entry(parameter.name);
    const constants = stepFor(parameter, step, this.#settings);
    // A stretch of rows begins inside the matrix
    const from = (parameter.firstRow ?? 0) * (parameter.shape[1] ?? 1) * 4;
    const [w, first, second] = [arena.address(weight) + from, arena.address(m) + from, arena.address(v) + from];
    this.#inPieces(arena, gradient, (address, start, count) => {
      arena.kernels.adam(w + start * 4, first + start * 4, second + start * 4, address, count, constants);
    });
  }

  /** Adam on a matrix of which only some rows have a gradient. With weight decay every row moves, so the dense form must be used. */
  updateRows({ name }: Parameter, { rows, values }: RowGradient, step: AdamStep): void {
    const entry = this.#entry(name);
    const { arena, weight, m, v, parameter } = entry;
    const width = parameter.shape[1]!;
    const staging = this.#staging.get(arena)!;
    const place = new Map(Array.from(rows, (row, index) => [row, index]));
    for (const row of rows) entry.rows.add(row);
    for (const row of [...entry.rows].sort((a, b) => a - b)) {
      const index = place.get(row);
      if (index === undefined) staging.fill(0, 0, width);
      else staging.set(values.subarray(index * width, (index + 1) * width));
      const offset = row * width * 4;
      arena.kernels.adam(
        arena.address(weight) + offset,
        arena.address(m) + offset,
        arena.address(v) + offset,
        arena.address(staging),
        width,
        step,
      );
    }
  }

  /** Weights, moments and touched rows, to go on later; views, not copies. */
  state(): SavedState {
    const tensors = new Map<string, FloatTensor>();
    const rows: Record<string, number[]> = {};
    for (const [name, { parameter, weight, m, v, rows: touched }] of this.#entries) {
      tensors.set(name, floatTensor(parameter.shape, weight));
      tensors.set(`adam.m.${name}`, floatTensor(parameter.shape, m));
      tensors.set(`adam.v.${name}`, floatTensor(parameter.shape, v));
      if (touched.size > 0) rows[name] = [...touched];
    }
    return { step: this.#step, tensors, rows };
  }

  /** Goes back to a saved state. Errors: `MissingTensor`. */
  restore(state: SavedState): void {
    for (const [name, target] of this.state().tensors) {
      const saved = state.tensors.get(name);
      if (!saved || saved.data.length !== target.data.length)
        throw new HopscopeError('MissingTensor', `The saved training state has no ${name}.`);
      target.data.set(saved.data);
    }
    for (const [name, entry] of this.#entries) entry.rows = new Set(state.rows[name] ?? []);
    this.#step = state.step;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new HopscopeError('NotTrained', `${name} is not among the trained parameters.`, 'failure');
    return entry;
  }

  /** Calls `use(address, start, count)` over the gradient: at once where it lies in the arena, else staged piece by piece. */
  #inPieces(arena: Arena, gradient: Float32Array, use: (address: number, start: number, count: number) => void): void {
    if (arena.holds(gradient)) {
      use(arena.address(gradient), 0, gradient.length);
      return;
    }
    const staging = this.#staging.get(arena)!;
    for (let start = 0; start < gradient.length; start += stagingElements) {
      const piece = gradient.subarray(start, start + stagingElements);
      staging.set(piece);
      use(arena.address(staging), start, piece.length);
    }
  }
}

/** Parameters in order, in groups that each fit one memory. */
function packed(parameters: readonly Parameter[], bytes: (parameter: Parameter) => number): Parameter[][] {
  const groups: Parameter[][] = [];
  let room = 0;
  for (const parameter of parameters) {
    const size = bytes(parameter);
    if (size > room || groups.length === 0) {
      groups.push([]);
      room = arenaLimit - stagingElements * 4;
    }
    groups.at(-1)!.push(parameter);
    room -= size;
  }
  return groups;
}
