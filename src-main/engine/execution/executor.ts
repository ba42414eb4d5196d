/**
 * Runs a model's programs over a set of weights: logits, and losses with gradients handed over group by group.
 * Small models run as one program, others block by block; callers see no difference but speed and memory. It updates no weights.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter } from '../models/parameters.ts';
import type { SessionSettings } from '../runtime/session.ts';
import { elementCount, type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import { type RowGradient, sumRows } from './embedding.ts';
import { byRole, embed, positionIds, questionShape, weightOf } from './feeds.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { SessionCache } from './sessions.ts';

/** A full set of parameters by file name. */
export type Weights = ReadonlyMap<string, FloatTensor>;

/** Right-padded tokens, row-major [batch, positions]; padding may hold any token of the vocabulary. */
export interface TokenBatch {
  tokens: Int32Array;
  batch: number;
  positions: number;
}

/** Where the loss is taken: row r (= item * positions + position) predicts `targets[r]` with `weights[r]`. */
export interface Targets {
  rows: readonly number[];
  targets: readonly number[];
  weights: readonly number[];
}

/** Receives gradients. A group's buffers may be used from `complete` on until the sink's next call. */
export interface GradientSink {
  /** Where this parameter's gradient goes; whatever it holds is overwritten. */
  buffer(parameter: Parameter): Float32Array;
  complete(parameters: readonly Parameter[]): void;
  /** The gradient of the embedding where it is not tied, or of learned positions: only the rows that were read. */
  completeRows(embedding: Parameter, gradient: RowGradient): void;
}

export type ExecutionMode = 'whole' | 'blocks';

export interface ExecutorSettings extends SessionSettings {
  /** Default: whole where all parameters together are below `wholeLimit`. */
  mode?: ExecutionMode;
}

/**
 * Bytes of parameters up to which one program for the whole model is used: its gradients all live at once. Fixed rather than chosen by free
 * memory, because the two ways round differently and a run must give the same numbers every time.
 */
const wholeLimit = 2 ** 30;

/** How a model is run: as asked for, else whole where all parameters together are at most `limit` bytes. */
export function executionMode({ parameters }: ModelOutline, { mode }: ExecutorSettings, limit = wholeLimit): ExecutionMode {
  return mode ?? (parameters.count * 4 <= limit ? 'whole' : 'blocks');
}

/** The head's rows are padded to a multiple, so that batches with a few rows more or less share a program. */
function paddedRows(rows: number): number {
  const multiple = rows <= 64 ? 8 : 32;
  return Math.ceil(Math.max(rows, 1) / multiple) * multiple;
}

