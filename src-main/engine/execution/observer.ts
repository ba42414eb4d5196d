/**
 * Runs a model layer by layer for scores: components' values and gradients of a batch of prompts, under old weights, new ones, or old weights
 * on the new model's inputs. It puts no scores together and trains nothing.
 */
import type { Parameter } from '../models/parameters.ts';
import { elementCount, type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import type { ExecutionMode, ExecutorSettings, Weights } from './executor.ts';
import { byRole, embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import { LayerPrograms } from './layer-programs.ts';
import { changedWeight } from './program-parts.ts';
import type { ModelOutline } from './programs.ts';
import * as programs from './programs.ts';
import * as scores from './score-programs.ts';
import { type Component, componentInputs, components } from './score-programs.ts';
import { type ScoredMap, scoredMaps } from './scored-maps.ts';
import { type DistinctRows, distinctRows, rowFeeds, rowsOf } from './shared-rows.ts';

/** One layer of one batch; every tensor is [batch * positions, ...]. */
export interface LayerReading {
  values: Record<Component, FloatTensor>;
  gradients: Record<Component, FloatTensor>;
  /** What attention's and the MLP's first maps read, of the rows that differ (shared-rows.ts): for `onGivenInputs`. */
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

/**
 * One program for the whole model computes nothing twice, but all of its inner values live at once, and it takes some 20 ms per layer to compile.
 * It is used up to so many bytes of inner values, and from so many multiplications per layer that a second forward pass would cost.
 */
const wholeLimit = 2 ** 30;
const wholeWorth = 2 ** 29;

/** A batch of prompts, and which of its rows are computed. */
interface Reading {
  question: Question;
  rows: DistinctRows;
  shape: scores.ReadingShape;
}

export class Observer {
  readonly outline: ModelOutline;
  readonly #mode: ExecutionMode | undefined;
  readonly maps: readonly ScoredMap[];
  readonly programs: LayerPrograms;

  /** Errors: `NoScores` for a family whose attention cannot be divided among heads. */
  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    this.outline = outline;
    this.#mode = settings.mode;
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
    const reading = this.#reading(question);
    return this.#modeFor(reading.shape) === 'whole'
      ? this.#readWhole(weights, reading, coefficients, changed)
      : this.#readBlocks(weights, reading, coefficients, changed);
  }

  #reading(question: Question): Reading {
    const rows = distinctRows(question);
    const shape = questionShape(this.outline, question.batch, question.rows);
    return { question, rows, shape: { ...shape, distinct: rows.first.length } };
  }

  #modeFor({ batch, positions, distinct }: scores.ReadingShape): ExecutionMode {
    const { hidden, intermediate } = this.outline.configuration;
    const { blocks } = this.outline.parameters;
    // About 12 values of the residual stream's width and 10 of the MLP's inner width per row
    const innerBytes = batch * positions * blocks.length * (12 * hidden + 10 * intermediate) * 4;
    const multiplications = distinct * (blocks[0] ?? []).reduce((sum, { shape }) => sum + elementCount(shape), 0);
    return this.#mode ?? (innerBytes <= wholeLimit && multiplications >= wholeWorth ? 'whole' : 'blocks');
  }

  async #readWhole(
    weights: Weights,
    { question, rows, shape }: Reading,
    coefficients: Float32Array,
    changed?: Weights,
  ): Promise<ModelReading> {
    const { batch, candidates } = question;
    const changes = this.outline.parameters.blocks.map((block) => this.#changedRoles(block, weights, changed));
    const name = `whole reading of ${shape.distinct} ${changes.map((roles) => [...roles].join()).join('/')}`;
    const session = await this.programs.head(name, shape, candidates, () =>
      scores.wholeReading(this.outline, shape, candidates.length, changes),
    );
    const logits = floatTensor([shape.rows, candidates.length]);
    const feeds = {
      ...this.#headFeeds(weights, question, coefficients),
      ...rowFeeds(rows),
      x: rowsOf(embed(this.outline, weights, batch), rows.first),
    };
    const results: Record<string, Tensor> = { logits };
    const layers = this.outline.parameters.blocks.map((block, layer) => {
      const reading = this.#emptyReading(shape, changed !== undefined);
      this.#addLayer(feeds, results, reading, block, scores.layerPrefix(layer), weights, changed, changes[layer]!);
      return reading;
    });
    session.run(feeds, results);
    return { logits, layer: async (index) => layers[index]! };
  }

  async #readBlocks(
    weights: Weights,
    { question, rows, shape }: Reading,
    coefficients: Float32Array,
    changed?: Weights,
  ): Promise<ModelReading> {
    const { candidates } = question;
    const { hidden } = this.outline.configuration;
    const inputs = await this.#blockInputs(weights, question, rows, shape);
    // The head runs on the asked rows alone
    const asked = { batch: shape.rows, positions: 1, rows: shape.rows };
    const headSession = await this.programs.head('candidate head', asked, candidates, () =>
      scores.candidateHead(this.outline, asked, candidates.length),
    );
    const logits = floatTensor([shape.rows, candidates.length]);
    const askedGradient = floatTensor([shape.rows, hidden]);
    const last = rowsOf(
      inputs.pop()!,
      question.rows.map((row) => rows.places[row]!),
    );
    const headFeeds = {
      ...this.#headFeeds(weights, question, coefficients),
      rows: indices(question.rows.map((_, index) => index)),
    };
    headSession.run({ ...headFeeds, x: last }, { logits, [programs.gradientOf('x')]: askedGradient });
    let dy = floatTensor([shape.batch * shape.positions, hidden]);
    question.rows.forEach((row, index) => {
      dy.data.set(askedGradient.data.subarray(index * hidden, (index + 1) * hidden), row * hidden);
    });
    const layer = async (index: number): Promise<LayerReading> => {
      const block = this.outline.parameters.blocks[index]!;
      const roles = this.#changedRoles(block, weights, changed);
      const session = await this.programs.block(`block reading of ${shape.distinct} ${[...roles].join()}`, index, shape, () =>
        scores.blockReading(this.outline, index, shape, roles),
      );
      // What the layers above have read is let go
      inputs.length = index + 1;
      const feeds: Record<string, Tensor> = { ...rowFeeds(rows), x: inputs[index]!, dy };
      const dx = floatTensor(dy.shape);
      const results: Record<string, Tensor> = { [programs.gradientOf('x')]: dx };
      const reading = this.#emptyReading(shape, changed !== undefined);
      this.#addLayer(feeds, results, reading, block, '', weights, changed, roles);
      session.run(feeds, results);
      dy = dx;
      return reading;
    };
    return { logits, layer };
  }

  /** The input of every block, and of the head as the last, in distinct rows. */
  async #blockInputs(
    weights: Weights,
    { batch }: Question,
    rows: DistinctRows,
    shape: scores.ReadingShape,
  ): Promise<FloatTensor[]> {
    const inputs = [rowsOf(embed(this.outline, weights, batch), rows.first)];
    for (const [layer, block] of this.outline.parameters.blocks.entries()) {
      const session = await this.programs.block(`block forward of ${shape.distinct}`, layer, shape, () =>
        scores.blockOnce(this.outline, layer, shape),
      );
      const y = floatTensor(inputs[0]!.shape);
      session.run({ ...byRole(weights, block), ...rowFeeds(rows), x: inputs[layer]! }, { y });
      inputs.push(y);
    }
    return inputs;
  }

  /** Roles of the linear maps and their biases whose weights are not the same tensor under both sets; others score 0. */
  #changedRoles(block: readonly Parameter[], weights: Weights, changed: Weights | undefined): ReadonlySet<string> {
    const scored = new Set(this.maps.map(({ role }) => role));
    return new Set(
      block
        .filter(({ role, name }) => changed && scored.has(role) && changed.get(name)?.data !== weights.get(name)?.data)
        .map(({ role }) => role),
    );
  }

  #emptyReading({ batch, positions, distinct }: scores.ReadingShape, withChange: boolean): LayerReading {
    const rows = batch * positions;
    const { hidden } = this.outline.configuration;
    return {
      values: this.#componentTensors(rows),
      gradients: this.#componentTensors(rows),
      inputs: { 'attn.in': floatTensor([distinct, hidden]), 'mlp.in': floatTensor([distinct, hidden]) },
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
    changedRoles: ReadonlySet<string>,
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
    const scored = block.filter(({ role }) => changedRoles.has(role));
    Object.assign(
      feeds,
      byRole(changed, scored, (role) => changedWeight(prefix + role)),
    );
    for (const role of changedRoles) results[scores.informativeOf(prefix + role)] = informative.get(role)!;
  }

  #headFeeds(weights: Weights, { rows, candidates }: Question, coefficients: Float32Array): Record<string, Tensor> {
    return {
      ...headWeights(this.outline, weights, candidates),
      rows: indices(rows),
      coefficients: floatTensor([rows.length, candidates.length], coefficients),
    };
  }

  /** The components' values with these weights on the inputs of attention and MLP that another reading of the same question gave. */
  async onGivenInputs(
    weights: Weights,
    layer: number,
    question: Question,
    inputs: LayerReading['inputs'],
  ): Promise<LayerReading['values']> {
    const { rows, shape } = this.#reading(question);
    const session = await this.programs.block(`block on given inputs of ${shape.distinct}`, layer, shape, () =>
      scores.blockOnGivenInputs(this.outline, layer, shape),
    );
    const values = this.#componentTensors(shape.batch * shape.positions);
    const results = Object.fromEntries(components.map((name) => [programs.observed(name), values[name]]));
    session.run({ ...byRole(weights, this.outline.parameters.blocks[layer]!), ...rowFeeds(rows), ...inputs }, results);
    return values;
  }

  #componentTensors(rows: number): Record<Component, FloatTensor> {
    const { heads, headSize, hidden } = this.outline.configuration;
    return { 'attn.z': floatTensor([rows, heads * headSize]), 'mlp.out': floatTensor([rows, hidden]) };
  }
}
