/**
 * Brings weights into memory as float32 just when a program needs them, and starts reading those of the next program while this one computes.
 * It holds what the last programs needed and no more; which tensors must be brought at all was decided when the weights were loaded.
 */
import type { Parameter } from '../models/parameters.ts';
import { Arena, arenaSize } from '../runtime/memory.ts';
import { reclaimMemories } from '../runtime/reclaim.ts';
import { bytesOf, bytesPerElement, elementCount, type FloatTensor, type FloatType, floatTensor, type Tensor } from '../tensor.ts';
import type { StoredTensor, Weights, WeightTensor } from '../weights.ts';
import { weightOf } from './feeds.ts';
import type { Stage } from './stage.ts';

/** Parameters of a set of weights, and what a program calls them; by default their roles. */
export interface Wanted {
  weights: Weights;
  parameters: readonly Parameter[];
  feedName?: (parameter: Parameter) => string;
}

/** A stored tensor on its way into memory, or there. */
interface Staged {
  arena: Arena;
  values: Float32Array;
  /** 16-bit elements are read into the upper half of `values` and widened from the front on, which never overtakes what is still to be read. */
  fetched: Promise<void>;
  isWidened: boolean;
  /** As it was when reading began; both may change with training. */
  storedType: FloatType;
  generation: number | undefined;
}

export class WeightStage implements Stage {
  readonly device = undefined;
  /** The least recently used first. */
  readonly #staged = new Map<StoredTensor, Staged>();
  /** Buffers to use again, by their number of elements: a model's blocks need the same sizes over and over. */
  readonly #free = new Map<number, Arena[]>();
  #bytes = 0;
  /** Bytes of buffers given up that may still take memory. */
  #givenUp = 0;
  /** The most that one program and the next needed together; what fits below it stays, for the passes that come back to it. */
  #capacity = 0;

  /** Bytes of float32 buffers in use and kept for use. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Feeds by name: float32 values that stay as they are until the next call. `ahead` is what the next call is likely to want.
   * Errors: `MissingTensor`, `OutOfMemory`, `CannotRead`, `BadSafetensors`.
   */
  async feeds(wanted: readonly Wanted[], ahead: readonly Wanted[] = []): Promise<Record<string, Tensor>> {
    const needed = storedOf(wanted);
    const later = storedOf(ahead);
    if (needed.size > 0) await this.#bring(needed, later);
    const feeds: Record<string, Tensor> = {};
    for (const { weights, parameters, feedName = ({ role }: Parameter) => role } of wanted) {
      for (const parameter of parameters) feeds[feedName(parameter)] = this.#resident(weightOf(weights, parameter.name));
    }
    return feeds;
  }

  /** The values of single tensors, likewise. */
  async values(tensors: readonly WeightTensor[], ahead: readonly WeightTensor[] = []): Promise<FloatTensor[]> {
    const needed = new Set(tensors.filter(isFetched));
    if (needed.size > 0) await this.#bring(needed, new Set(ahead.filter(isFetched)));
    return tensors.map((tensor) => this.#resident(tensor));
  }

  async place(shape: readonly number[]): Promise<FloatTensor> {
    return floatTensor(shape);
  }

  free(): void {}

  worked(): void {}

  async recover(): Promise<boolean> {
    return false;
  }

  /** Lets go of all buffers. */
  async release(): Promise<void> {
    await Promise.allSettled([...this.#staged.values()].map(({ fetched }) => fetched));
    this.#staged.clear();
    this.#free.clear();
    this.#bytes = 0;
    this.#givenUp = 0;
    this.#capacity = 0;
  }

  async #bring(needed: ReadonlySet<StoredTensor>, later: ReadonlySet<StoredTensor>): Promise<void> {
    const kept = new Set([...needed, ...later]);
    let together = 0;
    for (const tensor of kept) together += bufferBytes(tensor);
    this.#capacity = Math.max(this.#capacity, together);
    for (const tensor of kept) await this.#start(tensor, kept);
    for (const tensor of needed) {
      const staged = this.#staged.get(tensor)!;
      try {
        await staged.fetched;
      } catch (error) {
        this.#drop(tensor, staged);
        throw error;
      }
      widen(staged);
    }
  }

  /** Starts reading a tensor that is not there yet. */
  async #start(tensor: StoredTensor, kept: ReadonlySet<StoredTensor>): Promise<void> {
    let staged = this.#staged.get(tensor);
    if (staged && staged.generation !== tensor.generation) {
      await staged.fetched.catch(() => undefined);
      this.#drop(tensor, staged);
      staged = undefined;
    }
    this.#staged.delete(tensor);
    this.#staged.set(tensor, staged ?? (await this.#read(tensor, kept)));
  }

  async #read(tensor: StoredTensor, kept: ReadonlySet<StoredTensor>): Promise<Staged> {
    const count = elementCount(tensor.shape);
    const arena = await this.#buffer(count, kept);
    const values = arena.floats(count);
    const bytes = bytesOf(values);
    const { storedType, generation } = tensor;
    const fetched = tensor.fetch(bytes.subarray(bytes.length - count * bytesPerElement[storedType]));
    // Whoever needs it awaits it; until then a failed reading ahead is nobody's
    fetched.catch(() => undefined);
    return { arena, values, fetched, isWidened: storedType === 'float32', storedType, generation };
  }

