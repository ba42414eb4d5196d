/**
 * What the browser keeps of an experiment that is being put together, for each project and experiment: its settings as typed, its step and prediction.
 * Saved specs and runs are the host's; where the browser keeps nothing, the wizard works all the same.
 */
import { type Keeper, readKept, removeKept, writeKept } from '../datasets/kept-locally.ts';
import type { PredictionDraft } from './prediction-form.svelte.ts';

export interface KeptWizard {
  drafts: { [name: string]: string };
  /** Index of the step. */
  step: number;
  prediction: PredictionDraft;
}

const keyOf = (project: number, experiment: string) => `hopscope.wizard-draft.${project}.${experiment}`;

/** Null where there is none, or none that can be read. */
export function readKeptWizard(keeper: Keeper, project: number, experiment: string): KeptWizard | null {
  const value = readKept(keeper, keyOf(project, experiment)) as Partial<KeptWizard> | null;
  const isTexts = (texts: unknown) =>
    typeof texts === 'object' && texts !== null && Object.values(texts).every((text) => typeof text === 'string');
  const { set, comparison, threshold, text } = (value?.prediction ?? {}) as Partial<PredictionDraft>;
  const isPrediction = [set, comparison, threshold, text].every((part) => typeof part === 'string');
  return Number.isSafeInteger(value?.step) && isTexts(value?.drafts) && isPrediction ? (value as KeptWizard) : null;
}

export function writeKeptWizard(keeper: Keeper, project: number, experiment: string, kept: KeptWizard): void {
  writeKept(keeper, keyOf(project, experiment), kept);
}

export function removeKeptWizard(keeper: Keeper, project: number, experiment: string): void {
  removeKept(keeper, keyOf(project, experiment));
}
