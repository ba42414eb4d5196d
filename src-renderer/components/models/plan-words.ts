/**
 * What a model's plan on this machine says, in words. The numbers are the host's estimates; nothing is estimated here.
 */
import type { ModelPlan, WorkEstimate } from '../../../src-main/shared/records.ts';

/** The works of a plan, from the lightest, each with a name. */
export const plannedWorks = [
  { key: 'forward', name: 'Run and rank' },
  { key: 'scores', name: 'Score components' },
  { key: 'train_lora', name: 'Finetune with LoRA' },
  { key: 'train_mlp_attn', name: 'Finetune MLP and attention' },
  { key: 'train_all', name: 'Finetune all weights' },
] as const;

const weightsIn = {
  memory: 'in memory, 32 bits',
  '16-bit': 'in memory, 16 bits',
  disk: 'partly read from disk',
} as const;

const stateIn = { none: '', memory: 'in memory', scratch: 'on disk, in a scratch folder' } as const;

/** Where weights, and what trains, are kept. */
export function kept({ residency, state }: WorkEstimate): string {
  const weights = `Weights ${weightsIn[residency]}`;
  return state === 'none' ? weights : `${weights}; what trains ${stateIn[state]}`;
}

/** The most that can be done with a model here, in a few words. */
export function bestUse(plan: ModelPlan): { words: string; isGood: boolean } {
  const { train_all: all, train_mlp_attn: part, train_lora: lora, scores, forward } = plan;
  if (all.fits) return { words: all.state === 'scratch' ? 'Finetunes, through the disk' : 'Finetunes, in memory', isGood: true };
  if (part.fits) return { words: 'Finetunes MLP and attention', isGood: true };
  if (lora.fits) return { words: 'Finetunes with LoRA', isGood: true };
  if (scores.fits) return { words: 'Scores, no finetuning', isGood: false };
  return forward.fits ? { words: 'Runs only', isGood: false } : { words: 'Too large for this memory', isGood: false };
}
