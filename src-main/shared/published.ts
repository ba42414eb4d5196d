/**
 * The paper's values that results are shown beside, and the settings they were measured with: mean ranks of OLMo-7B among 20 options
 * (arXiv 2412.04614v2). Nothing is measured here.
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

/** Options that the paper ranks among, and the mean rank of guessing among them. */
export const publishedOptions = 20;
export const publishedChance = (publishedOptions - 1) / 2;

/** Settings behind those values, by their names in a spec; `trainable` is the paper's for OLMo alone. */
export const publishedSettings = { model: 'OLMo-7B-0424', lr: 3e-6, epochs: 8, batch_size: 8, trainable: 'mlp_attn' } as const;
