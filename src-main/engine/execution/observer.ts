/**
 * Runs a model layer by layer for scores: components' values and gradients of a batch of prompts, under old weights, new ones, or old weights
 * on the new model's inputs. It puts no scores together and trains nothing.
 */
import type { SplitGraph } from '../graph/split.ts';
import type { Parameter } from '../models/parameters.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import { areSame, type Weights } from '../weights.ts';
import { stageFor } from './device-stage.ts';
import type { ExecutionMode, ExecutorSettings } from './executor.ts';
import { embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import { LayerPrograms } from './layer-programs.ts';
import { changedWeight } from './program-parts.ts';
import type { ModelOutline } from './programs.ts';
import * as programs from './programs.ts';
import * as scores from './score-programs.ts';
import { type Component, componentInputs, components } from './score-programs.ts';
import { type ScoredMap, scoredMaps } from './scored-maps.ts';
import type { Program } from './sessions.ts';
import { type DistinctRows, distinctRows, rowFeeds, rowsOf } from './shared-rows.ts';
import { recovering, type Stage } from './stage.ts';
import type { Wanted } from './weight-stage.ts';

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

/** Bytes of inner values that are kept on the way up for the way down; beyond that each block is computed again. */
export const keptLimit = 2 ** 30;

/** About 12 values of the residual stream's width and 6 of the MLP's inner width are kept per row and layer. */
export const keptInnerBytes = (
  { layers, hidden, intermediate }: ModelOutline['configuration'],
  { batch, positions }: { batch: number; positions: number },
): number => batch * positions * layers * (12 * hidden + 6 * intermediate) * 4;

/** A batch of prompts, and which of its rows are computed. */
interface Reading {
  question: Question;
  rows: DistinctRows;
  shape: scores.ReadingShape;
}

/** One batch on its way: what its blocks were fed, and inner values where they are kept. */
interface Pass {
  reading: Reading;
  coefficients: Float32Array;
  keeps: boolean;
  inputs: AnyTensor[];
  kept: Record<string, AnyTensor>[];
  /** What the last block returns. */
  top: FloatTensor;
}

export class Observer {
  readonly outline: ModelOutline;
  readonly maps: readonly ScoredMap[];
  readonly programs: LayerPrograms;
  /** Where weights that are not in memory are brought to. */
  readonly stage: Stage;
  readonly #ownsStage: boolean;
  readonly #mode: ExecutionMode | undefined;
  /** Blocks' graphs in two parts, by the name of their programs. */
  readonly #splits = new Map<string, SplitGraph>();

  /** Errors: `NoScores` for a family whose attention cannot be divided among heads. */
  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    this.outline = outline;
    this.maps = scoredMaps(outline);
    this.stage = settings.stage ?? stageFor(settings);
    this.#ownsStage = !settings.stage;
    this.programs = new LayerPrograms(outline, { ...settings, stage: this.stage });
    this.#mode = settings.mode;
  }

  release(): void {
    this.#splits.clear();
    this.programs.release();
    if (this.#ownsStage) void this.stage.release();
  }

  /**
   * One forward and backward pass for the L whose derivatives by the candidates' logits are `coefficients` [rows, candidates]; with `changed`,
   * also what each linear map's change does to L to first order. `together`: readings that are open at once and share the memory for inner
   * values. Errors: `TextTooLong`, `TokenOutsideVocabulary`.
   */
  async read(
    weights: Weights,
    question: Question,
    coefficients: Float32Array,
    changed?: Weights,
    together = 1,
  ): Promise<ModelReading> {
    return (await this.readAll(weights, [{ question, coefficients }], changed, together))[0]!;
  }

  /** The same for several batches at once, so that weights which are not in memory are brought there once for all of them. */
  async readAll(
    weights: Weights,
    prompts: readonly { question: Question; coefficients: Float32Array }[],
    changed?: Weights,
    together = prompts.length,
  ): Promise<ModelReading[]> {
    return recovering(this.stage, async () => {
      const passes = prompts.map(({ question, coefficients }): Pass => {
        const reading = this.#reading(question);
        const keeps = this.#keeps(reading.shape, together);
        const x = rowsOf(embed(this.outline, weights, question.batch), reading.rows.first);
        return { reading, coefficients, keeps, inputs: [x], kept: [], top: x };
      });
      await this.#allUp(passes, this.outline.parameters.blocks.length, weights, changed);
      const readings: ModelReading[] = [];
      for (const pass of passes) {
        const { logits, dy } = await this.#head(weights, pass.reading, pass.coefficients, pass.top);
        readings.push({ logits, layer: this.#layerReader(pass, dy, weights, changed) });
      }
      return readings;
    });
  }

  /** What `ModelReading.layer` is of a pass whose last block's gradient is `dy`. */
  #layerReader(pass: Pass, dy: FloatTensor, weights: Weights, changed: Weights | undefined): ModelReading['layer'] {
    const [embedded] = pass.inputs;
    let { device } = this.stage;
    let below = dy;
    return async (index) => {
      const { reading, dx } = await recovering(this.stage, async () => {
        if (this.stage.device !== device) {
          // What was kept on the way up is gone with the device
          device = this.stage.device;
          pass.inputs = [embedded!];
          pass.kept = [];
          await this.#allUp([pass], index + 1, weights, changed);
        }
        return this.#down(pass, index, below, weights, changed);
      });
      below = dx;
      return reading;
    };
  }

  /** The blocks below `end`, of all passes at a time. */
  async #allUp(passes: readonly Pass[], end: number, weights: Weights, changed: Weights | undefined): Promise<void> {
    const { blocks } = this.outline.parameters;
    for (const [layer, block] of blocks.slice(0, end).entries()) {
      const next = blocks[layer + 1];
      const feeds = await this.stage.feeds([{ weights, parameters: block }], next && [{ weights, parameters: next }]);
      const roles = this.#changedRoles(block, weights, changed);
      for (const pass of passes) await this.#up(pass, layer, roles, feeds);
    }
  }

  /** One block forward, with its inner values where they are kept. */
  async #up(pass: Pass, layer: number, roles: ReadonlySet<string>, weights: Readonly<Record<string, AnyTensor>>): Promise<void> {
    const { rows, shape } = pass.reading;
    const isLast = layer === this.outline.parameters.blocks.length - 1;
    const x = pass.inputs[layer]!;
    const top = floatTensor(isLast ? x.shape : [0]);
    const y = isLast ? top : await this.stage.place(x.shape);
    const feeds = { ...weights, ...rowFeeds(rows), x };
    if (pass.keeps) {
      const { name, split } = this.#split(layer, shape, roles);
      const session = this.programs.block(`${name}, up`, layer, shape, () => split.first);
      const values: Record<string, AnyTensor> = {};
      for (const [value, size] of split.kept) values[value] = await this.stage.place(size);
      await session.run(only(session.inputs, feeds), { y, ...values });
      pass.kept.push(values);
    } else {
      const session = this.programs.block(`block forward of ${shape.distinct}`, layer, shape, () =>
        scores.blockOnce(this.outline, layer, shape),
      );
      await session.run(feeds, { y });
    }
    if (isLast) pass.top = top;
    else pass.inputs.push(y);
  }

  /** One block's reading, given dL/dy of what it returns. */
  async #down(
    pass: Pass,
    index: number,
    dy: FloatTensor,
    weights: Weights,
    changed: Weights | undefined,
  ): Promise<{ reading: LayerReading; dx: FloatTensor }> {
    const { inputs, kept, keeps } = pass;
    const { rows, shape } = pass.reading;
    const { blocks } = this.outline.parameters;
    const roles = this.#changedRoles(blocks[index]!, weights, changed);
    // What the layers above have read is let go
    inputs.length = index + 1;
    kept.length = Math.min(kept.length, index + 1);
    const bothSets = (block: readonly Parameter[] = []): Wanted[] => [
      { weights, parameters: block },
      ...(changed ? [changedOf(block, this.#changedRoles(block, weights, changed), changed)] : []),
    ];
    const feeds: Record<string, AnyTensor> = {
      ...(await this.stage.feeds(bothSets(blocks[index]), bothSets(blocks[index - 1]))),
      ...rowFeeds(rows),
      ...kept[index],
      x: inputs[index]!,
      dy,
    };
    const session = this.#backward(index, shape, roles, keeps);
    const dx = floatTensor(dy.shape);
    const reading = this.#emptyReading(shape, changed !== undefined);
    await session.run(only(session.inputs, feeds), { [programs.gradientOf('x')]: dx, ...resultsOf(reading, roles) });
    for (const value of Object.values(kept[index] ?? {})) this.stage.free(value);
    this.stage.free(inputs[index]);
    return { reading, dx };
  }

  #reading(question: Question): Reading {
    const rows = distinctRows(question);
    const shape = questionShape(this.outline, question.batch, question.rows);
    return { question, rows, shape: { ...shape, distinct: rows.first.length } };
  }

  #keeps(shape: scores.ReadingShape, together: number): boolean {
    if (this.#mode !== undefined) return this.#mode === 'whole';
    return keptInnerBytes(this.outline.configuration, shape) * together <= keptLimit;
  }

  #split(layer: number, shape: scores.ReadingShape, roles: ReadonlySet<string>): { name: string; split: SplitGraph } {
    const { batch, positions, distinct } = shape;
    const kind = this.outline.family.layerKind(this.outline.configuration, layer);
    const name = `split block reading of ${distinct} ${[...roles].join()}`;
    const key = `${name} ${kind} ${batch}x${positions}`;
    let split = this.#splits.get(key);
    if (!split) {
      split = scores.splitBlockReading(this.outline, layer, shape, roles);
      this.#splits.set(key, split);
    }
    return { name, split };
  }

  #backward(layer: number, shape: scores.ReadingShape, roles: ReadonlySet<string>, keeps: boolean): Program {
    if (keeps) {
      const { name, split } = this.#split(layer, shape, roles);
      return this.programs.block(`${name}, down`, layer, shape, () => split.second);
    }
    return this.programs.block(`block reading of ${shape.distinct} ${[...roles].join()}`, layer, shape, () =>
      scores.blockReading(this.outline, layer, shape, roles),
    );
  }

  /** Logits, and dL/dx of the last block's result, given in distinct rows; the head runs on the asked rows alone. */
  async #head(
    weights: Weights,
    { question: { rows: asked, candidates }, rows, shape }: Reading,
    coefficients: Float32Array,
    y: FloatTensor,
  ): Promise<{ logits: FloatTensor; dy: FloatTensor }> {
    const { hidden } = this.outline.configuration;
    const size = { batch: asked.length, positions: 1, rows: asked.length };
    const session = this.programs.head('candidate head', size, candidates, () =>
      scores.candidateHead(this.outline, size, candidates.length),
    );
    const logits = floatTensor([asked.length, candidates.length]);
    const gradient = floatTensor([asked.length, hidden]);
    const feeds = {
      ...(await headWeights(this.stage, this.outline, [{ weights }], candidates)),
      rows: indices(asked.map((_, index) => index)),
      coefficients: floatTensor([asked.length, candidates.length], coefficients),
      x: rowsOf(
        y,
        asked.map((row) => rows.places[row]!),
      ),
    };
    await session.run(feeds, { logits, [programs.gradientOf('x')]: gradient });
    const dy = floatTensor([shape.batch * shape.positions, hidden]);
    asked.forEach((row, index) => {
      dy.data.set(gradient.data.subarray(index * hidden, (index + 1) * hidden), row * hidden);
    });
    return { logits, dy };
  }

  /** Roles of the linear maps and their biases whose weights are not the same tensor under both sets; others score 0. */
  #changedRoles(block: readonly Parameter[], weights: Weights, changed: Weights | undefined): ReadonlySet<string> {
    const scored = new Set(this.maps.map(({ role }) => role));
    return new Set(
      block
        .filter(({ role, name }) => changed && scored.has(role) && !areSame(changed.get(name), weights.get(name)))
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

  /** The components' values with these weights on the inputs of attention and MLP that another reading of the same question gave. */
  async onGivenInputs(
    weights: Weights,
    layer: number,
    question: Question,
    inputs: LayerReading['inputs'],
  ): Promise<LayerReading['values']> {
    const { rows, shape } = this.#reading(question);
    const session = this.programs.block(`block on given inputs of ${shape.distinct}`, layer, shape, () =>
      scores.blockOnGivenInputs(this.outline, layer, shape),
    );
    return recovering(this.stage, async () => {
      const values = this.#componentTensors(shape.batch * shape.positions);
      const results = Object.fromEntries(components.map((name) => [programs.observed(name), values[name]]));
      const feeds = await this.stage.feeds([{ weights, parameters: this.outline.parameters.blocks[layer]! }]);
      await session.run({ ...feeds, ...rowFeeds(rows), ...inputs }, results);
      return values;
    });
  }

  #componentTensors(rows: number): Record<Component, FloatTensor> {
    const { heads, headSize, hidden } = this.outline.configuration;
    return { 'attn.z': floatTensor([rows, heads * headSize]), 'mlp.out': floatTensor([rows, hidden]) };
  }
}

const changedOf = (block: readonly Parameter[], roles: ReadonlySet<string>, changed: Weights): Wanted => ({
  weights: changed,
  parameters: block.filter(({ role }) => roles.has(role)),
  feedName: ({ role }) => changedWeight(role),
});

/** Where a block's results go. */
function resultsOf(
  { values, gradients, inputs, informative }: LayerReading,
  changedRoles: ReadonlySet<string>,
): Record<string, AnyTensor> {
  const results: Record<string, AnyTensor> = {};
  for (const name of components) {
    results[programs.observed(name)] = values[name];
    results[programs.gradientOf(name)] = gradients[name];
  }
  for (const name of componentInputs) results[programs.observed(name)] = inputs[name];
  for (const role of changedRoles) results[scores.informativeOf(role)] = informative.get(role)!;
  return results;
}

const only = (names: readonly string[], feeds: Readonly<Record<string, AnyTensor>>): Record<string, AnyTensor> =>
  Object.fromEntries(names.map((name) => [name, feeds[name]!]));
