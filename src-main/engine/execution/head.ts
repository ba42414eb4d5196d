/**
 * The end of a model: final norm, output matrix, and the loss with its gradients. A matrix that is large is taken in stretches of rows, each
 * brought into memory, used and left, so that neither it nor its gradient is ever there as a whole. It runs no blocks and updates no weights.
 */
import type { Parameter } from '../models/parameters.ts';
import { type AnyTensor, DeviceTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import { sliceRows, type Weights, type WeightTensor } from '../weights.ts';
import { columnOf, finite, indexColumn, paddedIndices, weightOf } from './feeds.ts';
import type { GradientBuffer, GradientSink } from './gradient-sink.ts';
import * as stretches from './head-programs.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import type { SessionCache } from './sessions.ts';
import type { Stage } from './stage.ts';

/** Elements of the output matrix up to which it is one tensor: 256 MiB. Fixed, so that a run gives the same numbers on every machine. */
export const wholeHeadElements = 2 ** 26;

/** Rows of the logits, what each should have been, and how much it counts. */
export interface HeadTargets {
  rows: readonly number[];
  targets: readonly number[];
  weights: readonly number[];
}

/** What is left to do for the output matrix after the way back through the blocks has begun. */
export interface HeadRemainder {
  /** [rows, hidden] */
  normed: FloatTensor;
  /** [rows, vocabulary]: dL/dlogits. */
  dlogits: FloatTensor;
  /** The matrix's rows before this one are done. */
  nextRow: number;
}

/** What a matrix in stretches is finished with. */
interface FinishEvents {
  /** Adds to a stretch's gradient what its rows got as an embedding. */
  addRows(part: Parameter): Promise<void>;
  /** After each stretch. */
  reached(nextRow: number): Promise<void>;
}

export interface HeadPass {
  loss: number;
  /** dL/dx of the last block's output; zeros where nothing below is trained. */
  dx: FloatTensor;
  /** null: the output matrix is not trained, or done. */
  remainder: HeadRemainder | null;
}

export class Head {
  readonly #outline: ModelOutline;
  readonly #sessions: SessionCache;
  readonly #stage: Stage;
  readonly #matrix: Parameter;
  readonly #norm: Parameter[];
  readonly #stretch: number;
  readonly #slices = new WeakMap<WeightTensor, Map<number, WeightTensor>>();

  constructor(outline: ModelOutline, sessions: SessionCache, stage: Stage, wholeElements = wholeHeadElements) {
    this.#outline = outline;
    this.#sessions = sessions;
    this.#stage = stage;
    this.#matrix = outline.parameters.head.find(({ role }) => role === 'head')!;
    this.#norm = stretches.normParameters(outline);
    const [vocabulary, hidden] = this.#matrix.shape as [number, number];
    const parts = Math.ceil((vocabulary * hidden) / wholeElements);
    this.#stretch = Math.ceil(vocabulary / parts);
  }

  /** Whether the matrix is one tensor. */
  get isWhole(): boolean {
    return this.#stretch >= this.#matrix.shape[0]!;
  }

  /** The output matrix's stretches as parameters of their own, in order. */
  get parts(): Parameter[] {
    const [vocabulary, hidden] = this.#matrix.shape as [number, number];
    return Array.from({ length: Math.ceil(vocabulary / this.#stretch) }, (_, index) => {
      const first = index * this.#stretch;
      const count = Math.min(this.#stretch, vocabulary - first);
      return { ...this.#matrix, shape: [count, hidden], firstRow: first };
    });
  }

  /** What a parameter trains as block by block: stretches where it is the matrix and is taken in them. */
  partsOf(parameter: Parameter): readonly Parameter[] {
    return parameter.name === this.#matrix.name && !this.isWhole ? this.parts : [parameter];
  }

  /** Logits [shape.rows, vocabulary] at the rows (padded) of x, and on request the final norm's output. */
  async logits(
    weights: Weights,
    shape: ProgramShape,
    x: AnyTensor,
    rows: readonly number[],
    withNorm = false,
  ): Promise<{ logits: FloatTensor; normed: FloatTensor | null }> {
    const { vocabulary, hidden } = this.#outline.configuration;
    if (!this.isWhole) {
      const normed = await this.#normed(weights, shape, x, rows);
      return { logits: await this.#stretchedLogits(weights, normed), normed };
    }
    const names = withNorm ? ['final_norm'] : [];
    const session = this.#sessions.get(`head forward ${sizeKey(shape)} ${names.join()}`, () =>
      programs.headForward(this.#outline, shape, names),
    );
    const logits = floatTensor([shape.rows, vocabulary]);
    const normed = withNorm ? floatTensor([shape.rows, hidden]) : null;
    const results: Record<string, AnyTensor> = { logits };
    if (normed) results[programs.observed('final_norm')] = normed;
    await session.run({ ...(await this.#wholeFeeds(weights)), x, rows: paddedIndices(rows, shape.rows) }, results);
    return { logits, normed };
  }

  /** The loss, and the gradients of what is trained of the head; those of a matrix in stretches only by `finish`. */
  async backward(
    weights: Weights,
    shape: ProgramShape,
    x: AnyTensor,
    targets: HeadTargets,
    trained: ReadonlySet<string>,
    needInput: boolean,
    sink: GradientSink,
  ): Promise<HeadPass> {
    if (!this.isWhole) return this.#stretchedBackward(weights, shape, x, targets, trained, needInput, sink);
    const { embedding, head } = this.#outline.parameters;
    const own = head.filter(({ name }) => trained.has(name));
    const names = own.map(({ name }) => name);
    const session = this.#sessions.get(`head training ${sizeKey(shape)} ${needInput} ${names.join()}`, () =>
      programs.headTraining(this.#outline, shape, names, needInput),
    );
    const loss = floatTensor([]);
    const dx = floatTensor(x.shape);
    const results: Record<string, AnyTensor> = { loss };
    if (needInput) results[programs.gradientOf('x')] = dx;
    await sink.prepare?.(own);
    for (const parameter of own) results[programs.gradientOf(parameter.name)] = gradientTensor(parameter, sink.buffer(parameter));
    await session.run({ ...lossFeeds(targets, shape), ...(await this.#wholeFeeds(weights)), x }, results);
    // A tied matrix waits for the gradient of its rows
    await sink.complete(own.filter(({ name }) => name !== embedding.name));
    return { loss: finite(loss.data[0]!), dx, remainder: null };
  }

  /** Hands over the gradients of a matrix in stretches. */
  async finish(
    weights: Weights,
    { normed, dlogits, nextRow }: HeadRemainder,
    sink: GradientSink,
    { addRows, reached }: FinishEvents,
  ): Promise<void> {
    const matrix = weightOf(weights, this.#matrix.name);
    const parts = this.parts.filter(({ firstRow = 0 }) => firstRow >= nextRow);
    for (const [index, part] of parts.entries()) {
      const [count] = part.shape as [number, number];
      await sink.prepare?.([part], parts.slice(index + 1, index + 2));
      const buffer = sink.buffer(part);
      const session = this.#stretchSession('head', normed.shape[0]!, count, () =>
        stretches.headLogitsBackward(this.#outline, normed.shape[0]!, count, 'head'),
      );
      const feeds: Record<string, AnyTensor> = { dlogits: columnsOf(dlogits, part.firstRow!, count) };
      if (session.inputs.includes('normed')) feeds.normed = normed;
      if (session.inputs.includes('head')) feeds.head = (await this.#stage.values([this.#slice(matrix, part)]))[0]!;
      await session.run(feeds, { [programs.gradientOf('head')]: gradientTensor(part, buffer) });
      await addRows(part);
      await sink.complete([part]);
      await reached(part.firstRow! + count);
    }
  }

  async #stretchedBackward(
    weights: Weights,
    shape: ProgramShape,
    x: AnyTensor,
    { rows, targets, weights: counts }: HeadTargets,
    trained: ReadonlySet<string>,
    needInput: boolean,
    sink: GradientSink,
  ): Promise<HeadPass> {
    const normed = await this.#normed(weights, shape, x, rows);
    const logits = await this.#stretchedLogits(weights, normed);
    const { loss, dlogits } = lossAndSlope(logits, targets, counts);
    const own = this.#norm.filter(({ name }) => trained.has(name));
    const dx = floatTensor(x.shape);
    if (needInput || own.length > 0) {
      const dnormed = await this.#throughMatrix(weights, normed, dlogits);
      const roles = own.map(({ role }) => role);
      const session = this.#sessions.get(`final norm backward ${sizeKey(shape)} ${needInput} ${roles.join()}`, () =>
        stretches.headNormBackward(this.#outline, shape, roles, needInput),
      );
      const results: Record<string, AnyTensor> = needInput ? { [programs.gradientOf('x')]: dx } : {};
      await sink.prepare?.(own);
      for (const parameter of own)
        results[programs.gradientOf(parameter.role)] = gradientTensor(parameter, sink.buffer(parameter));
      const feeds = await this.#stage.feeds([{ weights, parameters: this.#norm }]);
      await session.run({ ...feeds, x, rows: paddedIndices(rows, shape.rows), dnormed }, results);
      await sink.complete(own);
    }
    return { loss: finite(loss), dx, remainder: trained.has(this.#matrix.name) ? { normed, dlogits, nextRow: 0 } : null };
  }

  async #normed(weights: Weights, shape: ProgramShape, x: AnyTensor, rows: readonly number[]): Promise<FloatTensor> {
    const session = this.#sessions.get(`final norm ${sizeKey(shape)}`, () => stretches.headNorm(this.#outline, shape));
    const normed = floatTensor([shape.rows, this.#outline.configuration.hidden]);
    const feeds = await this.#stage.feeds([{ weights, parameters: this.#norm }]);
    await session.run({ ...feeds, x, rows: paddedIndices(rows, shape.rows) }, { normed });
    return normed;
  }

  async #stretchedLogits(weights: Weights, normed: FloatTensor): Promise<FloatTensor> {
    const rows = normed.shape[0]!;
    const { vocabulary } = this.#outline.configuration;
    const logits = floatTensor([rows, vocabulary]);
    await this.#eachStretch(weights, async ({ firstRow = 0, shape }, head) => {
      const count = shape[0]!;
      const session = this.#stretchSession('logits', rows, count, () => stretches.headLogits(this.#outline, rows, count));
      const part = floatTensor([rows, count]);
      await session.run({ normed, head }, { logits: part });
      for (let row = 0; row < rows; row++)
        logits.data.set(part.data.subarray(row * count, (row + 1) * count), row * vocabulary + firstRow);
    });
    return logits;
  }

  /** dL/dnormed, summed over the stretches in order. */
  async #throughMatrix(weights: Weights, normed: FloatTensor, dlogits: FloatTensor): Promise<FloatTensor> {
    const rows = normed.shape[0]!;
    const sum = floatTensor(normed.shape);
    await this.#eachStretch(weights, async ({ firstRow = 0, shape }, head) => {
      const count = shape[0]!;
      const session = this.#stretchSession('normed', rows, count, () =>
        stretches.headLogitsBackward(this.#outline, rows, count, 'normed'),
      );
      const part = floatTensor(normed.shape);
      const feeds: Record<string, AnyTensor> = { head, dlogits: columnsOf(dlogits, firstRow, count) };
      if (session.inputs.includes('normed')) feeds.normed = normed;
      await session.run(feeds, { [programs.gradientOf('normed')]: part });
      for (let index = 0; index < sum.data.length; index++) sum.data[index]! += part.data[index]!;
    });
    return sum;
  }

  async #eachStretch(weights: Weights, use: (part: Parameter, values: AnyTensor) => Promise<void>): Promise<void> {
    const matrix = weightOf(weights, this.#matrix.name);
    const parts = this.parts;
    const slices = parts.map((part) => this.#slice(matrix, part));
    for (const [index, part] of parts.entries()) {
      const [values] = await this.#stage.values([slices[index]!], slices.slice(index + 1, index + 2));
      await use(part, values!);
    }
  }

  /** A stretch of the matrix: the same tensor each time, by which stages know what they have. */
  #slice(matrix: WeightTensor, { firstRow = 0, shape }: Parameter): WeightTensor {
    const count = shape[0]!;
    if (matrix.type !== 'stored') return sliceRows(matrix, firstRow, count);
    const slices = this.#slices.get(matrix) ?? new Map<number, WeightTensor>();
    this.#slices.set(matrix, slices);
    const slice = slices.get(firstRow) ?? matrix.slice(firstRow, count);
    // One that happens to be in memory may be of this moment only
    if (slice.type === 'stored') slices.set(firstRow, slice);
    return slice;
  }

  #stretchSession(name: string, rows: number, count: number, build: Parameters<SessionCache['get']>[1]) {
    return this.#sessions.get(`stretch ${name} ${rows}x${count}`, build);
  }

  #wholeFeeds(weights: Weights): Promise<Record<string, AnyTensor>> {
    const { head } = this.#outline.parameters;
    return this.#stage.feeds([{ weights, parameters: head, feedName: ({ name }) => name }]);
  }
}

/**
 * Mean cross entropy as programs.ts's crossEntropy has it, and its derivative by the logits: weight (softmax - one at the target). Rows beyond
 * the targets are padding.
 */
function lossAndSlope(
  logits: FloatTensor,
  targets: readonly number[],
  weights: readonly number[],
): { loss: number; dlogits: FloatTensor } {
  const vocabulary = logits.shape[1]!;
  const dlogits = floatTensor(logits.shape);
  let loss = 0;
  for (const [row, target] of targets.entries()) {
    const values = logits.data.subarray(row * vocabulary, (row + 1) * vocabulary);
    const slopes = dlogits.data.subarray(row * vocabulary, (row + 1) * vocabulary);
    const weight = weights[row]!;
    let maximum = Number.NEGATIVE_INFINITY;
    for (const value of values) if (!(value <= maximum)) maximum = value;
    let sum = 0;
    for (const value of values) sum += Math.exp(value - maximum);
    const normalizer = maximum + Math.log(sum);
    for (let index = 0; index < vocabulary; index++) slopes[index] = weight * Math.exp(values[index]! - normalizer);
    slopes[target]! -= weight;
    loss += weight * (normalizer - values[target]!);
  }
  return { loss, dlogits };
}

/** Columns of a matrix [rows, width]. */
function columnsOf({ shape, data }: FloatTensor, first: number, count: number): FloatTensor {
  const [rows, width] = shape as [number, number];
  const taken = floatTensor([rows, count]);
  for (let row = 0; row < rows; row++)
    taken.data.set(data.subarray(row * width + first, row * width + first + count), row * count);
  return taken;
}

/** A gradient's place as programs write into it. */
export const gradientTensor = ({ shape }: Parameter, buffer: GradientBuffer): AnyTensor =>
  buffer instanceof DeviceTensor ? buffer : floatTensor(shape, buffer);

/** What a program with a loss is fed. */
export const lossFeeds = ({ rows, targets, weights }: HeadTargets, shape: ProgramShape): Record<string, AnyTensor> => ({
  rows: paddedIndices(rows, shape.rows),
  targets: indexColumn(targets, shape.rows),
  'target weights': columnOf(weights, shape.rows),
});

export const sizeKey = ({ batch, positions, rows }: ProgramShape, withRows = true): string =>
  `${batch}x${positions}${withRows ? `x${rows}` : ''}`;
