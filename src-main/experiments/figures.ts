/**
 * Figures that several experiments draw: rank curves by epoch and bars of final ranks, each with chance level.
 * The numbers come from results and logs; nothing is measured here.
 */
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import { chanceLevel, chanceReferences } from '../shared/chance.ts';
import type { LinesFigure, Reference } from '../shared/figures.ts';
import { publishedOptions } from '../shared/published.ts';
import type { StageLog } from './stage.ts';

export const rankAxis = { label: 'Mean rank (0 is best)', kind: 'rank' } as const;

/** The mean rank of guessing. */
export const chanceOf = ({ items }: Pick<EncodedSet, 'items'>): number => chanceLevel(items.candidates.length);

/** One reference where all lists have the same chance level, else one each. */
export const chancesOf = (sets: Readonly<Record<string, EncodedSet>>): Reference[] =>
  chanceReferences(Object.values(sets).map((set) => ({ set: set.items.set, chance: chanceOf(set) })));

/** Said where the paper's ranks stand beside others: ranks grow with the options that there are. */
export function publishedNote(sets: Readonly<Record<string, EncodedSet>>): string {
  const alike = Object.values(sets).every((set) => set.items.candidates.length === publishedOptions);
  return alike
    ? ' Diamonds are the paper’s values.'
    : ` Diamonds are the paper’s values, among ${publishedOptions} options, drawn in proportion to chance here.`;
}

/** Mean rank by epoch of one watched list, for several trainings, over seeds. `logs[label]` holds one log per seed. */
export function rankCurves(
  figure: Pick<LinesFigure, 'id' | 'title' | 'caption' | 'references'>,
  logs: Readonly<Record<string, readonly StageLog[]>>,
  list: string,
): LinesFigure {
  return {
    ...figure,
    kind: 'lines',
    x: { label: 'Epoch', kind: 'number' },
    y: rankAxis,
    series: Object.entries(logs).map(([label, seeds]) => ({
      label,
      x: seeds[0]!.epochs.map((_, epoch) => epoch),
      y: seeds[0]!.epochs.map((_, epoch) => estimate(seeds.map((log) => log.epochs[epoch]![list]!.mean_rank))),
    })),
  };
}
