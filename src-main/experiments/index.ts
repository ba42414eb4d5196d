/**
 * The list of experiments; adding one is its file, a line here and the fixture that a test demands.
 * Nothing else in the project names an experiment.
 */
import { ablation } from './ablation.ts';
import { dataOrdering } from './data-ordering.ts';
import { emergence } from './emergence.ts';
import type { Experiment } from './experiment.ts';
import { extractiveScoresExperiment } from './extractive-scores.ts';
import { layerFreezing } from './layer-freezing.ts';
import { localization } from './localization.ts';
import { ocr } from './ocr.ts';
import { weightGrafting } from './weight-grafting.ts';

export const experiments: readonly Experiment[] = [
  ocr,
  extractiveScoresExperiment,
  layerFreezing,
  dataOrdering,
  weightGrafting,
  localization,
  emergence,
  ablation,
];
