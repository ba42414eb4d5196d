/**
 * The end of a model: final norm, output matrix, and the loss with its gradients, as one program; where the matrix is large, stretched-head.ts
 * does it. It runs no blocks and updates no weights.
 */
import type { Parameter } from '../models/parameters.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { finite, gradientTensor, lossFeeds, paddedIndices } from './feeds.ts';
import type { GradientSink, HeadRemainder, LossPass } from './gradient-sink.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { type SessionCache, sizeKey } from './sessions.ts';
import type { Stage } from './stage.ts';
import { type FinishEvents, StretchedHead } from './stretched-head.ts';

/** Elements of the output matrix up to which it is one tensor: 256 MiB. Fixed, so that a run gives the same numbers on every machine. */
export const wholeHeadElements = 2 ** 26;

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
  readonly #stretched: StretchedHead | null;

  constructor(outline: ModelOutline, sessions: SessionCache, stage: Stage, wholeElements = wholeHeadElements) {
    this.#outline = outline;
    this.#sessions = sessions;
    this.#stage = stage;
    const { vocabulary, hidden } = outline.configuration;
    const stretches = Math.ceil((vocabulary * hidden) / wholeElements);
    this.#stretched = stretches > 1 ? new StretchedHead(outline, sessions, stage, stretches) : null;
  }

  /** What a parameter trains as block by block: stretches where it is the matrix and is taken in them. */
  partsOf(parameter: Parameter): readonly Parameter[] {
    return this.#stretched && parameter.name === this.#stretched.matrix.name ? this.#stretched.parts : [parameter];
  }

  /** Logits [shape.rows, vocabulary] at the rows (padded) of x, and on request the final norm's output. */
  async logits(
    weights: Weights,
    shape: ProgramShape,
    x: AnyTensor,
    rows: readonly number[],
    withNorm = false,
  ): Promise<{ logits: FloatTensor; normed: FloatTensor | null }> {
    if (this.#stretched) return this.#stretched.logits(weights, shape, x, rows);
    const { vocabulary, hidden } = this.#outline.configuration;
    const names = withNorm ? ['final_norm'] : [];
    const session = this.#sessions.get(`head forward ${sizeKey(shape)} ${names.join()}`, () =>
      programs.headForward(this.#outline, shape, names),
    );
    const logits = floatTensor([shape.rows, vocabulary]);
    const normed = withNorm ? floatTensor([shape.rows, hidden]) : null;
    const results: Record<string, AnyTensor> = { logits };
    if (normed) results[programs.observed('final_norm')] = normed;
    await session.run({ ...(await this.#feeds(weights)), x, rows: paddedIndices(rows, shape.rows) }, results);
    return { logits, normed };
  }

  /** The loss, and the gradients of what is trained of the head; those of a matrix in stretches only by `finish`. */
  async backward(pass: LossPass, x: AnyTensor, needInput: boolean): Promise<HeadPass> {
    if (this.#stretched) return this.#stretched.backward(pass, x, needInput);
    const { weights, shape, targets, trained, sink } = pass;
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
    await session.run({ ...lossFeeds(targets, shape), ...(await this.#feeds(weights)), x }, results);
    // A tied matrix waits for the gradient of its rows
    await sink.complete(own.filter(({ name }) => name !== embedding.name));
    return { loss: finite(loss.data[0]!), dx, remainder: null };
  }

  /** Hands over the gradients of a matrix in stretches. */
  async finish(weights: Weights, remainder: HeadRemainder, sink: GradientSink, events: FinishEvents): Promise<void> {
    await this.#stretched?.finish(weights, remainder, sink, events);
  }

  #feeds(weights: Weights): Promise<Record<string, AnyTensor>> {
    const { head } = this.#outline.parameters;
    return this.#stage.feeds([{ weights, parameters: head, feedName: ({ name }) => name }]);
  }
}