export class Executor {
  readonly outline: ModelOutline;
  /** As given; observers of the same run take the same. */
  readonly settings: ExecutorSettings;
  readonly mode: ExecutionMode;
  readonly #sessions: SessionCache;

  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    this.outline = outline;
    this.settings = settings;
    this.mode = executionMode(outline, settings);
    this.#sessions = new SessionCache(settings);
  }

  release(): void {
    this.#sessions.release();
  }

  /** Logits [rows, vocabulary] at the given rows (item * positions + position). */
  async logits(weights: Weights, batch: TokenBatch, rows: readonly number[]): Promise<FloatTensor> {
    if (this.mode === 'blocks') return (await this.forward(weights, batch, rows, [])).logits;
    const shape = this.#shape(batch, rows);
    const session = await this.#sessions.get(`whole forward ${key(shape)}`, () => programs.wholeForward(this.outline, shape));
    const logits = floatTensor([shape.rows, this.outline.configuration.vocabulary]);
    session.run(
      { ...this.#allWeights(weights), x: embed(this.outline, weights, batch), rows: rowIndices(rows, shape.rows) },
      { logits },
    );
    return firstRows(logits, rows.length);
  }

  /**
   * Block by block with observed values: `observe` names values within a layer (`attn.z`, `mlp.act`, `mlp.out`) or `final_norm`.
   * The result maps `layers.N.attn.z`, `layers.N.resid` (the layer's output), `embedding` and `final_norm` (of the given rows) to tensors of [batch * positions, ...].
   */
  async forward(
    weights: Weights,
    batch: TokenBatch,
    rows: readonly number[],
    observe: readonly string[],
  ): Promise<{ logits: FloatTensor; observed: Map<string, FloatTensor> }> {
    const { configuration, parameters } = this.outline;
    const shape = this.#shape(batch, rows);
    const observed = new Map<string, FloatTensor>();
    let x = embed(this.outline, weights, batch);
    observed.set('embedding', x);
    for (const [layer, block] of parameters.blocks.entries()) {
      const graphKey = `block forward ${this.#kind(layer)} ${key(shape, false)} ${observe.join()}`;
      const session = await this.#sessions.get(graphKey, () => programs.blockForward(this.outline, layer, shape, observe));
      const y = floatTensor(x.shape);
      const results: Record<string, Tensor> = { y };
      for (const [name, size] of this.#observedShapes(observe, batch)) {
        const value = floatTensor(size);
        results[programs.observed(name)] = value;
        observed.set(`layers.${layer}.${name}`, value);
      }
      session.run({ ...byRole(weights, block), x }, results);
      observed.set(`layers.${layer}.resid`, y);
      x = y;
    }
    const names = observe.filter((name) => name === 'final_norm');
    const session = await this.#sessions.get(`head forward ${key(shape)} ${names.join()}`, () =>
      programs.headForward(this.outline, shape, names),
    );
    const logits = floatTensor([shape.rows, configuration.vocabulary]);
    const results: Record<string, Tensor> = { logits };
    if (names.length > 0) results[programs.observed('final_norm')] = floatTensor([shape.rows, configuration.hidden]);
    session.run({ ...byName(weights, parameters.head), x, rows: rowIndices(rows, shape.rows) }, results);
    const normed = results[programs.observed('final_norm')];
    if (normed) observed.set('final_norm', firstRows(normed as FloatTensor, rows.length));
    return { logits: firstRows(logits, rows.length), observed };
  }

  /**
   * The loss of one batch, and the gradients of the `trained` parameters, handed to `sink`: from the head down to the lowest trained layer,
   * then the embedding. Values of `Targets.weights` that sum to 1 make the loss a mean.
   */
  async lossAndGradients(
    weights: Weights,
    batch: TokenBatch,
    targets: Targets,
    trained: ReadonlySet<string>,
    sink: GradientSink,
  ): Promise<number> {
    const shape = this.#shape(batch, targets.rows);
    const feeds = {
      rows: rowIndices(targets.rows, shape.rows),
      targets: integerColumn(targets.targets, shape.rows),
      'target weights': floatColumn(targets.weights, shape.rows),
    };
    return this.mode === 'whole'
      ? this.#wholeGradients(weights, batch, shape, feeds, trained, sink)
      : this.#blockGradients(weights, batch, shape, feeds, trained, sink);
  }

  async #wholeGradients(
    weights: Weights,
    batch: TokenBatch,
    shape: ProgramShape,
    feeds: Record<string, Tensor>,
    trained: ReadonlySet<string>,
    sink: GradientSink,
  ): Promise<number> {
    const { embedding, blocks, head } = this.outline.parameters;
    const inGraph = [...blocks.flat(), ...head].filter(({ name }) => trained.has(name));
    const needInput = this.#trainsInput(trained);
    const names = inGraph.map(({ name }) => name);
    const session = await this.#sessions.get(`whole training ${key(shape)} ${needInput} ${names.join()}`, () =>
      programs.wholeTraining(this.outline, shape, names, needInput),
    );
    const x = embed(this.outline, weights, batch);
    const { results, loss } = gradientResults(inGraph, sink);
    const dx = floatTensor(x.shape);
    if (needInput) results[programs.gradientOf('x')] = dx;
    session.run({ ...feeds, ...this.#allWeights(weights), x }, results);
    this.#completeEmbedding(batch, dx.data, trained, sink);
    sink.complete(inGraph.filter(({ name }) => name !== embedding.name));
    return finite(loss);
  }

  async #blockGradients(
    weights: Weights,
    batch: TokenBatch,
    shape: ProgramShape,
    feeds: Record<string, Tensor>,
    trained: ReadonlySet<string>,
    sink: GradientSink,
  ): Promise<number> {
    const { embedding, blocks, head } = this.outline.parameters;
    const needInput = this.#trainsInput(trained);
    const lowest = needInput ? 0 : blocks.findIndex((block) => block.some(({ name }) => trained.has(name)));
    const bottom = lowest === -1 ? blocks.length : lowest;
    const inputs = await this.#blockInputs(weights, batch, shape);

    const trainedHead = head.filter(({ name }) => trained.has(name));
    const below = bottom < blocks.length || needInput;
    const headNames = trainedHead.map(({ name }) => name);
    const headSession = await this.#sessions.get(`head training ${key(shape)} ${below} ${headNames.join()}`, () =>
      programs.headTraining(this.outline, shape, headNames, below),
    );
    const { results, loss } = gradientResults(trainedHead, sink);
    let dy = floatTensor(inputs[0]!.shape);
    if (below) results[programs.gradientOf('x')] = dy;
    headSession.run({ ...feeds, ...byName(weights, head), x: inputs[blocks.length]! }, results);
    // A tied matrix waits for the gradient of its rows
    sink.complete(trainedHead.filter(({ name }) => name !== embedding.name));

    for (let layer = blocks.length - 1; layer >= bottom; layer--) {
      const block = blocks[layer]!;
      const own = block.filter(({ name }) => trained.has(name));
      const roles = own.map(({ role }) => role);
      const further = layer > bottom || needInput;
      if (roles.length === 0 && !further) break;
      const session = await this.#sessions.get(
        `block backward ${this.#kind(layer)} ${key(shape, false)} ${further} ${roles.join()}`,
        () => programs.blockBackward(this.outline, layer, shape, roles, further),
      );
      const blockResults: Record<string, Tensor> = {};
      for (const parameter of own)
        blockResults[programs.gradientOf(parameter.role)] = floatTensor(parameter.shape, sink.buffer(parameter));
      const dx = floatTensor(dy.shape);
      if (further) blockResults[programs.gradientOf('x')] = dx;
      session.run({ ...byRole(weights, block), x: inputs[layer]!, dy }, blockResults);
      sink.complete(own);
      dy = dx;
    }
    this.#completeEmbedding(batch, dy.data, trained, sink);
    return finite(loss);
  }

  /** The input of every block, and of the head as the last. */
  async #blockInputs(weights: Weights, batch: TokenBatch, shape: ProgramShape): Promise<FloatTensor[]> {
    const inputs = [embed(this.outline, weights, batch)];
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#sessions.get(`block forward ${this.#kind(layer)} ${key(shape, false)} `, () =>
        programs.blockForward(this.outline, layer, shape, []),
      );
      const y = floatTensor(inputs[0]!.shape);
      session.run({ ...byRole(weights, block), x: inputs[layer]! }, { y });
      inputs.push(y);
    }
    return inputs;
  }

  /** Whether something trains that block 0 stands on. */
  #trainsInput(trained: ReadonlySet<string>): boolean {
    const { embedding, positions } = this.outline.parameters;
    return trained.has(embedding.name) || (positions !== null && trained.has(positions.name));
  }

  /** Hands over the gradients of what block 0's input is the sum of, given the gradient of that input. */
  #completeEmbedding(batch: TokenBatch, dx: Float32Array, trained: ReadonlySet<string>, sink: GradientSink): void {
    const { configuration, parameters } = this.outline;
    const { hidden, embeddingScale } = configuration;
    const { embedding, positions } = parameters;
    if (positions && trained.has(positions.name)) sink.completeRows(positions, sumRows(dx, hidden, positionIds(batch), 1));
    if (!trained.has(embedding.name)) return;
    const gradient = sumRows(dx, hidden, batch.tokens, embeddingScale);
    if (configuration.tiedEmbeddings) this.#completeTied(gradient, sink);
    else sink.completeRows(embedding, gradient);
  }

  /** Adds the rows' gradient to that of the same matrix as the output's. */
  #completeTied({ rows, values }: RowGradient, sink: GradientSink): void {
    const { embedding } = this.outline.parameters;
    const { hidden } = this.outline.configuration;
    const dense = sink.buffer(embedding);
    rows.forEach((row, index) => {
      for (let column = 0; column < hidden; column++) dense[row * hidden + column]! += values[index * hidden + column]!;
    });
    sink.complete([embedding]);
  }

  #allWeights(weights: Weights): Record<string, Tensor> {
    return byName(weights, [...this.outline.parameters.blocks.flat(), ...this.outline.parameters.head]);
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

