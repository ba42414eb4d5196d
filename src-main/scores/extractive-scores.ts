/**
 * Extractive scores (PAPER.md): informative, upstream and downstream, for every component and token of a list of prompts, item by item and
 * averaged over an accumulation prompt. One forward and backward pass with the old weights, one with the new ones and one mixed forward give
 * them all, whatever the number of counterfactuals, which are other items' own passes.
 */

import type { LayerReading, ModelReading, Observer } from '../engine/execution/observer.ts';
import { type Component, components } from '../engine/execution/score-programs.ts';
import type { FloatTensor } from '../engine/tensor.ts';
import type { Weights } from '../engine/weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { PromptTokens } from './alignment.ts';
import { align } from './alignment.ts';
import {
  addAligned,
  averageAligned,
  type ItemRows,
  partDots,
  type RowSize,
  ScoreTable,
  subtractRows,
} from './component-values.ts';
import type { EncodedSet } from './evaluation.ts';
import { fillInformative } from './informative.ts';
import { lossesOf, type ScoreBatch, scoreBatches } from './score-items.ts';

export interface ScoreRequest {
  observer: Observer;
  /** Full sets of weights; what they share may be the same tensors. */
  old: Weights;
  new: Weights;
  set: EncodedSet;
  /** Indices per item, as `counterfactualsOf` gives them. */
  counterfactuals: readonly (readonly number[])[];
  /** The prompt whose tokens the average is shown over. */
  accumulation: PromptTokens;
  /** Also keep `upstream.cfK` of the K-th counterfactual. */
  eachCounterfactual?: boolean;
  /** Prompts that run together; the scores do not depend on it. */
  itemsPerBatch?: number;
  progress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/** Scores by name: `downstream.mlp` [layers, tokens], `downstream.attn` [layers, heads, tokens], ... named in `fillLayer`. */
export type Scores = Map<string, FloatTensor>;

export interface ExtractiveScores {
  points: Scores[];
  average: Scores;
  /** L of every item under the old and the new weights. */
  oldLosses: number[];
  newLosses: number[];
}

/** One batch on its way down the layers. */
interface Pass {
  batch: ScoreBatch;
  old: ModelReading;
  new: ModelReading;
}

/** One layer of one batch, read under both sets of weights. */
interface LayerOfBatch {
  batch: ScoreBatch;
  old: LayerReading;
  new: LayerReading;
  /** The components with old weights on the new model's inputs. */
  strict: LayerReading['values'];
}

/** A counterfactual of an item: how often it is named, which of its tokens stand where the item's do, and how many tokens both begin with. */
interface Counterpart {
  times: number;
  alignment: readonly number[];
  shared: number;
}

/** By item, by counterfactual. */
type Counterparts = readonly ReadonlyMap<number, Counterpart>[];

/** The names under which components are stored. */
const shortNames: Record<Component, 'attn' | 'mlp'> = { 'attn.z': 'attn', 'mlp.out': 'mlp' };

/** Errors: those of the observer; `LossNotFinite`. */
export async function extractiveScores(request: ScoreRequest): Promise<ExtractiveScores> {
  const { observer, set, counterfactuals, accumulation, signal } = request;
  const { layers } = observer.outline.configuration;
  const tables = set.examples.map(({ ids }) => new ScoreTable(layers, ids.length));
  const counterparts = counterfactuals.map((others, item) => counterpartsOf(set.examples, item, others));
  const oldLosses: number[] = [];
  const newLosses: number[] = [];
  const batches = scoreBatches(set, request.itemsPerBatch);
  const together = 2 * batches.length;
  const old = await observer.readAll(request.old, batches, request.new, together);
  signal?.throwIfAborted();
  const changed = await observer.readAll(request.new, batches, undefined, together);
  signal?.throwIfAborted();
  const passes = batches.map((batch, index): Pass => ({ batch, old: old[index]!, new: changed[index]! }));
  for (const pass of passes) {
    keepLosses(pass.batch, pass.old, oldLosses);
    keepLosses(pass.batch, pass.new, newLosses);
  }
  for (let layer = layers - 1; layer >= 0; layer--) {
    const readings: LayerOfBatch[] = [];
    for (const pass of passes) readings.push(await readLayer(request, pass, layer));
    fillLayer(request, layer, readings, tables, counterparts);
    request.progress?.(layers - layer, layers);
    signal?.throwIfAborted();
  }
  const points = tables.map(({ scores }) => scores);
  const toPoint = set.examples.map((example) => align(accumulation, example));
  return { points, average: average(points, toPoint), oldLosses, newLosses };
}

function counterpartsOf(examples: readonly PromptTokens[], item: number, others: readonly number[]): Map<number, Counterpart> {
  const counterparts = new Map<number, Counterpart>();
  const prompt = examples[item]!;
  for (const other of others) {
    const known = counterparts.get(other);
    if (known) known.times++;
    else {
      const { ids } = examples[other]!;
      const differs = ids.findIndex((id, token) => id !== prompt.ids[token]);
      const shared = differs === -1 ? ids.length : differs;
      counterparts.set(other, { times: 1, alignment: align(prompt, examples[other]!), shared });
    }
  }
  return counterparts;
}

function keepLosses(batch: ScoreBatch, { logits }: ModelReading, losses: number[]): void {
  for (const [item, loss] of lossesOf(batch, logits.data)) {
    if (!Number.isFinite(loss)) {
      throw new HopscopeError(
        'LossNotFinite',
        `The loss of item ${item} is ${loss}; check both sets of weights for values that are not finite.`,
        'failure',
      );
    }
    losses[item] = loss;
  }
}

async function readLayer({ observer, old: weights }: ScoreRequest, pass: Pass, layer: number): Promise<LayerOfBatch> {
  const old = await pass.old.layer(layer);
  const changed = await pass.new.layer(layer);
  const strict = await observer.onGivenInputs(weights, layer, pass.batch.question, changed.inputs);
  return { batch: pass.batch, old, new: changed, strict };
}

/**
 * Writes one layer's scores of every item, positive where a component lowers L:
 * `downstream` (o - s) . g and `downstream_nonstrict` (o - n) . g, `upstream` (g - g') . (o - c) as the mean over the item's counterfactuals,
 * with o, n, s, c the component's value in the old model, the new one, the old one on the new one's inputs, and the old one on the aligned
 * counterfactual; g and g' = dL/d(value) in the old and the new model. Each for `.mlp` and, by head, `.attn`; and `informative.NAME`.
 */
function fillLayer(
  { observer, counterfactuals, eachCounterfactual, set }: ScoreRequest,
  layer: number,
  readings: readonly LayerOfBatch[],
  tables: readonly ScoreTable[],
  counterparts: Counterparts,
): void {
  const { heads } = observer.outline.configuration;
  const places = placesOf(readings);
  for (const component of components) {
    const parts = component === 'attn.z' ? heads : 1;
    const axis = component === 'attn.z' ? heads : null;
    const width = readings[0]!.old.values[component].shape[1]!;
    const rowsOf = (item: number, tensor: (reading: LayerOfBatch) => FloatTensor): ItemRows => {
      const { reading, start } = places.get(item)!;
      return { data: tensor(reading).data, start };
    };
    const longest = Math.max(...set.examples.map(({ questionEnd }) => questionEnd + 1));
    const difference: ItemRows = { data: new Float32Array(longest * width), start: 0 };
    const sum: ItemRows = { data: new Float32Array(longest * width), start: 0 };
    const dots = new Float64Array(longest * parts);
    for (const [item, { questionEnd }] of set.examples.entries()) {
      const size: RowSize = { tokens: questionEnd + 1, width, parts };
      const g = rowsOf(item, ({ old }) => old.gradients[component]);
      const changedG = rowsOf(item, (reading) => reading.new.gradients[component]);
      const o = rowsOf(item, ({ old }) => old.values[component]);
      const n = rowsOf(item, (reading) => reading.new.values[component]);
      const s = rowsOf(item, ({ strict }) => strict[component]);
      const keep = (score: string) => tables[item]!.put(`${score}.${shortNames[component]}`, axis, layer, size.tokens, dots);
      partDots(dots, g, o, s, 1, 0, size);
      keep('downstream');
      partDots(dots, g, o, n, 1, 0, size);
      keep('downstream_nonstrict');

      subtractRows(difference.data, g, changedG, size);
      const others = counterparts[item]!;
      // Where prompts begin alike the values are the same
      const shared = Math.min(...[...others.values()].map((other) => other.shared));
      sum.data.fill(0);
      for (const [other, { times, alignment }] of others) {
        addAligned(
          sum.data,
          rowsOf(other, ({ old }) => old.values[component]),
          alignment,
          times,
          shared,
          size,
        );
      }
      partDots(dots, difference, o, sum, 1 / counterfactuals[item]!.length, shared, size);
      keep('upstream');
      if (!eachCounterfactual) continue;
      for (const [index, other] of counterfactuals[item]!.entries()) {
        const { alignment, shared: sharedWithOther } = others.get(other)!;
        sum.data.fill(0);
        addAligned(
          sum.data,
          rowsOf(other, ({ old }) => old.values[component]),
          alignment,
          1,
          sharedWithOther,
          size,
        );
        partDots(dots, difference, o, sum, 1, sharedWithOther, size);
        keep(`upstream.cf${index}`);
      }
    }
  }
  for (const [item, { questionEnd }] of set.examples.entries()) {
    const { reading, start } = places.get(item)!;
    fillInformative({
      table: tables[item]!,
      layer,
      start,
      tokens: questionEnd + 1,
      configuration: observer.outline.configuration,
      maps: observer.maps,
      readings: reading.old.informative,
    });
  }
}

/** Which reading holds an item, and the item's first row in it. */
function placesOf(readings: readonly LayerOfBatch[]): Map<number, { reading: LayerOfBatch; start: number }> {
  return new Map(
    readings.flatMap((reading) => {
      const { items, question } = reading.batch;
      return items.map((item, index) => [item, { reading, start: index * question.batch.positions }] as const);
    }),
  );
}

/** Means of what every item has. */
function average(points: readonly Scores[], alignments: readonly (readonly number[])[]): Scores {
  const names = [...points[0]!.keys()].filter((name) => !name.startsWith('upstream.cf'));
  return new Map(
    names.map((name) => [
      name,
      averageAligned(points.map((scores, item) => ({ tensor: scores.get(name)!, alignment: alignments[item]! }))),
    ]),
  );
}
