/**
 * What stands in for components' values when they are ablated or patched: zeros, means over a list of prompts, or the aligned values of another
 * prompt. Values of other weights need no making: they are another reading of the same prompt.
 */

import { partsOf, widthOf } from '../engine/execution/intervention-programs.ts';
import { componentOf, type Site } from '../engine/execution/interventions.ts';
import type { LayerReading, Observer } from '../engine/execution/observer.ts';
import type { ModelOutline } from '../engine/execution/programs.ts';
import { type Component, components } from '../engine/execution/score-programs.ts';
import type { Weights } from '../engine/weights.ts';
import { align, type PromptTokens } from './alignment.ts';
import type { EncodedSet } from './evaluation.ts';
import { rankOf } from './rank.ts';
import { lossesOf, scoreBatches } from './score-items.ts';

/** Components' values of one prompt: by layer, of every token up to the prompt's last, [tokens, width]. */
export type PromptValues = readonly Readonly<Record<Component, Float32Array>>[];

/** One prompt's forward and backward pass. */
export interface PromptReading {
  values: PromptValues;
  /** dL/dvalue. */
  gradients: PromptValues;
  /** L = mean logit of the candidates - the answer's, at the prompt's last token. */
  loss: number;
  rank: number;
}

/** Reads every prompt of a list. Errors: those of the observer. */
export async function readPrompts(
  observer: Observer,
  weights: Weights,
  set: EncodedSet,
  signal?: AbortSignal,
): Promise<PromptReading[]> {
  const { layers } = observer.outline.configuration;
  const { candidates, answers } = set.items;
  const readings: PromptReading[] = new Array(set.examples.length);
  for (const batch of scoreBatches(set)) {
    const { items, question, coefficients } = batch;
    const read = await observer.read(weights, question, coefficients);
    const byLayer: LayerReading[] = new Array(layers);
    for (let layer = layers - 1; layer >= 0; layer--) {
      byLayer[layer] = await read.layer(layer);
      signal?.throwIfAborted();
    }
    const losses = lossesOf(batch, read.logits.data);
    items.forEach((item, index) => {
      const tokens = set.examples[item]!.questionEnd + 1;
      const first = index * question.batch.positions;
      const rowsOf = (of: (reading: LayerReading) => LayerReading['values']): PromptValues =>
        byLayer.map((reading) =>
          byComponent((component) => {
            const width = widthOf(component, observer.outline);
            return of(reading)[component].data.subarray(first * width, (first + tokens) * width);
          }),
        );
      const logits = read.logits.data.subarray(index * candidates.length, (index + 1) * candidates.length);
      readings[item] = {
        values: rowsOf(({ values }) => values),
        gradients: rowsOf(({ gradients }) => gradients),
        loss: losses.get(item)!,
        rank: rankOf(candidates[answers[item]!]!, candidates, logits),
      };
    });
  }
  return readings;
}

/** A site's vector: headSize or hidden elements, not copied. */
export function valueAt(outline: ModelOutline, values: PromptValues, site: Site): Float32Array {
  const component = componentOf(site);
  const parts = partsOf(component, outline);
  const size = widthOf(component, outline) / parts;
  const start = (site.token * parts + (site.head ?? 0)) * size;
  return values[site.layer]![component].subarray(start, start + size);
}

/** Zeros in the shape of a prompt's values. */
export function zeroValues(values: PromptValues): PromptValues {
  return values.map((layer) => byComponent((component) => new Float32Array(layer[component].length)));
}

/** The values of another prompt's pass at the tokens that stand where the prompt's own do; that pass may be of other weights. */
export function alignedValues(prompt: PromptTokens, other: PromptTokens, values: PromptValues): PromptValues {
  const alignment = align(prompt, other).slice(0, prompt.questionEnd + 1);
  return values.map((layer) =>
    byComponent((component) => {
      const width = layer[component].length / (other.questionEnd + 1);
      const result = new Float32Array(alignment.length * width);
      alignment.forEach((from, token) => {
        result.set(layer[component].subarray(from * width, (from + 1) * width), token * width);
      });
      return result;
    }),
  );
}

/** Over what a mean is taken: the reference prompts' tokens that stand where the prompt's own does, or all of their tokens alike. */
export type MeanOver = 'position' | 'all';

/** Means over reference prompts, for one prompt's tokens. `references` may hold the prompt itself. */
export function meanValues(
  prompt: PromptTokens,
  references: readonly { tokens: PromptTokens; values: PromptValues }[],
  over: MeanOver,
): PromptValues {
  const tokens = prompt.questionEnd + 1;
  if (over === 'position') return meanOf(references.map((each) => alignedValues(prompt, each.tokens, each.values)));
  return references[0]!.values.map((_, layer) =>
    byComponent((component) => {
      const { tokens: first, values } = references[0]!;
      const width = values[layer]![component].length / (first.questionEnd + 1);
      const sum = new Float64Array(width);
      let count = 0;
      for (const each of references) {
        each.values[layer]![component].forEach((value, index) => {
          sum[index % width]! += value;
        });
        count += each.tokens.questionEnd + 1;
      }
      return Float32Array.from({ length: tokens * width }, (_, index) => sum[index % width]! / count);
    }),
  );
}

function meanOf(all: readonly PromptValues[]): PromptValues {
  return all[0]!.map((first, layer) =>
    byComponent((component) => {
      const sum = new Float64Array(first[component].length);
      for (const values of all) {
        values[layer]![component].forEach((value, index) => {
          sum[index]! += value;
        });
      }
      return Float32Array.from(sum, (value) => value / all.length);
    }),
  );
}

function byComponent(make: (component: Component) => Float32Array): Record<Component, Float32Array> {
  return Object.fromEntries(components.map((component) => [component, make(component)])) as Record<Component, Float32Array>;
}
