/**
 * Runs a model with values of components replaced: any heads' and MLPs' outputs at any tokens of any prompts of a batch, each by a given vector.
 * Zero, mean and counterfactual ablation and activation patching differ only in those vectors, which are made elsewhere.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { stageFor } from './device-stage.ts';
import { type ExecutionMode, type ExecutorSettings, executionMode, type TokenBatch } from './executor.ts';
import { embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import {
  blockWithReplacements,
  candidateLogits,
  maskOf,
  partsOf,
  replacementOf,
  wholeWithReplacements,
  widthOf,
} from './intervention-programs.ts';
import { LayerPrograms } from './layer-programs.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import * as programs from './programs.ts';
import { type Component, components, layerPrefix } from './score-programs.ts';
import { recovering, type Stage } from './stage.ts';

/** One attention head's z (before the output projection), or where `head` is null the MLP's output, of one layer at one token. */
export interface Site {
  layer: number;
  head: number | null;
  token: number;
}

/** A value replaced in one prompt of a batch. */
export interface Edit extends Site {
  /** Index of the prompt in the batch. */
  item: number;
  /** What takes the value's place: headSize or hidden elements. */
  value: Float32Array;
  /** How much of the way from the value to the replacement; default 1. */
  share?: number;
}

/** Bytes of parameters up to which one program runs the whole model. */
const wholeLimit = 256 * 2 ** 20;

export const componentOf = ({ head }: Pick<Site, 'head'>): Component => (head === null ? 'mlp.out' : 'attn.z');

export class Interventions {
  readonly outline: ModelOutline;
  readonly mode: ExecutionMode;
  readonly #programs: LayerPrograms;
  readonly #stage: Stage;
  readonly #ownsStage: boolean;

  constructor(outline: ModelOutline, settings: ExecutorSettings) {
    this.outline = outline;
    this.#stage = settings.stage ?? stageFor(settings);
    this.#ownsStage = !settings.stage;
    this.mode = executionMode(outline, settings, wholeLimit);
    this.#programs = new LayerPrograms(outline, { ...settings, stage: this.#stage });
  }

  release(): void {
    this.#programs.release();
    if (this.#ownsStage) void this.#stage.release();
  }

  /**
   * The candidates' logits [rows, candidates] with all edits in place at once; later components see what earlier edits did. Prompts of a
   * batch do not touch each other, so different interventions on one prompt are different items of a batch.
   * Errors: `ComponentOutsideModel`, `TokenOutsidePrompt`, `WrongShape`, `TextTooLong`, `TokenOutsideVocabulary`.
   */
  async logits(weights: Weights, question: Question, edits: readonly Edit[]): Promise<FloatTensor> {
    const shape = questionShape(this.outline, question.batch, question.rows);
    const byLayer: Edit[][] = this.outline.parameters.blocks.map(() => []);
    for (const edit of edits) {
      this.#check(edit, shape);
      byLayer[edit.layer]!.push(edit);
    }
    return recovering(this.#stage, async () => {
      const logits = floatTensor([question.rows.length, question.candidates.length]);
      if (this.mode === 'whole') await this.#runWhole(weights, question, shape, byLayer, logits);
      else await this.#runBlocks(weights, question, shape, byLayer, logits);
      return logits;
    });
  }

