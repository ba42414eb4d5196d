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

/** The most that can be done with a model here, in a few words, and the bytes of memory that it takes. */
export interface BestUse {
  words: string;
  isGood: boolean;
  isPossible: boolean;
  memory: number;
}

export function bestUse(plan: ModelPlan): BestUse {
  const { train_all: all, train_mlp_attn: part, train_lora: lora, scores, forward } = plan;
  const good = (words: string, { memory }: WorkEstimate): BestUse => ({ words, isGood: true, isPossible: true, memory });
  const poor = (words: string, { memory, fits }: WorkEstimate): BestUse => ({ words, isGood: false, isPossible: fits, memory });
  if (all.fits) return good(all.state === 'scratch' ? 'Finetunes, through the disk' : 'Finetunes, in memory', all);
  if (part.fits) return good('Finetunes MLP and attention', part);
  if (lora.fits) return good('Finetunes with LoRA', lora);
  if (scores.fits) return poor('Scores, no finetuning', scores);
  return poor(forward.fits ? 'Runs only' : 'Too large for this memory', forward);
}
