/**
 * The record beside a small-world model: how it was made and what was measured at its checkpoints.
 * Its presence is what marks a folder as a small-world model.
 */
import type { CheckpointEvaluation } from './evaluate.ts';
import type { Recipe } from './recipe.ts';

/** The record's file name in the model folder. */
export const recordName = 'record.json';

export interface PretrainRecord {
  format: 'hopscope small world';
  recipe: Recipe;
  parameters: number;
  seconds: number;
  /** Mean loss of every 100 steps. */
  losses: number[];
  evaluations: CheckpointEvaluation[];
}
