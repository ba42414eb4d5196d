/**
 * How the explorer's maps and its circuit are looked at. It holds no scores.
 */
import type { DownstreamRule } from './scores.ts';

export interface MapChoice {
  /** MLPs by token, attention by token with its heads added, or heads. */
  view: 'mlp' | 'attn' | 'heads';
  rule: DownstreamRule;
  scale: 'shared' | 'own';
  /** Of absolute values, where the colour scale ends; 1: the largest. */
  percentile: number;
  /** The token at which heads are shown; null: added over all. */
  token: number | null;
  /** Whether bars beside the maps show each layer's sum. */
  sums: boolean;
}
