/**
 * How the explorer's maps are looked at, and which component is open beside them. It holds no scores.
 */
import type { Component } from '../../circuit/components.ts';
import type { DownstreamRule } from '../../circuit/scores.ts';

export interface MapChoice {
  /** MLPs by token, attention by token with its heads added, or heads. */
  view: 'mlp' | 'attn' | 'heads';
  rule: DownstreamRule;
  scale: 'shared' | 'own';
  /** Of absolute values, where the colour scale ends; 1: the largest. */
  percentile: number;
  /** The token at which heads are shown; null: added over all. */
  token: number | null;
}

/** A component that is open: at one token, or added over all (null). */
export type ChosenComponent = Omit<Component, 'token'> & { token: number | null };
