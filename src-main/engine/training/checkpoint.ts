/**
 * What a training on a device goes on from when the device is lost: a copy of its state in memory, and the steps taken since. It takes no step.
 */
import type { TokenBatch } from '../execution/executor.ts';
import type { Targets } from '../execution/gradient-sink.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import { AdamState, type SavedState } from './adam-state.ts';
import { DeviceState } from './device-state.ts';
import type { OptimizerState } from './optimizer-state.ts';

export interface TakenStep {
  batch: TokenBatch;
  targets: Targets;
  learningRate: number;
}

/** Steps that are taken again at most; a copy takes as long as reading the state from the device. */
const stepsPerCheckpoint = 16;

export class Checkpoint {
  readonly #state: AdamState | DeviceState;
  #saved: SavedState | null = null;
  #steps: TakenStep[] = [];
  #isFirst = true;

  constructor(state: AdamState | DeviceState) {
    this.#state = state;
  }

  /** Of a state that is not its own checkpoint, as a scratch folder is; null for those. */
  static of(state: OptimizerState): Checkpoint | null {
    return state instanceof AdamState || state instanceof DeviceState ? new Checkpoint(state) : null;
  }

  /** To be said before each step. */
  before(): void {
    const isDue = this.#steps.length >= stepsPerCheckpoint;
    // A fresh state on the device is that of the weights it was made from
    if (isDue || (this.#isFirst && (this.#state instanceof AdamState || this.#state.steps > 0))) this.save();
    this.#isFirst = false;
  }

  after(step: TakenStep): void {
    this.#steps.push(step);
  }

  save(): void {
    const { step, tensors, rows } = this.#state.state();
    const isCopy = this.#state instanceof DeviceState && this.#state.isOnDevice;
    const copied = isCopy ? tensors : new Map([...tensors].map(([name, tensor]) => [name, copyOf(tensor)]));
    this.#saved = { step, tensors: copied, rows };
    this.#steps = [];
  }

  /** What was saved, null for the beginning, and the steps since. */
  get last(): { saved: SavedState | null; steps: readonly TakenStep[] } {
    return { saved: this.#saved, steps: this.#steps };
  }
}

const copyOf = ({ shape, data }: FloatTensor): FloatTensor => floatTensor(shape, data.slice());
