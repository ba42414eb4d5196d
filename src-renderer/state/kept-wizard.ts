/**
 * What the browser keeps of an experiment that is being put together, for each project and experiment: its settings as typed, its step and prediction.
 * Saved specs and runs are the host's; where the browser keeps nothing, the wizard works all the same.
 */
import type { Keeper } from '../datasets/kept-locally.ts';
import type { PredictionDraft } from './prediction-form.svelte.ts';

export interface KeptWizard {
  drafts: { [name: string]: string };
  /** Index of the step. */
  step: number;
  prediction: PredictionDraft;
}

const keyOf = (project: number, experiment: string) => `hopscope.wizard-draft.${project}.${experiment}`;

/** Null where there is none, or none that can be read. */
export function readKept(keeper: Keeper, project: number, experiment: string): KeptWizard | null {
  try {
    const value = JSON.parse(keeper.getItem(keyOf(project, experiment)) ?? 'null') as Partial<KeptWizard> | null;
    const isTexts = (texts: unknown) =>
      typeof texts === 'object' && texts !== null && Object.values(texts).every((text) => typeof text === 'string');
    const { set, comparison, threshold, text } = (value?.prediction ?? {}) as Partial<PredictionDraft>;
    const isPrediction = [set, comparison, threshold, text].every((part) => typeof part === 'string');
    return Number.isSafeInteger(value?.step) && isTexts(value?.drafts) && isPrediction ? (value as KeptWizard) : null;
  } catch {
    return null;
  }
}

export function writeKept(keeper: Keeper, project: number, experiment: string, kept: KeptWizard): void {
  try {
    keeper.setItem(keyOf(project, experiment), JSON.stringify(kept));
  } catch {
    // No room, or not allowed: the wizard itself still has it.
  }
}

export function removeKept(keeper: Keeper, project: number, experiment: string): void {
  try {
    keeper.removeItem(keyOf(project, experiment));
  } catch {
    // Nothing was kept then.
  }
}