  /** A buffer of the size: one that was let go, else a new one after others made room. */
  async #buffer(count: number, kept: ReadonlySet<StoredTensor>): Promise<Arena> {
    const size = arenaSize(count * 4);
    while (true) {
      const free = this.#free.get(count)?.pop();
      if (free) {
        free.reset();
        return free;
      }
      if (this.#bytes + size <= this.#capacity) {
        this.#reclaim(size);
        break;
      }
      if (this.#dropFree()) continue;
      const stale = [...this.#staged].find(([tensor]) => !kept.has(tensor));
      if (!stale) break;
      await stale[1].fetched.catch(() => undefined);
      this.#drop(...stale);
    }
    const arena = new Arena(size);
    this.#bytes += size;
    return arena;
  }

  /** Frees what was given up before as much again is taken, so that both are never there at once. */
  #reclaim(size: number): void {
    if (this.#givenUp === 0 || this.#bytes + this.#givenUp + size <= this.#capacity) return;
    reclaimMemories();
    this.#givenUp = 0;
  }

  #drop(tensor: StoredTensor, { arena, values }: Staged): void {
    this.#staged.delete(tensor);
    this.#free.set(values.length, [...(this.#free.get(values.length) ?? []), arena]);
  }

  /** Gives up one buffer that waits for a tensor of another size. */
  #dropFree(): boolean {
    for (const [count, arenas] of this.#free) {
      if (arenas.pop()) {
        this.#bytes -= arenaSize(count * 4);
        this.#givenUp += arenaSize(count * 4);
        return true;
      }
    }
    return false;
  }

  #resident(tensor: WeightTensor): FloatTensor {
    if (tensor.type !== 'stored') return tensor;
    const values = tensor.values?.() ?? this.#staged.get(tensor)!.values;
    return floatTensor(tensor.shape, values);
  }
}

const bufferBytes = (tensor: StoredTensor): number => arenaSize(elementCount(tensor.shape) * 4);

function isFetched(tensor: WeightTensor): tensor is StoredTensor {
  return tensor.type === 'stored' && !tensor.values?.();
}

function storedOf(wanted: readonly Wanted[]): Set<StoredTensor> {
  return new Set(
    wanted.flatMap(({ weights, parameters }) => parameters.map(({ name }) => weightOf(weights, name)).filter(isFetched)),
  );
}

function widen(staged: Staged): void {
  if (staged.isWidened) return;
  const { arena, values, storedType } = staged;
  const target = arena.address(values);
  const source = target + values.length * 2;
  if (storedType === 'bfloat16') arena.kernels.widenBfloat16(source, target, values.length);
  else arena.kernels.widenFloat16(source, target, values.length);
  staged.isWidened = true;
}
