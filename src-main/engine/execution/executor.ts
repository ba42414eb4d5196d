/**
 * Runs a model's programs over a set of weights: logits, and losses with gradients handed over group by group.
 * Small models run as one program, others block by block; callers see no difference but speed and memory. It updates no weights.
 */
import type { Parameter } from '../models/parameters.ts';
import { type AnyTensor, DeviceTensor } from '../runtime/device-tensor.ts';
import type { SessionSettings } from '../runtime/session.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { type DeviceStageSettings, stageFor } from './device-stage.ts';
import { type RowGradient, sumRows } from './embedding.ts';
import { embed, finite, paddedIndices, positionIds, questionShape } from './feeds.ts';
import { gradientTensor, Head, type HeadRemainder, type HeadTargets, lossFeeds, sizeKey } from './head.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { SessionCache } from './sessions.ts';
import { recovering, type Stage } from './stage.ts';

/** Right-padded tokens, row-major [batch, positions]; padding may hold any token of the vocabulary. */
export interface TokenBatch {
  tokens: Int32Array;
  batch: number;
  positions: number;
}

/** Where the loss is taken: row r (= item * positions + position) predicts `targets[r]` with `weights[r]`. */
export type Targets = HeadTargets;

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
  readonly #variants = new Map<string, Executor>();

  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    const stage = settings.stage ?? stageFor(settings);
    this.outline = outline;
    this.settings = { ...settings, stage };
    this.mode = executionMode(outline, settings);
    this.#sessions = new SessionCache(this.settings);
    this.#stage = stage;
    this.#ownsStage = !settings.stage;
    this.#head = new Head(outline, this.#sessions, stage, settings.wholeHeadElements);
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
    for (const variant of this.#variants.values()) variant.release();
    this.#variants.clear();
    this.#sessions.release();
  }

  /**
   * What runs the model with further parameters (adapters) in the same way. Its programs stay compiled under `key` until this is released, or other
   * variants were asked for since; then they are compiled again when they are needed.
   */
  variant(key: string, outline: ModelOutline): Executor {
    const variant = this.#variants.get(key) ?? new Executor(outline, { ...this.settings, mode: this.mode });
    this.#variants.delete(key);
    this.#variants.set(key, variant);
    if (this.#variants.size > variantCapacity) {
      const [oldest, stale] = this.#variants.entries().next().value!;
      this.#variants.delete(oldest);
      stale.release();
    }
    return variant;
  }

  /** Logits [rows, vocabulary] at the given rows (item * positions + position). */
  logits(weights: Weights, batch: TokenBatch, rows: readonly number[]): Promise<FloatTensor> {
    return recovering(this.#stage, () => this.#logits(weights, batch, rows));
  }

  async #logits(weights: Weights, batch: TokenBatch, rows: readonly number[]): Promise<FloatTensor> {
    const shape = this.#shape(batch, rows);
    if (this.mode === 'blocks') {
      const x = await this.#throughBlocks(weights, batch, shape);
      const { logits } = await this.#head.logits(weights, shape, x, rows);
      this.#stage.free(x);
      return firstRows(logits, rows.length);
    }
    const session = this.#sessions.get(`whole forward ${sizeKey(shape)}`, () => programs.wholeForward(this.outline, shape));
    const logits = floatTensor([shape.rows, this.outline.configuration.vocabulary]);
    await session.run(
      { ...(await this.#allWeights(weights)), x: embed(this.outline, weights, batch), rows: paddedIndices(rows, shape.rows) },
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
      const graphKey = `block forward ${this.#kind(layer)} ${sizeKey(shape, false)} ${observe.join()}`;
      const session = this.#sessions.get(graphKey, () => programs.blockForward(this.outline, layer, shape, observe));
      const y = floatTensor(x.shape);
      const results: Record<string, AnyTensor> = { y };
      for (const [name, size] of this.#observedShapes(observe, batch)) {
        const value = floatTensor(size);
        results[programs.observed(name)] = value;
        observed.set(`layers.${layer}.${name}`, value);
      }
      await session.run({ ...(await this.#block(weights, layer, layer + 1)), x }, results);
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
    const shape = this.#shape(batch, targets.rows);
    return this.mode === 'whole'
      ? this.#wholeGradients(weights, batch, shape, targets, trained, sink)
      : this.#blockGradients(weights, batch, shape, targets, trained, sink, resume);
  }

  async #wholeGradients(
    weights: Weights,
    batch: TokenBatch,
    shape: ProgramShape,
    targets: Targets,
    trained: ReadonlySet<string>,
    sink: GradientSink,
  ): Promise<number> {
    const { embedding, blocks, head } = this.outline.parameters;
    const inGraph = [...blocks.flat(), ...head].filter(({ name }) => trained.has(name));
    const needInput = this.#trainsInput(trained);
    const names = inGraph.map(({ name }) => name);
    const session = this.#sessions.get(`whole training ${sizeKey(shape)} ${needInput} ${names.join()}`, () =>
      programs.wholeTraining(this.outline, shape, names, needInput),
    );
    const x = embed(this.outline, weights, batch);
    const loss = floatTensor([]);
    const results: Record<string, AnyTensor> = { loss };
    for (const parameter of inGraph)
      results[programs.gradientOf(parameter.name)] = gradientTensor(parameter, sink.buffer(parameter));
    const dx = floatTensor(x.shape);
    if (needInput) results[programs.gradientOf('x')] = dx;
    await session.run({ ...lossFeeds(targets, shape), ...(await this.#allWeights(weights)), x }, results);
    await this.#completeEmbedding(batch, trained, sink, { loss: loss.data[0]!, layer: 0, dy: dx, remainder: null }, weights);
    await sink.complete(inGraph.filter(({ name }) => name !== embedding.name));
    return finite(loss.data[0]!);
  }

  async #blockGradients(
    weights: Weights,
    batch: TokenBatch,
    shape: ProgramShape,
    targets: Targets,
    trained: ReadonlySet<string>,
    sink: GradientSink,
    resume: BackwardState | null,
  ): Promise<number> {
    const { blocks } = this.outline.parameters;
    const needInput = this.#trainsInput(trained);
    const lowest = needInput ? 0 : blocks.findIndex((block) => block.some(({ name }) => trained.has(name)));
    const bottom = lowest === -1 ? blocks.length : lowest;
    const ownOf = (layer: number) => blocks[layer]?.filter(({ name }) => trained.has(name)) ?? [];
    // Of a block that is still to do its own input is needed, not what it returns
    const end = resume ? Math.max(resume.layer - 1, 0) : blocks.length;
    const inputs = await this.#blockInputs(weights, batch, shape, end);

    let state = resume;
    if (!state) {
      const below = bottom < blocks.length || needInput;
      const x = inputs.pop()!;
      const { loss, dx, remainder } = await this.#head.backward(weights, shape, x, targets, trained, below, sink);
      this.#stage.free(x);
      state = { loss, layer: blocks.length, dy: dx, remainder };
      await sink.reached?.(state);
    }
    for (let layer = state.layer - 1; layer >= bottom; layer--) {
      const own = ownOf(layer);
      const roles = own.map(({ role }) => role);
      const further: boolean = layer > bottom || needInput;
      const session = this.#sessions.get(
        `block backward ${this.#kind(layer)} ${sizeKey(shape, false)} ${further} ${roles.join()}`,
        () => programs.blockBackward(this.outline, layer, shape, roles, further),
      );
      await sink.prepare?.(own, layer > bottom ? ownOf(layer - 1) : []);
      const results: Record<string, AnyTensor> = {};
      for (const parameter of own)
        results[programs.gradientOf(parameter.role)] = gradientTensor(parameter, sink.buffer(parameter));
      const dx = floatTensor(state.dy.shape);
      if (further) results[programs.gradientOf('x')] = dx;
      const feeds = await this.#block(weights, layer, layer > bottom ? layer - 1 : null);
      await session.run({ ...feeds, x: inputs[layer]!, dy: state.dy }, results);
      await sink.complete(own);
      this.#stage.free(inputs[layer]);
      inputs.length = layer;
      state = { ...state, layer, dy: dx };
      if (own.length > 0) await sink.reached?.(state);
    }
    await this.#completeEmbedding(batch, trained, sink, state, weights);
    return state.loss;
  }

  /** The input of every block below `end`, and what the last of them returns. */
  async #blockInputs(weights: Weights, batch: TokenBatch, shape: ProgramShape, end: number): Promise<AnyTensor[]> {
    const inputs: AnyTensor[] = [embed(this.outline, weights, batch)];
    for (let layer = 0; layer < end; layer++) inputs.push(await this.#through(weights, shape, layer, inputs[layer]!));
    return inputs;
  }

  /** What the last block returns. */
  async #throughBlocks(weights: Weights, batch: TokenBatch, shape: ProgramShape): Promise<AnyTensor> {
    let x: AnyTensor = embed(this.outline, weights, batch);
    for (const layer of this.outline.parameters.blocks.keys()) {
      const y = await this.#through(weights, shape, layer, x);
      this.#stage.free(x);
      x = y;
    }
    return x;
  }

  async #through(weights: Weights, shape: ProgramShape, layer: number, x: AnyTensor): Promise<AnyTensor> {
    const session = this.#sessions.get(`block forward ${this.#kind(layer)} ${sizeKey(shape, false)} `, () =>
      programs.blockForward(this.outline, layer, shape, []),
    );
    const y = await this.#stage.place(x.shape);
    await session.run({ ...(await this.#block(weights, layer, layer + 1)), x }, { y });
    return y;
  }

  /** A block's weights by role; those of block `next` are read meanwhile. */
  #block(weights: Weights, layer: number, next: number | null): Promise<Record<string, AnyTensor>> {
    const { blocks } = this.outline.parameters;
    const ahead = next === null ? undefined : blocks[next];
    return this.#stage.feeds([{ weights, parameters: blocks[layer]! }], ahead && [{ weights, parameters: ahead }]);
  }

  /** Whether something trains that block 0 stands on. */
  #trainsInput(trained: ReadonlySet<string>): boolean {
    const { embedding, positions } = this.outline.parameters;
    return trained.has(embedding.name) || (positions !== null && trained.has(positions.name));
  }

  /** Hands over the gradients of what block 0's input is the sum of, given the gradient of that input, and of an output matrix in stretches. */
  async #completeEmbedding(
    batch: TokenBatch,
    trained: ReadonlySet<string>,
    sink: GradientSink,
    state: BackwardState,
    weights: Weights,
  ): Promise<void> {
    const {
      dy: { data: dx },
      remainder,
    } = state;
    const { configuration, parameters } = this.outline;
    const { hidden, embeddingScale, tiedEmbeddings } = configuration;
    const { embedding, positions } = parameters;
    const rows = trained.has(embedding.name) ? sumRows(dx, hidden, batch.tokens, embeddingScale) : null;
    // The matrix first: its gradients need the weights as they were
    if (remainder) {
      await this.#head.finish(weights, remainder, sink, {
        addRows: async (part) => {
          if (rows && tiedEmbeddings) await addRows(sink, part, rows);
        },
        reached: async (nextRow) => sink.reached?.({ ...state, remainder: { ...remainder, nextRow } }),
      });
    }
    if (positions && trained.has(positions.name)) await sink.completeRows(positions, sumRows(dx, hidden, positionIds(batch), 1));
    if (!rows) return;
    if (!tiedEmbeddings) await sink.completeRows(embedding, rows);
    else if (!remainder) {
      await addRows(sink, embedding, rows);
      await sink.complete([embedding]);
    }
  }

  #allWeights(weights: Weights): Promise<Record<string, AnyTensor>> {
    const { blocks, head } = this.outline.parameters;
    return this.#stage.feeds([{ weights, parameters: [...blocks.flat(), ...head], feedName: ({ name }) => name }]);
  }

  #kind(layer: number): string {
    return this.outline.family.layerKind(this.outline.configuration, layer);
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

/** Adds the rows' gradient to that of the same matrix as the output's, or of a stretch of it. */
async function addRows(sink: GradientSink, parameter: Parameter, gradient: RowGradient): Promise<void> {
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

function firstRows(tensor: FloatTensor, rows: number): FloatTensor {
  const shape = [rows, ...tensor.shape.slice(1)];
  return floatTensor(shape, tensor.data.subarray(0, elementCount(shape)));
}
