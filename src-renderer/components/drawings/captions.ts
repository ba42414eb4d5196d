/**
 * How to read each experiment's small drawing: what its shapes and colours stand for. The drawings are thumbnails.ts's.
 */
const captions: { readonly [experiment: string]: string } = {
  'extractive-scores':
    'A cell is a layer at a token, its colour a score: what pushes the right answer up (red) or down (blue). Where a few cells stand out, the fact is stored, recalled or used there.',
  'layer-freezing':
    'Three trainings of the same layers, the first at the bottom: late layers frozen, early layers frozen, all free. Grey layers do not learn.',
  'data-ordering':
    'Three orders of facts (blue) and their implications (orange): mixed, facts first, implications first. Then each model is taught new facts.',
  'weight-grafting':
    'What learning implications changed in one model (orange) is added to a second one, which knows other facts (blue).',
  localization:
    'Left, where learning implications changed the weights; middle, what later facts use. If they are the same places, the points lie on a line.',
  emergence:
    'Ranks of facts (blue) and of implications (orange) after finetuning, at checkpoints of a pretraining run: when do implications begin to follow?',
  ablation:
    'One component is taken out, and the rank of the answer is measured again: if it rises, the answer went through there.',
};

/** Null for an experiment whose drawing says it itself, or that has none. */
export function captionOfDrawing(experiment: string): string | null {
  return captions[experiment] ?? null;
}