  async #runWhole(
    weights: Weights,
    question: Question,
    shape: ProgramShape,
    byLayer: readonly Edit[][],
    logits: FloatTensor,
  ): Promise<void> {
    const { candidates } = question;
    const session = this.#programs.head('whole with replacements', shape, candidates, () =>
      wholeWithReplacements(this.outline, shape, candidates.length),
    );
    const { blocks } = this.outline.parameters;
    const feeds = await headWeights(
      this.#stage,
      this.outline,
      [{ weights }],
      candidates,
      blocks.map((parameters, layer) => ({ weights, parameters, feedName: ({ role }) => layerPrefix(layer) + role })),
    );
    for (const layer of blocks.keys()) Object.assign(feeds, this.#replacements(byLayer[layer]!, shape, layerPrefix(layer)));
    const x = embed(this.outline, weights, question.batch);
    await session.run({ ...feeds, x, rows: indices(question.rows) }, { logits });
  }

  async #runBlocks(
    weights: Weights,
    question: Question,
    shape: ProgramShape,
    byLayer: readonly Edit[][],
    logits: FloatTensor,
  ): Promise<void> {
    const { batch, candidates } = question;
    const lowest = byLayer.findIndex((edits) => edits.length > 0);
    const start = lowest === -1 ? 0 : lowest;
    let x: AnyTensor = await this.#residualBefore(start, weights, batch);
    for (const layer of this.outline.parameters.blocks.keys()) {
      if (layer < start) continue;
      const edits = byLayer[layer]!;
      // Most layers of a single-component intervention are the plain block
      const session =
        edits.length === 0
          ? this.#programs.block('block forward', layer, shape, () => programs.blockForward(this.outline, layer, shape, []))
          : this.#programs.block('block with replacements', layer, shape, () =>
              blockWithReplacements(this.outline, layer, shape),
            );
      const y = await this.#stage.place(x.shape);
      const replaced = edits.length === 0 ? {} : this.#replacements(edits, shape, '');
      await session.run({ ...(await this.#block(weights, layer)), ...replaced, x }, { y });
      this.#stage.free(x);
      x = y;
    }
    const head = this.#programs.head('candidate logits', shape, candidates, () =>
      candidateLogits(this.outline, shape, candidates.length),
    );
    await head.run({ ...(await this.#headFeeds(weights, question)), x }, { logits });
    this.#stage.free(x);
  }

  /** The residual stream that reaches a layer when nothing below is edited: prompts of the same tokens run once for all of their rows. */
  async #residualBefore(end: number, weights: Weights, batch: TokenBatch): Promise<FloatTensor> {
    const { positions } = batch;
    const { hidden } = this.outline.configuration;
    const prompts = Array.from({ length: batch.batch }, (_, item) =>
      batch.tokens.subarray(item * positions, (item + 1) * positions),
    );
    const places = new Map<string, number>();
    const tokens = prompts.flatMap((prompt) => {
      if (places.has(prompt.join())) return [];
      places.set(prompt.join(), places.size);
      return [...prompt];
    });
    const few = { tokens: Int32Array.from(tokens), batch: places.size, positions, rows: 0 };
    let x = embed(this.outline, weights, few);
    for (let layer = 0; layer < end; layer++) {
      const session = this.#programs.block('block forward', layer, few, () =>
        programs.blockForward(this.outline, layer, few, []),
      );
      const y = floatTensor(x.shape);
      await session.run({ ...(await this.#block(weights, layer)), x }, { y });
      x = y;
    }
    const size = positions * hidden;
    const all = floatTensor([batch.batch * positions, hidden]);
    prompts.forEach((prompt, item) => {
      const from = places.get(prompt.join())! * size;
      all.data.set(x.data.subarray(from, from + size), item * size);
    });
    return all;
  }

  async #headFeeds(weights: Weights, { rows, candidates }: Question): Promise<Record<string, AnyTensor>> {
    return { ...(await headWeights(this.#stage, this.outline, [{ weights }], candidates)), rows: indices(rows) };
  }

  #block(weights: Weights, layer: number): Promise<Record<string, AnyTensor>> {
    const [block, next] = this.outline.parameters.blocks.slice(layer, layer + 2);
    return this.#stage.feeds([{ weights, parameters: block! }], next && [{ weights, parameters: next }]);
  }

  /** One layer's masks and replacements; where the mask is 0 the replacement is 0 too. */
  #replacements(edits: readonly Edit[], { batch, positions }: ProgramShape, prefix: string): Record<string, AnyTensor> {
    const feeds: Record<string, FloatTensor> = {};
    for (const component of components) {
      const parts = partsOf(component, this.outline);
      feeds[maskOf(prefix + component)] = floatTensor([batch * positions, parts, 1]);
      feeds[replacementOf(prefix + component)] = floatTensor([batch * positions, widthOf(component, this.outline)]);
    }
    for (const { item, token, head, value, share = 1 } of edits) {
      const component = componentOf({ head });
      const parts = partsOf(component, this.outline);
      const place = (item * positions + token) * parts + (head ?? 0);
      feeds[maskOf(prefix + component)]!.data[place] = share;
      feeds[replacementOf(prefix + component)]!.data.set(value, place * value.length);
    }
    return feeds;
  }

  #check(edit: Edit, { batch, positions }: ProgramShape): void {
    checkComponent(this.outline, edit);
    const { item, token, head, value } = edit;
    if (!isIndex(item, batch) || !isIndex(token, positions)) {
      throw new HopscopeError(
        'TokenOutsidePrompt',
        `Token ${token} of prompt ${item} is outside the batch of ${batch} prompts with ${positions} tokens.`,
      );
    }
    const component = componentOf({ head });
    const size = widthOf(component, this.outline) / partsOf(component, this.outline);
    if (value.length !== size) {
      throw new HopscopeError(
        'WrongShape',
        `${nameOf(edit)} has ${size} elements per token; the replacement has ${value.length}. It must come from a model of the same shape.`,
      );
    }
  }
}

/** A component as people read it: `MLP 3`, or `head 3.1`. */
export const nameOf = ({ layer, head }: Pick<Site, 'layer' | 'head'>): string =>
  head === null ? `MLP ${layer}` : `head ${layer}.${head}`;

/** Errors: `ComponentOutsideModel`. */
export function checkComponent({ configuration }: ModelOutline, site: Pick<Site, 'layer' | 'head'>): void {
  const { layers, heads } = configuration;
  if (isIndex(site.layer, layers) && (site.head === null || isIndex(site.head, heads))) return;
  throw new HopscopeError(
    'ComponentOutsideModel',
    `There is no ${nameOf(site)}: the model has layers 0 to ${layers - 1} with heads 0 to ${heads - 1} in each.`,
  );
}

const isIndex = (value: number, count: number): boolean => Number.isInteger(value) && value >= 0 && value < count;
