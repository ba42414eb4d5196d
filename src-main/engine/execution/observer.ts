/**
 * Runs a model layer by layer for scores: components' values and gradients of a batch of prompts, under old weights, new ones, or old weights
 * on the new model's inputs. It puts no scores together and trains nothing.
 */
import type { Parameter } from '../models/parameters.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import type { ExecutionMode, ExecutorSettings, TokenBatch, Weights } from './executor.ts';
import { byRole, embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import { LayerPrograms } from './layer-programs.ts';
import { changedWeight } from './program-parts.ts';
import type { ModelOutline } from './programs.ts';
import * as programs from './programs.ts';
import * as scores from './score-programs.ts';
import { type Component, componentInputs, components } from './score-programs.ts';
import { type ScoredMap, scoredMaps } from './scored-maps.ts';

/** One layer of one batch; every tensor is [batch * positions, ...]. */
export interface LayerReading {
  values: Record<Component, FloatTensor>;
  gradients: Record<Component, FloatTensor>;
  /** What attention's and the MLP's first maps read. */
  inputs: Record<(typeof componentInputs)[number], FloatTensor>;
  /** By role of a linear map or its bias, [batch * positions, parts]; empty where no changed weights were given. */
  informative: Map<string, FloatTensor>;
}

/** A forward and backward pass of one batch. */
export interface ModelReading {
  /** The candidates' logits [rows, candidates] at the questions' rows. */
  logits: FloatTensor;
  /** To be called once per layer, from the last one down to the first: a large model is read block by block, and only then. */
  layer(index: number): Promise<LayerReading>;
}

/** Bytes of parameters up to which one program reads the whole model: all of its inner values live at once, and none is computed twice. */
const wholeLimit = 256 * 2 ** 20;

export class Observer {
  readonly outline: ModelOutline;
  readonly mode: ExecutionMode;
  readonly maps: readonly ScoredMap[];
  readonly programs: LayerPrograms;

  /** Errors: `NoScores` for a family whose attention cannot be divided among heads. */
  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    this.outline = outline;
    this.mode = settings.mode ?? (outline.parameters.count * 4 <= wholeLimit ? 'whole' : 'blocks');
    this.maps = scoredMaps(outline);
    this.programs = new LayerPrograms(outline, settings);
  }

  release(): void {
    this.programs.release();
  }

  /**
   * One forward and backward pass for the L whose derivatives by the candidates' logits are `coefficients` [rows, candidates]; with `changed`,
   * also what each linear map's change does to L to first order. Errors: `TextTooLong`, `TokenOutsideVocabulary`.
   */
  read(weights: Weights, question: Question, coefficients: Float32Array, changed?: Weights): Promise<ModelReading> {
    return this.mode === 'whole'
      ? this.#readWhole(weights, question, coefficients, changed)
      : this.#readBlocks(weights, question, coefficients, changed);
  }

  async #readWhole(weights: Weights, question: Question, coefficients: Float32Array, changed?: Weights): Promise<ModelReading> {
    const { batch, rows, candidates } = question;
    const shape = questionShape(this.outline, batch, rows);
    const session = await this.programs.head(`whole reading ${changed !== undefined}`, shape, candidates, () =>
      scores.wholeReading(this.outline, shape, candidates.length, changed !== undefined),
    );
    const logits = floatTensor([rows.length, candidates.length]);
    const feeds = { ...this.#headFeeds(weights, question, coefficients), x: embed(this.outline, weights, batch) };
    const results: Record<string, Tensor> = { logits };
    const layers = this.outline.parameters.blocks.map((block, layer) => {
      const reading = this.#emptyReading(batch, changed !== undefined);
      this.#addLayer(feeds, results, reading, block, scores.layerPrefix(layer), weights, changed);
      return reading;
    });
    session.run(feeds, results);
    return { logits, layer: async (index) => layers[index]! };
  }

  async #readBlocks(weights: Weights, question: Question, coefficients: Float32Array, changed?: Weights): Promise<ModelReading> {
    const { batch, rows, candidates } = question;
    const shape = questionShape(this.outline, batch, rows);
    const inputs = await this.#blockInputs(weights, question);
    const headSession = await this.programs.head('candidate head', shape, candidates, () =>
      scores.candidateHead(this.outline, shape, candidates.length),
    );
    const logits = floatTensor([rows.length, candidates.length]);
    let dy = floatTensor(inputs[0]!.shape);
    headSession.run(
      { ...this.#headFeeds(weights, question, coefficients), x: inputs.pop()! },
      { logits, [programs.gradientOf('x')]: dy },
    );
    const layer = async (index: number): Promise<LayerReading> => {
      const name = changed ? 'block reading with change' : 'block reading';
      const session = await this.programs.block(name, index, shape, () =>
        scores.blockReading(this.outline, index, shape, changed !== undefined),
      );
      // What the layers above have read is let go
      inputs.length = index + 1;
      const feeds: Record<string, Tensor> = { x: inputs[index]!, dy };
      const dx = floatTensor(dy.shape);
      const results: Record<string, Tensor> = { [programs.gradientOf('x')]: dx };
      const reading = this.#emptyReading(batch, changed !== undefined);
      this.#addLayer(feeds, results, reading, this.outline.parameters.blocks[index]!, '', weights, changed);
      session.run(feeds, results);
      dy = dx;
      return reading;
    };
    return { logits, layer };
  }

  /** The input of every block, and of the head as the last. */
  async #blockInputs(weights: Weights, { batch, rows }: Question): Promise<FloatTensor[]> {
    const shape = questionShape(this.outline, batch, rows);
    const inputs = [embed(this.outline, weights, batch)];
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.programs.block('block forward', layer, shape, () =>
        programs.blockForward(this.outline, layer, shape, []),
      );
      const y = floatTensor(inputs[0]!.shape);
      session.run({ ...byRole(weights, block), x: inputs[layer]! }, { y });
      inputs.push(y);
    }
    return inputs;
  }

  #emptyReading(batch: TokenBatch, withChange: boolean): LayerReading {
    const rows = batch.batch * batch.positions;
    const { hidden } = this.outline.configuration;
    return {
      values: this.#componentTensors(batch),
      gradients: this.#componentTensors(batch),
      inputs: { 'attn.in': floatTensor([rows, hidden]), 'mlp.in': floatTensor([rows, hidden]) },
      informative: new Map((withChange ? this.maps : []).map(({ role, parts }) => [role, floatTensor([rows, parts ?? 1])])),
    };
  }

  /** A layer's weights as feeds, and where its results go. */
  #addLayer(
    feeds: Record<string, Tensor>,
    results: Record<string, Tensor>,
    { values, gradients, inputs, informative }: LayerReading,
    block: readonly Parameter[],
    prefix: string,
    weights: Weights,
    changed: Weights | undefined,
  ): void {
    Object.assign(
      feeds,
      byRole(weights, block, (role) => prefix + role),
    );
    for (const name of components) {
      results[programs.observed(prefix + name)] = values[name];
      results[programs.gradientOf(prefix + name)] = gradients[name];
    }
    for (const name of componentInputs) results[programs.observed(prefix + name)] = inputs[name];
    if (!changed) return;
    const scored = block.filter(({ role }) => informative.has(role));
    Object.assign(
      feeds,
      byRole(changed, scored, (role) => changedWeight(prefix + role)),
    );
    for (const [role, value] of informative) results[scores.informativeOf(prefix + role)] = value;
  }

  #headFeeds(weights: Weights, { rows, candidates }: Question, coefficients: Float32Array): Record<string, Tensor> {
    return {
      ...headWeights(this.outline, weights, candidates),
      rows: indices(rows),
      coefficients: floatTensor([rows.length, candidates.length], coefficients),
    };
  }

  /** The components' values with these weights on given inputs of attention and MLP. */
  async onGivenInputs(
    weights: Weights,
    layer: number,
    { batch, rows }: Question,
    inputs: LayerReading['inputs'],
  ): Promise<LayerReading['values']> {
    const shape = questionShape(this.outline, batch, rows);
    const session = await this.programs.block('block on given inputs', layer, shape, () =>
      scores.blockOnGivenInputs(this.outline, layer, shape),
    );
    const values = this.#componentTensors(batch);
    const results = Object.fromEntries(components.map((name) => [programs.observed(name), values[name]]));
    session.run({ ...byRole(weights, this.outline.parameters.blocks[layer]!), ...inputs }, results);
    return values;
  }

  #componentTensors({ batch, positions }: TokenBatch): Record<Component, FloatTensor> {
    const { heads, headSize, hidden } = this.outline.configuration;
    return { 'attn.z': floatTensor([batch * positions, heads * headSize]), 'mlp.out': floatTensor([batch * positions, hidden]) };
  }
}
