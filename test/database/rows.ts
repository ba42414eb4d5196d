/** Made-up rows for the database's and the service's tests, loadable by child processes too. */
import type { Emission, EvaluationRow, ItemSet } from '../../src-main/shared/records.ts';

export const itemSet: ItemSet = {
  set: 'facts',
  pairs: [
    ['Ada lives in', 'Paris'],
    ['Bob lives in', 'Rome'],
  ],
  options: ['Paris', 'Rome', 'Oslo'],
  candidates: [11, 12, 13],
  labels: ['Paris', 'Rome', 'Oslo'],
  answers: [0, 1],
};

export function step(number: number): Emission {
  return { kind: 'step', row: { seed: 0, stage: 'finetune', epoch: 0, step: number, loss: 1 / (number + 1), seconds: 0.01 } };
}

/** Logits are float32 values, as a runtime's are. */
export function evaluation(epoch: number, items = 2): EvaluationRow {
  return {
    seed: 0,
    stage: 'finetune',
    epoch,
    set: 'facts',
    meanRank: 0.5,
    loss: 0.25,
    items: Array.from({ length: items }, (_, item) => ({
      item,
      rank: item % 3,
      logits: [Math.fround(0.1 * item), Math.fround(-1 / 3), 2 ** -140],
    })),
  };
}
