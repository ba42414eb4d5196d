/**
 * Runs a model's programs over a set of weights: logits, and losses with gradients handed over group by group.
 * Small models run as one program, others block by block; callers see no difference but speed and memory. It updates no weights.
 */
import { RecentMap } from '../../shared/recent-map.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import type { SessionSettings } from '../runtime/session.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { BlockRunner } from './block-runner.ts';
import { type DeviceStageSettings, stageFor } from './device-stage.ts';
import { embed, paddedIndices, questionShape } from './feeds.ts';
import type { BackwardState, GradientSink, Targets } from './gradient-sink.ts';
import { Gradients } from './gradients.ts';
import { Head } from './head.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { SessionCache, sizeKey } from './sessions.ts';
import { recovering, type Stage } from './stage.ts';

/** Right-padded tokens, row-major [batch, positions]; padding may hold any token of the vocabulary. */
export interface TokenBatch {
  tokens: Int32Array;
  batch: number;
  positions: number;
}

export type ExecutionMode = 'whole' | 'blocks';

export interface ExecutorSettings extends SessionSettings, Pick<DeviceStageSettings, 'onDeviceFailure' | 'deviceBytes'> {
  /** Default: whole where all parameters together are below `wholeLimit`. */
  mode?: ExecutionMode;
  /** Where programs have their weights; executors and observers of one run share it. */
  stage?: Stage;
  /** Elements of the output matrix up to which it is one tensor in block mode; default head.ts's, others are for tests. */
  wholeHeadElements?: number;
}

/**
 * Bytes of parameters up to which one program for the whole model is used: its gradients all live at once. Fixed rather than chosen by free
 * memory, because the two ways round differently and a run must give the same numbers every time.
 */
const wholeLimit = 2 ** 30;

/** Variants of a model whose programs stay compiled. */
const variantCapacity = 4;

/** How a model is run: as asked for, else whole where all parameters together are at most `limit` bytes. */
export function executionMode(
  { parameters }: ModelOutline,
  { mode }: Pick<ExecutorSettings, 'mode'>,
  limit = wholeLimit,
): ExecutionMode {
  return mode ?? (parameters.count * 4 <= limit ? 'whole' : 'blocks');
}

/** The head's rows are padded to a multiple, so that batches with a few rows more or less share a program. */
function paddedRows(rows: number): number {
  const multiple = rows <= 64 ? 8 : 32;
  return Math.ceil(Math.max(rows, 1) / multiple) * multiple;
}

