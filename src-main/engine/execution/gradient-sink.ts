/**
 * How gradients are handed over, group by group, and how far a backward pass has come: the contract between what computes gradients and what
 * trains with them. It computes nothing.
 */
import type { Parameter } from '../models/parameters.ts';
import { DeviceTensor } from '../runtime/device-tensor.ts';
import type { FloatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import type { RowGradient } from './embedding.ts';
import type { TokenBatch } from './executor.ts';
import type { ProgramShape } from './programs.ts';

/** Where the loss is taken: row `rows[r]` (= item * positions + position) predicts `targets[r]` and counts `weights[r]`. */
export interface Targets {
  rows: readonly number[];
  targets: readonly number[];
  weights: readonly number[];
}

/** Where a gradient is written to. */
export type GradientBuffer = Float32Array | DeviceTensor<'float32'>;

/** Receives gradients. A group's buffers may be used from `complete` on until the sink's next call. */
export interface GradientSink {
  /** Said before a group's program runs, and which group is likely to come next: state on disk is fetched in time. */
  prepare?(parameters: readonly Parameter[], next?: readonly Parameter[]): Promise<void>;
  /** Where this parameter's gradient goes; whatever it holds is overwritten. */
  buffer(parameter: Parameter): GradientBuffer;
  /** Adds rows to what the parameter's buffer holds; asked of sinks whose buffers lie on a device. */
  addRows?(parameter: Parameter, gradient: RowGradient): Promise<void>;
  complete(parameters: readonly Parameter[]): void | Promise<void>;
  /** The gradient of the embedding where it is not tied, or of learned positions: only the rows that were read. */
  completeRows(embedding: Parameter, gradient: RowGradient): void | Promise<void>;
  /** Said block by block, after `complete`: from here the pass can be taken up again. Its tensors stay as they are. */
  reached?(state: BackwardState): Promise<void>;
}

/** What one pass forward and back works on. */
export interface LossPass {
  weights: Weights;
  batch: TokenBatch;
  shape: ProgramShape;
  targets: Targets;
  /** Names of the parameters whose gradients are asked for. */
  trained: ReadonlySet<string>;
  sink: GradientSink;
}

/** What is left to do for an output matrix in stretches after the way back through the blocks has begun. */
export interface HeadRemainder {
  /** [rows, hidden] */
  normed: FloatTensor;
  /** [rows, vocabulary]: dL/dlogits. */
  dlogits: FloatTensor;
  /** The matrix's rows before this one are done. */
  nextRow: number;
}

/** How far a backward pass block by block has come. */
export interface BackwardState {
  loss: number;
  /** Blocks below this one, and then the embedding, are still to do. */
  layer: number;
  /** dL/dx of that block's input. */
  dy: FloatTensor;
  /** The output matrix comes last where it is taken in stretches. */
  remainder: HeadRemainder | null;
}

/** Adds the rows' gradient to that of the same matrix as the output's, or of a stretch of it. */
export async function addRows(sink: GradientSink, parameter: Parameter, gradient: RowGradient): Promise<void> {
  const target = sink.buffer(parameter);
  if (target instanceof DeviceTensor) {
    await sink.addRows?.(parameter, gradient);
    return;
  }
  const { shape, firstRow = 0 } = parameter;
  const [count, width] = shape as [number, number];
  gradient.rows.forEach((row, index) => {
    const place = row - firstRow;
    if (place < 0 || place >= count) return;
    for (let column = 0; column < width; column++) target[place * width + column]! += gradient.values[index * width + column]!;
  });
}
