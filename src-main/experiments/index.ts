/**
 * The list of experiments; adding one is its file, a line here and the fixture that a test demands.
 * Nothing else in the project names an experiment.
 */
import type { Experiment } from './experiment.ts';
import { ocr } from './ocr.ts';

export const experiments: readonly Experiment[] = [ocr];
