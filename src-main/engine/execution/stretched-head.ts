/**
 * The end of a model whose output matrix is too large to be one tensor: it is taken in stretches of rows, each brought into memory, used and
 * left, so that neither it nor its gradient is ever there as a whole. head.ts has the usual case.
 */
import type { Parameter } from '../models/parameters.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import { sliceRows, type Weights, type WeightTensor } from '../weights.ts';
import { finite, gradientTensor, paddedIndices, weightOf } from './feeds.ts';
import type { GradientSink, HeadRemainder, LossPass } from './gradient-sink.ts';
import type { HeadPass } from './head.ts';
import * as programs from './head-programs.ts';
import { gradientOf, type ModelOutline, type ProgramShape } from './programs.ts';
import { type SessionCache, sizeKey } from './sessions.ts';
import type { Stage } from './stage.ts';

/** What a matrix in stretches is finished with. */
export interface FinishEvents {
  /** Adds to a stretch's gradient what its rows got as an embedding. */
  addRows(part: Parameter): Promise<void>;
  /** After each stretch. */
  reached(nextRow: number): Promise<void>;
}

export class StretchedHead {
  readonly matrix: Parameter;
  /** The matrix's stretches as parameters of their own, in order. */
  readonly parts: readonly Parameter[];
  readonly #outline: ModelOutline;
  readonly #sessions: SessionCache;
  readonly #stage: Stage;
  readonly #norm: Parameter[];
  readonly #slices = new WeakMap<WeightTensor, Map<number, WeightTensor>>();

  constructor(outline: ModelOutline, sessions: SessionCache, stage: Stage, stretches: number) {
    this.#outline = outline;
    this.#sessions = sessions;
    this.#stage = stage;
    this.matrix = outline.parameters.head.find(({ role }) => role === 'head')!;
    this.#norm = programs.normParameters(outline);
    const [vocabulary, hidden] = this.matrix.shape as [number, number];
    const rows = Math.ceil(vocabulary / stretches);
    this.parts = Array.from({ length: Math.ceil(vocabulary / rows) }, (_, index) => {
      const firstRow = index * rows;
      return { ...this.matrix, shape: [Math.min(rows, vocabulary - firstRow), hidden], firstRow };
    });
  }

  /** Logits [shape.rows, vocabulary] at the rows (padded) of x, and the final norm's output. */
  async logits(
    weights: Weights,
    shape: ProgramShape,
    x: AnyTensor,
    rows: readonly number[],
  ): Promise<{ logits: FloatTensor; normed: FloatTensor }> {
    const normed = await this.#normed(weights, shape, x, rows);
    return { logits: await this.#logits(weights, normed), normed };
  }

  /** Hands over the gradients of a matrix in stretches. */
  async finish(
    weights: Weights,
    { normed, dlogits, nextRow }: HeadRemainder,
    sink: GradientSink,
    { addRows, reached }: FinishEvents,
  ): Promise<void> {
    const matrix = weightOf(weights, this.matrix.name);
    const parts = this.parts.filter(({ firstRow = 0 }) => firstRow >= nextRow);
    for (const [index, part] of parts.entries()) {
      const [count] = part.shape as [number, number];
      await sink.prepare?.([part], parts.slice(index + 1, index + 2));
      const buffer = sink.buffer(part);
      const session = this.#session('head', normed.shape[0]!, count, () =>
        programs.headLogitsBackward(this.#outline, normed.shape[0]!, count, 'head'),
      );
      const feeds: Record<string, AnyTensor> = { dlogits: columnsOf(dlogits, part.firstRow!, count) };
      if (session.inputs.includes('normed')) feeds.normed = normed;
      if (session.inputs.includes('head')) feeds.head = (await this.#stage.values([this.#slice(matrix, part)]))[0]!;
      await session.run(feeds, { [gradientOf('head')]: gradientTensor(part, buffer) });
      await addRows(part);
      await sink.complete([part]);
      await reached(part.firstRow! + count);
    }
  }

  /** The loss, and the final norm's gradients; those of the matrix are what remains. */
  async backward(pass: LossPass, x: AnyTensor, needInput: boolean): Promise<HeadPass> {
    const { weights, shape, trained, sink } = pass;
    const { rows, targets, weights: counts } = pass.targets;
    const normed = await this.#normed(weights, shape, x, rows);
    const logits = await this.#logits(weights, normed);
    const { loss, dlogits } = lossAndSlope(logits, targets, counts);
    const own = this.#norm.filter(({ name }) => trained.has(name));
    const dx = floatTensor(x.shape);
    if (needInput || own.length > 0) {
      const dnormed = await this.#throughMatrix(weights, normed, dlogits);
      const roles = own.map(({ role }) => role);
      const session = this.#sessions.get(`final norm backward ${sizeKey(shape)} ${needInput} ${roles.join()}`, () =>
        programs.headNormBackward(this.#outline, shape, roles, needInput),
      );
      const results: Record<string, AnyTensor> = needInput ? { [gradientOf('x')]: dx } : {};
      await sink.prepare?.(own);
      for (const parameter of own) results[gradientOf(parameter.role)] = gradientTensor(parameter, sink.buffer(parameter));
      const feeds = await this.#stage.feeds([{ weights, parameters: this.#norm }]);
      await session.run({ ...feeds, x, rows: paddedIndices(rows, shape.rows), dnormed }, results);
      await sink.complete(own);
    }
    return { loss: finite(loss), dx, remainder: trained.has(this.matrix.name) ? { normed, dlogits, nextRow: 0 } : null };
  }

  async #normed(weights: Weights, shape: ProgramShape, x: AnyTensor, rows: readonly number[]): Promise<FloatTensor> {
    const session = this.#sessions.get(`final norm ${sizeKey(shape)}`, () => programs.headNorm(this.#outline, shape));
    const normed = floatTensor([shape.rows, this.#outline.configuration.hidden]);
    const feeds = await this.#stage.feeds([{ weights, parameters: this.#norm }]);
    await session.run({ ...feeds, x, rows: paddedIndices(rows, shape.rows) }, { normed });
    return normed;
  }

  async #logits(weights: Weights, normed: FloatTensor): Promise<FloatTensor> {
    const rows = normed.shape[0]!;
    const { vocabulary } = this.#outline.configuration;
    const logits = floatTensor([rows, vocabulary]);
    await this.#eachStretch(weights, async ({ firstRow = 0, shape }, head) => {
      const count = shape[0]!;
      const session = this.#session('logits', rows, count, () => programs.headLogits(this.#outline, rows, count));
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
      const session = this.#session('normed', rows, count, () =>
        programs.headLogitsBackward(this.#outline, rows, count, 'normed'),
      );
      const part = floatTensor(normed.shape);
      const feeds: Record<string, AnyTensor> = { head, dlogits: columnsOf(dlogits, firstRow, count) };
      if (session.inputs.includes('normed')) feeds.normed = normed;
      await session.run(feeds, { [gradientOf('normed')]: part });
      for (let index = 0; index < sum.data.length; index++) sum.data[index]! += part.data[index]!;
    });
    return sum;
  }

  async #eachStretch(weights: Weights, use: (part: Parameter, values: AnyTensor) => Promise<void>): Promise<void> {
    const matrix = weightOf(weights, this.matrix.name);
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

  #session(name: string, rows: number, count: number, build: Parameters<SessionCache['get']>[1]) {
    return this.#sessions.get(`stretch ${name} ${rows}x${count}`, build);
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
