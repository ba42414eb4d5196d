/**
 * The lists that experiments take from a data set: facts and implications, or the slices of DAXWUG.
 * Narrowing is safe because the data set was resolved as the experiment's kind.
 */
import type { ResolvedDataset } from '../datasets/dataset.ts';
import type { Daxwug, FactsAndImplications } from '../shared/records.ts';
import type { ItemList } from './experiment.ts';

export const factsOf = (dataset: ResolvedDataset): FactsAndImplications => dataset.data as FactsAndImplications;

export const daxwugOf = (dataset: ResolvedDataset): Daxwug => dataset.data as Daxwug;

export function factLists(dataset: ResolvedDataset): Record<'train' | 'test', ItemList> {
  const { train, test, options } = factsOf(dataset);
  return {
    train: { set: 'facts', pairs: train, options: options.train },
    test: { set: 'implications', pairs: test, options: options.test },
  };
}