const key = ({ batch, positions, rows }: ProgramShape, withRows = true): string =>
  `${batch}x${positions}${withRows ? `x${rows}` : ''}`;

const byName = (weights: Weights, parameters: readonly Parameter[]): Record<string, Tensor> =>
  Object.fromEntries(parameters.map(({ name }) => [name, weightOf(weights, name)]));

function gradientResults(
  parameters: readonly Parameter[],
  sink: GradientSink,
): { results: Record<string, Tensor>; loss: FloatTensor } {
  const loss = floatTensor([]);
  const results: Record<string, Tensor> = { loss };
  for (const parameter of parameters)
    results[programs.gradientOf(parameter.name)] = floatTensor(parameter.shape, sink.buffer(parameter));
  return { results, loss };
}

function finite(loss: FloatTensor): number {
  const value = loss.data[0]!;
  if (Number.isFinite(value)) return value;
  throw new HopscopeError(
    'LossNotFinite',
    `The loss became ${value}; lower the learning rate, and check the weights for values that are not finite.`,
    'failure',
  );
}

function firstRows(tensor: FloatTensor, rows: number): FloatTensor {
  const shape = [rows, ...tensor.shape.slice(1)];
  return floatTensor(shape, tensor.data.subarray(0, elementCount(shape)));
}

const rowIndices = (rows: readonly number[], padded: number): Tensor => ({
  type: 'int64',
  shape: [padded],
  data: BigInt64Array.from({ length: padded }, (_, index) => BigInt(rows[index] ?? 0)),
});

const integerColumn = (values: readonly number[], padded: number): Tensor => ({
  ...rowIndices(values, padded),
  shape: [padded, 1],
});

const floatColumn = (values: readonly number[], padded: number): Tensor =>
  floatTensor(
    [padded, 1],
    Float32Array.from({ length: padded }, (_, index) => values[index] ?? 0),
  );
