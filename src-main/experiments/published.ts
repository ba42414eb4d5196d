/**
 * The paper's figures that results are shown beside: mean ranks of OLMo-7B among 20 options (arXiv 2412.04614v2).
 * Nothing is measured here.
 */

/** Layer freezing, 32 layers split at 24: data set, then `when frozen`, then [facts, implications]. */
export const publishedFreezingRanks: Readonly<Record<string, Record<string, [facts: number, implications: number]>>> = {
  'first-hop': {
    'after none': [0, 0],
    'after early': [5.1, 8.4],
    'after late': [0, 0],
    'after all': [9.2, 9.25],
    'during early': [0, 6.5],
    'during late': [0, 0.1],
  },
  'second-hop': {
    'after none': [0, 1.8],
    'after early': [0.95, 1.85],
    'after late': [0.1, 6.3],
    'after all': [9.1, 9.5],
    'during early': [0, 0.5],
    'during late': [0, 6.6],
  },
};

/** Weight grafting: left_1, both_1, left_2, both_2. */
export const publishedGraftingRanks: Readonly<Record<'left_2' | 'left_2_graft' | 'left_2_graft_bad', number[]>> = {
  left_2: [8.92, 8.55, 0, 9.12],
  left_2_graft: [8.4, 3.31, 0.08, 1.13],
  left_2_graft_bad: [9.19, 0.43, 0.32, 8.42],
};
