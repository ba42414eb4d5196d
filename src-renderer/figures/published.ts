/**
 * The paper's ranks beside a figure's own: at which level its own are guessing, and where a published one lies on that scale. Ranks grow with the
 * options, so they are compared as shares of chance. The paper's values themselves are shared/published.ts's.
 */
import type { BarsFigure } from '../../src-main/shared/figures.ts';
import { publishedChance } from '../../src-main/shared/published.ts';
import { isNumber } from './numbers.ts';

/** Which bar of a figure. */
export interface BarPlace {
  series: string;
  group: string;
}

/** Words of groups and series (`facts`, `implications 2`) as levels of chance name their lists (`left, assignment 2`). */
const listNames: Readonly<Record<string, string>> = { facts: 'left', implications: 'both' };

/** The level of guessing at a bar: the one named after its series or group, or the only one; null where that cannot be told. */
export function chanceAt({ references }: Pick<BarsFigure, 'references'>, { series, group }: BarPlace): number | null {
  const [only, ...others] = references.filter(({ label }) => label.startsWith('chance'));
  const [kind = ''] = group.split(' ');
  const words = [series, kind, listNames[kind] ?? kind].filter((word) => word !== '');
  const own = others.length === 0 ? only : references.find(({ label }) => words.some((word) => label.includes(word)));
  return own === undefined || !(own.value > 0) ? null : own.value;
}

/** A published rank in proportion to chance here; null where there is none, or it is not known what chance is. */
export function publishedHere(figure: BarsFigure, place: BarPlace, value: number | null | undefined): number | null {
  const chance = chanceAt(figure, place);
  return !isNumber(value) || chance === null ? null : (value / publishedChance) * chance;
}

/** Whether some published rank of the figure is not drawn as it was published. */
export function isPublishedScaled(figure: BarsFigure): boolean {
  return figure.series.some(({ label, published = [] }) =>
    published.some(
      (value, index) =>
        isNumber(value) && chanceAt(figure, { series: label, group: figure.groups[index] ?? '' }) !== publishedChance,
    ),
  );
}
