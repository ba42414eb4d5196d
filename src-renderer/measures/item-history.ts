/**
 * One fact or implication through a run: its rank by epoch and seed in every training, what each condition left of it, its score maps,
 * all as figures of stored rows. The options' logits are items.ts's.
 */

import { chanceLevel } from '../../src-main/shared/chance.ts';
import type { LinesFigure, MapFigure, TableFigure } from '../../src-main/shared/figures.ts';
import type { EvaluationRow, ItemSet, ScoreRow } from '../../src-main/shared/records.ts';
import { estimate, mean } from '../../src-main/shared/statistics.ts';
import { capitalize, stageName } from '../text/format.ts';
import { seedsOf, stagesOf } from './curves.ts';

/** An item's measurements in one stage under one seed, by epoch. */
interface Line {
  seed: number;
  points: { epoch: number; rank: number; margin: number }[];
}

interface ItemStage {
  stage: string;
  lines: Line[];
}

/** Stages that measured the item, in order of appearance; seeds ascending. */
export function itemStages(evaluations: readonly EvaluationRow[], set: ItemSet, item: number): ItemStage[] {
  const own = evaluations.filter((row) => row.set === set.set && row.items.some((entry) => entry.item === item));
  return stagesOf(own).map((stage) => {
    const rows = own.filter((row) => row.stage === stage);
    return {
      stage,
      lines: seedsOf(rows).map((seed) => ({
        seed,
        points: rows
          .filter((row) => row.seed === seed)
          .sort((a, b) => a.epoch - b.epoch)
          .map((row) => {
            const { rank, logits } = row.items.find((entry) => entry.item === item)!;
            return { epoch: row.epoch, rank, margin: marginOf(logits, set.answers[item]!) };
          }),
      })),
    };
  });
}

/** How far the right answer's logit lies above the best of the others; negative where another one is ahead. */
function marginOf(logits: readonly number[], answer: number): number {
  return logits[answer]! - Math.max(...logits.filter((_, candidate) => candidate !== answer));
}

/** Whether it was measured before and after something. */
export const isTrained = ({ lines }: ItemStage): boolean => lines.some(({ points }) => points.length > 1);

/** Whether the stage of this name trained anything. */
export const isTrainedAt = (stages: readonly ItemStage[], stage: string | undefined): boolean =>
  stages.some((entry) => entry.stage === stage && isTrained(entry));

/** Rank by epoch, a curve for each training, every seed's line with their mean; null where nothing was trained. */
export function itemFigure(stages: readonly ItemStage[], set: ItemSet): LinesFigure | null {
  const trainings = stages.filter(isTrained);
  if (trainings.length === 0) return null;
  return {
    id: 'item-rank',
    kind: 'lines',
    title: 'Rank of this item by epoch',
    caption: `Rank of the right answer among ${set.candidates.length} options for each seed and their mean; 0 is best, epoch 0 is before training.`,
    x: { label: 'Epoch', kind: 'number' },
    y: { label: 'Rank (0 is best)', kind: 'rank' },
    series: trainings.map(({ stage, lines }) => {
      const epochs = [...new Set(lines.flatMap(({ points }) => points.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
      const whole = epochs.filter((epoch) => lines.every(({ points }) => points.some((point) => point.epoch === epoch)));
      return {
        label: trainings.length === 1 ? set.set : stageName(stage),
        x: whole,
        y: whole.map((epoch) => estimate(lines.map(({ points }) => points.find((point) => point.epoch === epoch)!.rank))),
      };
    }),
    references: [{ label: 'chance', value: chanceLevel(set.candidates.length) }],
  };
}

/** What each training or condition (such as frozen layers) left of the item; null where there is only one. */
export function conditionTable(stages: readonly ItemStage[]): TableFigure | null {
  if (stages.length < 2) return null;
  return {
    id: 'item-conditions',
    kind: 'table',
    title: 'What each condition did to this item',
    caption:
      'Rank of the right answer at the start and at the end of each training, or under weights that were only evaluated; mean over seeds, with the range of fewer than five seeds and the 95 % bootstrap interval of more. The margin is the right answer’s logit minus the best other one’s.',
    columns: ['Condition', 'Rank before', 'Rank after', 'Margin after'],
    rows: stages.map((entry) => {
      const ends = entry.lines.map(({ points }) => points.at(-1)!);
      return [
        capitalize(stageName(entry.stage)),
        isTrained(entry) ? estimate(entry.lines.map(({ points }) => points[0]!.rank)) : null,
        estimate(ends.map(({ rank }) => rank)),
        Number(mean(ends.map(({ margin }) => margin)).toFixed(2)),
      ];
    }),
  };
}

/** A map for each kind of score (informative, upstream, ...), a panel for each component; attention summed over its heads. */
export function itemMaps(rows: readonly ScoreRow[], set: string, tokens: readonly string[]): MapFigure[] {
  const own = rows.filter((row) => row.set === set && row.shape.length >= 2);
  const kinds = [...new Set(own.map(({ name }) => name.split('.')[0]!))];
  return kinds.flatMap((kind) => {
    const panels = own.filter(({ name }) => name.split('.')[0] === kind);
    const [layers, width] = [panels[0]!.shape[0]!, panels[0]!.shape.at(-1)!];
    const alike = panels.filter(({ shape }) => shape[0] === layers && shape.at(-1) === width);
    return [
      {
        id: `item-${kind}`,
        kind: 'map' as const,
        title: `${capitalize(stageName(kind))} scores of this item`,
        caption:
          'Score of each layer’s component at each token of this item’s prompt; attention is summed over its heads. Positive lowers the loss.',
        rows: { label: 'Layer', names: Array.from({ length: layers }, (_, layer) => String(layer)) },
        columns: { label: 'Token', names: Array.from({ length: width }, (_, token) => tokens[token]?.trim() || String(token)) },
        panels: alike.map((row) => ({
          title: partName(row.name.split('.').slice(1).join('.') || row.name),
          values: layerByToken(row),
        })),
      },
    ];
  });
}

const partNames: { [part: string]: string } = { mlp: 'MLP', attn: 'Attention' };

/** The part of a layer as people read it. */
const partName = (part: string) => partNames[part] ?? stageName(part);

function layerByToken({ shape, values }: ScoreRow): number[][] {
  const [layers, width] = [shape[0]!, shape.at(-1)!];
  const heads = values.length / (layers * width);
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: width }, (_, token) => {
      let sum = 0;
      for (let head = 0; head < heads; head++) sum += values[(layer * heads + head) * width + token]!;
      return sum;
    }),
  );
}
