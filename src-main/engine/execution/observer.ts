/**
 * Runs a model layer by layer for scores: components' values and gradients of a batch of prompts, under old weights, new ones, or old weights
 * on the new model's inputs. It puts no scores together and trains nothing.
 */
import type { SessionSettings } from '../runtime/session.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import * as change from './change-programs.ts';
import type { TokenBatch, Weights } from './executor.ts';
import { byRole, embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import * as scores from './score-programs.ts';
import { type Component, componentInputs, components } from './score-programs.ts';
import { type ScoredMap, scoredMaps } from './scored-maps.ts';
import { SessionCache } from './sessions.ts';

/** One layer of one batch; every tensor is [batch * positions, ...]. */
export interface LayerReading {
  /** dL/d(the layer's input). */
  inputGradient: FloatTensor;
  values: Record<Component, FloatTensor>;
  gradients: Record<Component, FloatTensor>;
  /** What attention's and the MLP's first maps read. */
  inputs: Record<(typeof componentInputs)[number], FloatTensor>;
  /** By role of a linear map or its bias, [batch * positions, parts]; empty where no changed weights were given. */
  informative: Map<string, FloatTensor>;
}

export class Observer {
  readonly outline: ModelOutline;
  readonly maps: readonly ScoredMap[];
  readonly #sessions: SessionCache;

  constructor(outline: ModelOutline, settings: SessionSettings) {
    this.outline = outline;
    this.maps = scoredMaps(outline);
    this.#sessions = new SessionCache(settings);
  }

  release(): void {
    this.#sessions.release();
  }

  /** The input of every block, and of the head as the last. Errors: `TextTooLong`, `TokenOutsideVocabulary`. */
  async blockInputs(weights: Weights, { batch, rows }: Question): Promise<FloatTensor[]> {
    const shape = questionShape(this.outline, batch, rows);
    const inputs = [embed(this.outline, weights, batch)];
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block forward', layer, shape, () =>
        programs.blockForward(this.outline, layer, shape, []),
      );
      const y = floatTensor(inputs[0]!.shape);
      session.run({ ...byRole(weights, block), x: inputs[layer]! }, { y });
      inputs.push(y);
    }
    return inputs;
  }

  /**
   * The candidates' logits [rows, candidates] at the questions' rows, and the gradient at the head's input of the L whose derivatives by those
   * logits are `coefficients` [rows, candidates].
   */
  async head(
    weights: Weights,
    x: FloatTensor,
    { batch, rows, candidates }: Question,
    coefficients: Float32Array,
  ): Promise<{ logits: FloatTensor; inputGradient: FloatTensor }> {
    const shape = questionShape(this.outline, batch, rows);
    const session = await this.#headSession('candidate head', shape, candidates, scores.candidateHead);
    const logits = floatTensor([rows.length, candidates.length]);
    const inputGradient = floatTensor(x.shape);
    session.run(
      {
        ...headWeights(this.outline, weights, candidates),
        x,
        rows: indices(rows),
        coefficients: floatTensor(logits.shape, coefficients),
      },
      { logits, [programs.gradientOf('x')]: inputGradient },
    );
    return { logits, inputGradient };
  }

  /** Reads a layer, given its input and the gradient at its output; with `changed`, also what each linear map's change does to first order. */
  async layer(
    weights: Weights,
    layer: number,
    { batch, rows }: Question,
    x: FloatTensor,
    dy: FloatTensor,
    changed?: Weights,
  ): Promise<LayerReading> {
    const shape = questionShape(this.outline, batch, rows);
    const block = this.outline.parameters.blocks[layer]!;
    const maps = changed ? this.maps : [];
    const name = changed ? 'block reading with change' : 'block reading';
    const session = await this.#session(name, layer, shape, () =>
      scores.blockReading(this.outline, layer, shape, changed !== undefined),
    );
    const reading: LayerReading = {
      inputGradient: floatTensor(x.shape),
      values: this.#componentTensors(batch),
      gradients: this.#componentTensors(batch),
      inputs: { 'attn.in': floatTensor(x.shape), 'mlp.in': floatTensor(x.shape) },
      informative: new Map(maps.map(({ role, parts }) => [role, floatTensor([x.shape[0]!, parts ?? 1])])),
    };
    const feeds: Record<string, Tensor> = { ...byRole(weights, block), x, dy };
    const results: Record<string, Tensor> = { [programs.gradientOf('x')]: reading.inputGradient };
    for (const name of components) {
      results[programs.observed(name)] = reading.values[name];
      results[programs.gradientOf(name)] = reading.gradients[name];
    }
    for (const name of componentInputs) results[programs.observed(name)] = reading.inputs[name];
    if (changed) {
      const roles = new Set(maps.map(({ role }) => role));
      Object.assign(
        feeds,
        byRole(
          changed,
          block.filter(({ role }) => roles.has(role)),
          scores.changedWeight,
        ),
      );
      for (const [role, value] of reading.informative) results[scores.informativeOf(role)] = value;
    }
    session.run(feeds, results);
    return reading;
  }

  /** The components' values with these weights on given inputs of attention and MLP. */
  async onGivenInputs(
    weights: Weights,
    layer: number,
    { batch, rows }: Question,
    inputs: LayerReading['inputs'],
  ): Promise<LayerReading['values']> {
    const shape = questionShape(this.outline, batch, rows);
    const session = await this.#session('block on given inputs', layer, shape, () =>
      scores.blockOnGivenInputs(this.outline, layer, shape),
    );
    const values = this.#componentTensors(batch);
    const results = Object.fromEntries(components.map((name) => [programs.observed(name), values[name]]));
    session.run({ ...byRole(weights, this.outline.parameters.blocks[layer]!), ...inputs }, results);
    return values;
  }

  /** Logits [rows, candidates] with the weights old + scale (changed - old). */
  async logitsBetween(
    weights: Weights,
    changed: Weights,
    scale: number,
    { batch, rows, candidates }: Question,
  ): Promise<FloatTensor> {
    const shape = questionShape(this.outline, batch, rows);
    const start = embed(this.outline, weights, batch);
    const end = embed(this.outline, changed, batch);
    let x = floatTensor(
      start.shape,
      start.data.map((value, index) => value + scale * (end.data[index]! - value)),
    );
    const step = floatTensor([], Float32Array.of(scale));
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block between', layer, shape, () => change.blockBetween(this.outline, layer, shape));
      const y = floatTensor(x.shape);
      session.run({ ...byRole(weights, block), ...byRole(changed, block, scores.changedWeight), x, scale: step }, { y });
      x = y;
    }
    const session = await this.#headSession('head between', shape, candidates, change.headBetween);
    const logits = floatTensor([rows.length, candidates.length]);
    const feeds = {
      ...headWeights(this.outline, weights, candidates),
      ...headWeights(this.outline, changed, candidates, scores.changedWeight),
    };
    session.run({ ...feeds, x, rows: indices(rows), scale: step }, { logits });
    return logits;
  }

  /** The logits' derivative [rows, candidates] along changed - old of every parameter, at the old weights. */
  async logitTangents(weights: Weights, changed: Weights, { batch, rows, candidates }: Question): Promise<FloatTensor> {
    const shape = questionShape(this.outline, batch, rows);
    let x = embed(this.outline, weights, batch);
    const end = embed(this.outline, changed, batch);
    let tangent = floatTensor(
      x.shape,
      end.data.map((value, index) => value - x.data[index]!),
    );
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block tangent', layer, shape, () => change.blockTangent(this.outline, layer, shape));
      const y = floatTensor(x.shape);
      const next = floatTensor(x.shape);
      const feeds = {
        ...byRole(weights, block),
        ...byRole(changed, block, scores.changedWeight),
        x,
        [change.tangentOf('x')]: tangent,
      };
      session.run(feeds, { y, [change.tangentOf('y')]: next });
      x = y;
      tangent = next;
    }
    const session = await this.#headSession('head tangent', shape, candidates, change.headTangent);
    const tangents = floatTensor([rows.length, candidates.length]);
    const feeds = {
      ...headWeights(this.outline, weights, candidates),
      ...headWeights(this.outline, changed, candidates, scores.changedWeight),
    };
    session.run(
      { ...feeds, x, rows: indices(rows), [change.tangentOf('x')]: tangent },
      { [change.tangentOf('logits')]: tangents },
    );
    return tangents;
  }

  #session(
    name: string,
    layer: number,
    { batch, positions }: ProgramShape,
    build: () => ReturnType<typeof programs.blockForward>,
  ) {
    const kind = this.outline.family.layerKind(this.outline.configuration, layer);
    return this.#sessions.get(`${name} ${kind} ${batch}x${positions}`, build);
  }

  #headSession(name: string, shape: ProgramShape, { length }: readonly number[], build: typeof scores.candidateHead) {
    return this.#sessions.get(`${name} ${shape.batch}x${shape.positions}x${shape.rows}x${length}`, () =>
      build(this.outline, shape, length),
    );
  }

  #componentTensors({ batch, positions }: TokenBatch): Record<Component, FloatTensor> {
    const { heads, headSize, hidden } = this.outline.configuration;
    return { 'attn.z': floatTensor([batch * positions, heads * headSize]), 'mlp.out': floatTensor([batch * positions, hidden]) };
  }
}
