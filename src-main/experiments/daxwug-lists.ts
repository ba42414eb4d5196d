/**
 * The slices of DAXWUG that data ordering and weight grafting train on and measure.
 * Left sentences introduce a nonce word for a fact, both sentences are its implication.
 */
import type { ResolvedDataset } from '../datasets/dataset.ts';
import type { Example } from '../engine/training/batch.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import type { ItemList } from './experiment.ts';
import { daxwugOf } from './lists.ts';

/** Test slice of variant 1: what the later finetuning is about. */
export function testLists(dataset: ResolvedDataset): Record<'left' | 'both', ItemList> {
  const { variant_1, options, test_slice } = daxwugOf(dataset);
  return {
    left: { set: 'left, test names', pairs: variant_1.left.slice(...test_slice), options: options.left },
    both: { set: 'both, test names', pairs: variant_1.both.slice(...test_slice), options: options.both },
  };
}

/** Train slice of both variants. */
export function trainLists(dataset: ResolvedDataset): Record<'left_1' | 'both_1' | 'left_2' | 'both_2', ItemList> {
  const { variant_1, variant_2, options, train_slice } = daxwugOf(dataset);
  return {
    left_1: { set: 'left, assignment 1', pairs: variant_1.left.slice(...train_slice), options: options.left },
    both_1: { set: 'both, assignment 1', pairs: variant_1.both.slice(...train_slice), options: options.both },
    left_2: { set: 'left, assignment 2', pairs: variant_2.left.slice(...train_slice), options: options.left },
    both_2: { set: 'both, assignment 2', pairs: variant_2.both.slice(...train_slice), options: options.both },
  };
}

/** Left sentences first in the index space, then both sentences. */
export const joined = (left: EncodedSet, both: EncodedSet): Example[] => [...left.examples, ...both.examples];
