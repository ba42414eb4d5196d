/**
 * Runs a model layer by layer for scores: components' values and gradients of a batch of prompts, under old weights, new ones, or old weights
 * on the new model's inputs. It puts no scores together and trains nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter } from '../models/parameters.ts';
import type { SessionSettings } from '../runtime/session.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import * as change from './change-programs.ts';
import { lookUp } from './embedding.ts';
import type { TokenBatch, Weights } from './executor.ts';
import * as programs from './programs.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as scores from './score-programs.ts';
import { type Component, components, componentInputs, type ScoredMap } from './score-programs.ts';
import { SessionCache } from './sessions.ts';

/** Right-padded prompts, each asked at one row (item * positions + position) for the logits of the same candidate tokens. */
export interface Question {
  batch: TokenBatch;
  rows: readonly number[];
  candidates: readonly number[];
}

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
    this.maps = scores.scoredMaps(outline);
    this.#sessions = new SessionCache(settings);
  }

  release(): void {
    this.#sessions.release();
  }

  /** The input of every block, and of the head as the last. Errors: `TextTooLong`, `TokenOutsideVocabulary`. */
  async blockInputs(weights: Weights, { batch, rows }: Question): Promise<FloatTensor[]> {
    const shape = this.#shape(batch, rows);
    const inputs = [this.#embed(weights, batch)];
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block forward', layer, shape, () => programs.blockForward(this.outline, layer, shape, []));
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
  async head(weights: Weights, x: FloatTensor, { batch, rows, candidates }: Question, coefficients: Float32Array): Promise<{ logits: FloatTensor; inputGradient: FloatTensor }> {
    const shape = this.#shape(batch, rows);
    const session = await this.#headSession('candidate head', shape, candidates, scores.candidateHead);
    const logits = floatTensor([rows.length, candidates.length]);
    const inputGradient = floatTensor(x.shape);
    session.run(
      { ...this.#headWeights(weights, candidates), x, rows: indices(rows), coefficients: floatTensor(logits.shape, coefficients) },
      { logits, [programs.gradientOf('x')]: inputGradient },
    );
    return { logits, inputGradient };
  }

  /** Reads a layer, given its input and the gradient at its output; with `changed`, also what each linear map's change does to first order. */
  async layer(weights: Weights, layer: number, { batch, rows }: Question, x: FloatTensor, dy: FloatTensor, changed?: Weights): Promise<LayerReading> {
    const shape = this.#shape(batch, rows);
    const block = this.outline.parameters.blocks[layer]!;
    const maps = changed ? this.maps : [];
    const name = changed ? 'block reading with change' : 'block reading';
    const session = await this.#session(name, layer, shape, () => scores.blockReading(this.outline, layer, shape, changed !== undefined));
    const reading: LayerReading = {
      inputGradient: floatTensor(x.shape),
      values: this.#componentTensors(batch),
      gradients: this.#componentTensors(batch),
      inputs: { 'attn.in': floatTensor(x.shape), 'mlp.in': floatTensor(x.shape) },
      informative: new Map(maps.map(({ role, parts }) => [role, floatTensor([x.shape[0]!, parts])])),
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
      Object.assign(feeds, byRole(changed, block.filter(({ role }) => roles.has(role)), scores.changedWeight));
      for (const [role, value] of reading.informative) results[scores.informativeOf(role)] = value;
    }
    session.run(feeds, results);
    return reading;
  }

  /** The components' values with these weights on given inputs of attention and MLP. */
  async onGivenInputs(weights: Weights, layer: number, { batch, rows }: Question, inputs: LayerReading['inputs']): Promise<LayerReading['values']> {
    const shape = this.#shape(batch, rows);
    const session = await this.#session('block on given inputs', layer, shape, () => scores.blockOnGivenInputs(this.outline, layer, shape));
    const values = this.#componentTensors(batch);
    const results = Object.fromEntries(components.map((name) => [programs.observed(name), values[name]]));
    session.run({ ...byRole(weights, this.outline.parameters.blocks[layer]!), ...inputs }, results);
    return values;
  }

  /** Logits [rows, candidates] with the weights old + scale (changed - old). */
  async logitsBetween(weights: Weights, changed: Weights, scale: number, { batch, rows, candidates }: Question): Promise<FloatTensor> {
    const shape = this.#shape(batch, rows);
    const start = this.#embed(weights, batch);
    const end = this.#embed(changed, batch);
    let x = floatTensor(start.shape, start.data.map((value, index) => value + scale * (end.data[index]! - value)));
    const step = floatTensor([], Float32Array.of(scale));
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block between', layer, shape, () => change.blockBetween(this.outline, layer, shape));
      const y = floatTensor(x.shape);
      session.run({ ...byRole(weights, block), ...byRole(changed, block, scores.changedWeight), x, scale: step }, { y });
      x = y;
    }
    const session = await this.#headSession('head between', shape, candidates, change.headBetween);
    const logits = floatTensor([rows.length, candidates.length]);
    const feeds = { ...this.#headWeights(weights, candidates), ...this.#headWeights(changed, candidates, scores.changedWeight) };
    session.run({ ...feeds, x, rows: indices(rows), scale: step }, { logits });
    return logits;
  }

  /** The logits' derivative [rows, candidates] along changed - old of every parameter, at the old weights. */
  async logitTangents(weights: Weights, changed: Weights, { batch, rows, candidates }: Question): Promise<FloatTensor> {
    const shape = this.#shape(batch, rows);
    let x = this.#embed(weights, batch);
    const end = this.#embed(changed, batch);
    let tangent = floatTensor(x.shape, end.data.map((value, index) => value - x.data[index]!));
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.#session('block tangent', layer, shape, () => change.blockTangent(this.outline, layer, shape));
      const y = floatTensor(x.shape);
      const next = floatTensor(x.shape);
      const feeds = { ...byRole(weights, block), ...byRole(changed, block, scores.changedWeight), x, [change.tangentOf('x')]: tangent };
      session.run(feeds, { y, [change.tangentOf('y')]: next });
      x = y;
      tangent = next;
    }
    const session = await this.#headSession('head tangent', shape, candidates, change.headTangent);
    const tangents = floatTensor([rows.length, candidates.length]);
    const feeds = { ...this.#headWeights(weights, candidates), ...this.#headWeights(changed, candidates, scores.changedWeight) };
    session.run({ ...feeds, x, rows: indices(rows), [change.tangentOf('x')]: tangent }, { [change.tangentOf('logits')]: tangents });
    return tangents;
  }

  #session(name: string, layer: number, { batch, positions }: ProgramShape, build: () => ReturnType<typeof programs.blockForward>) {
    const kind = this.outline.family.layerKind(this.outline.configuration, layer);
    return this.#sessions.get(`${name} ${kind} ${batch}x${positions}`, build);
  }

  #headSession(name: string, shape: ProgramShape, { length }: readonly number[], build: typeof scores.candidateHead) {
    return this.#sessions.get(`${name} ${shape.batch}x${shape.positions}x${shape.rows}x${length}`, () => build(this.outline, shape, length));
  }

  #componentTensors({ batch, positions }: TokenBatch): Record<Component, FloatTensor> {
    const { heads, headSize, hidden } = this.outline.configuration;
    return { 'attn.z': floatTensor([batch * positions, heads * headSize]), 'mlp.out': floatTensor([batch * positions, hidden]) };
  }

  #embed(weights: Weights, { tokens, batch, positions }: TokenBatch): FloatTensor {
    const { hidden, embeddingScale } = this.outline.configuration;
    const matrix = weightOf(weights, this.outline.parameters.embedding.name);
    return floatTensor([batch * positions, hidden], lookUp(matrix.data, hidden, tokens, embeddingScale));
  }

  /** The head's weights by role, of the output matrix only the candidates' rows. */
  #headWeights(weights: Weights, candidates: readonly number[], nameOf = (role: string) => role): Record<string, Tensor> {
    const feeds = byRole(weights, this.outline.parameters.head, nameOf);
    const matrix = feeds[nameOf('head')] as FloatTensor;
    const width = matrix.shape[1]!;
    feeds[nameOf('head')] = floatTensor([candidates.length, width], lookUp(matrix.data, width, Int32Array.from(candidates), 1));
    return feeds;
  }

  #shape({ tokens, batch, positions }: TokenBatch, rows: readonly number[]): ProgramShape {
    const { vocabulary, context } = this.outline.configuration;
    if (positions > context) {
      throw new HopscopeError('TextTooLong', `A prompt of ${positions} tokens does not fit the model's context of ${context}; shorten it.`);
    }
    const outside = tokens.find((token) => token < 0 || token >= vocabulary);
    if (outside !== undefined) {
      throw new HopscopeError('TokenOutsideVocabulary', `Token ${outside} is outside the model's vocabulary of ${vocabulary}; the tokenizer does not fit the model.`);
    }
    return { batch, positions, rows: rows.length };
  }
}

function weightOf(weights: Weights, name: string): FloatTensor {
  const tensor = weights.get(name);
  if (!tensor) throw new HopscopeError('MissingTensor', `The weights have no ${name}.`);
  return tensor;
}

function byRole(weights: Weights, parameters: readonly Parameter[], nameOf = (role: string) => role): Record<string, Tensor> {
  return Object.fromEntries(parameters.map(({ role, name }) => [nameOf(role), weightOf(weights, name)]));
}

const indices = (rows: readonly number[]): Tensor => ({ type: 'int64', shape: [rows.length], data: BigInt64Array.from(rows, BigInt) });