export class Executor {
  readonly outline: ModelOutline;
  /** As given, with the stage; observers of the same run take the same. */
  readonly settings: ExecutorSettings;
  readonly mode: ExecutionMode;
  readonly #sessions: SessionCache;
  readonly #stage: Stage;
  readonly #ownsStage: boolean;
  readonly #head: Head;
  readonly #runner: BlockRunner;
  readonly #gradients: Gradients;
  readonly #variants = new RecentMap<string, Executor>(variantCapacity, (variant) => variant.release());

  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    const stage = settings.stage ?? stageFor(settings);
    this.outline = outline;
    this.settings = { ...settings, stage };
    this.mode = executionMode(outline, settings);
    this.#sessions = new SessionCache(this.settings);
    this.#stage = stage;
    this.#ownsStage = !settings.stage;
    this.#head = new Head(outline, this.#sessions, stage, settings.wholeHeadElements);
    this.#runner = new BlockRunner(outline, this.#sessions, stage);
    this.#gradients = new Gradients(this.#runner, this.#head);
  }

  /** What trains together in block mode: each block, then the head's norm and its matrix or the stretches of it, then what is read by rows. */
  get head(): Head {
    return this.#head;
  }

  /** Where its programs have their weights. */
  get stage(): Stage {
    return this.#stage;
  }

  release(): void {
    // What a device holds is not freed by being forgotten until much later
    if (this.#ownsStage) void this.#stage.release();
    this.#variants.clear();
    this.#sessions.release();
  }

  /**
   * What runs the model with further parameters (adapters) in the same way. Its programs stay compiled under `key` until this is released, or other
   * variants were asked for since; then they are compiled again when they are needed.
   */
  variant(key: string, outline: ModelOutline): Executor {
    return this.#variants.get(key, () => new Executor(outline, { ...this.settings, mode: this.mode }));
  }

  /** Logits [rows, vocabulary] at the given rows (item * positions + position). */
  logits(weights: Weights, batch: TokenBatch, rows: readonly number[]): Promise<FloatTensor> {
    return recovering(this.#stage, () => this.#logits(weights, batch, rows));
  }

  async #logits(weights: Weights, batch: TokenBatch, rows: readonly number[]): Promise<FloatTensor> {
    const shape = this.#shape(batch, rows);
    if (this.mode === 'blocks') {
      const x = await this.#runner.through(weights, batch, shape);
      const { logits } = await this.#head.logits(weights, shape, x, rows);
      this.#stage.free(x);
      return firstRows(logits, rows.length);
    }
    const session = this.#sessions.get(`whole forward ${sizeKey(shape)}`, () => programs.wholeForward(this.outline, shape));
    const logits = floatTensor([shape.rows, this.outline.configuration.vocabulary]);
    await session.run(
      { ...(await this.#runner.all(weights)), x: embed(this.outline, weights, batch), rows: paddedIndices(rows, shape.rows) },
      { logits },
    );
    return firstRows(logits, rows.length);
  }

  /**
   * Block by block with observed values: `observe` names values within a layer (`attn.z`, `mlp.act`, `mlp.out`) or `final_norm`.
   * The result maps `layers.N.attn.z`, `layers.N.resid` (the layer's output), `embedding` and `final_norm` (of the given rows) to tensors of [batch * positions, ...].
   */
  forward(
    weights: Weights,
    batch: TokenBatch,
    rows: readonly number[],
    observe: readonly string[],
  ): Promise<{ logits: FloatTensor; observed: Map<string, FloatTensor> }> {
    return recovering(this.#stage, () => this.#forward(weights, batch, rows, observe));
  }

  async #forward(
    weights: Weights,
    batch: TokenBatch,
    rows: readonly number[],
    observe: readonly string[],
  ): Promise<{ logits: FloatTensor; observed: Map<string, FloatTensor> }> {
    const { blocks } = this.outline.parameters;
    const shape = this.#shape(batch, rows);
    const observed = new Map<string, FloatTensor>();
    let x = embed(this.outline, weights, batch);
    observed.set('embedding', x);
    for (const layer of blocks.keys()) {
      const graphKey = `block forward ${this.#runner.kind(layer)} ${sizeKey(shape, false)} ${observe.join()}`;
      const session = this.#sessions.get(graphKey, () => programs.blockForward(this.outline, layer, shape, observe));
      const y = floatTensor(x.shape);
      const results: Record<string, AnyTensor> = { y };
      for (const [name, size] of this.#observedShapes(observe, batch)) {
        const value = floatTensor(size);
        results[programs.observed(name)] = value;
        observed.set(`layers.${layer}.${name}`, value);
      }
      await session.run({ ...(await this.#runner.block(weights, layer, layer + 1)), x }, results);
      observed.set(`layers.${layer}.resid`, y);
      x = y;
    }
    const { logits, normed } = await this.#head.logits(weights, shape, x, rows, observe.includes('final_norm'));
    if (normed) observed.set('final_norm', firstRows(normed, rows.length));
    return { logits: firstRows(logits, rows.length), observed };
  }

  /**
   * The loss of one batch, and the gradients of the `trained` parameters, handed to `sink`: from the head down to the lowest trained layer,
   * then the embedding. Values of `Targets.weights` that sum to 1 make the loss a mean. `resume`: what `sink.reached` was told, to go on from there.
   */
  async lossAndGradients(
    weights: Weights,
    batch: TokenBatch,
    targets: Targets,
    trained: ReadonlySet<string>,
    sink: GradientSink,
    resume: BackwardState | null = null,
  ): Promise<number> {
    const pass = { weights, batch, shape: this.#shape(batch, targets.rows), targets, trained, sink };
    return this.mode === 'whole' ? this.#gradients.whole(pass) : this.#gradients.byBlocks(pass, resume);
  }

  #observedShapes(observe: readonly string[], { batch, positions }: TokenBatch): Map<string, readonly number[]> {
    const { heads, headSize, hidden, intermediate } = this.outline.configuration;
    const widths: Record<string, number> = {
      'attn.z': heads * headSize,
      'mlp.act': intermediate,
      'mlp.out': hidden,
      'attn.out': hidden,
    };
    return new Map(observe.flatMap((name) => (name in widths ? [[name, [batch * positions, widths[name]!]] as const] : [])));
  }

  #shape(batch: TokenBatch, rows: readonly number[]): ProgramShape {
    return { ...questionShape(this.outline, batch, rows), rows: paddedRows(rows.length) };
  }
}

function firstRows(tensor: FloatTensor, rows: number): FloatTensor {
  const shape = [rows, ...tensor.shape.slice(1)];
  return floatTensor(shape, tensor.data.subarray(0, elementCount(shape)));
}
