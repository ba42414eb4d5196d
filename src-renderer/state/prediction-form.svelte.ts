/**
 * What is expected of a run as it is typed, before the run: which list, which side of which mean rank, and why. It may be left empty.
 * How it is judged afterwards is measures/prediction.ts's.
 */
import type { Comparison, Prediction } from '../measures/prediction.ts';

/** Empty texts: nothing is expected. */
export interface PredictionDraft {
  set: string;
  comparison: Comparison;
  threshold: string;
  text: string;
}

/** A list that will be measured: its name, and how many options each of its items is ranked among. */
export interface MeasuredList {
  set: string;
  options: number;
}

const nothing: PredictionDraft = { set: '', comparison: 'at most', threshold: '', text: '' };

export class PredictionForm {
  #draft = $state.raw<PredictionDraft>(nothing);
  /** Lists that will be measured. */
  #measured: () => readonly MeasuredList[];

  constructor(measured: () => readonly MeasuredList[]) {
    this.#measured = measured;
  }

  /** The lists whose mean rank can be predicted, implications first. */
  get sets(): string[] {
    const isImplied = (set: string) => Number(/^(implications|both)/.test(set));
    return this.#measured()
      .map(({ set }) => set)
      .sort((a, b) => isImplied(b) - isImplied(a));
  }

  get draft(): PredictionDraft {
    return { ...this.#draft, set: this.#draft.set || (this.sets[0] ?? 'implications') };
  }
  set draft(draft: PredictionDraft) {
    this.#draft = draft;
  }

  /** Options of the chosen list; 0 while unknown. */
  get options(): number {
    return this.#measured().find(({ set }) => set === this.draft.set)?.options ?? 0;
  }

  /** What is wrong with the threshold; null where it is a mean rank among the list's options, or empty. */
  get problem(): string | null {
    const text = this.#draft.threshold.trim();
    if (text === '') return null;
    const rank = Number(text);
    if (!(rank >= 0 && Number.isFinite(rank))) return 'Type a mean rank, for example 2, or leave it empty.';
    const worst = this.options - 1;
    return worst >= 0 && rank > worst
      ? `Ranks among these ${this.options} options go from 0 to ${worst}: type a mean rank in between.`
      : null;
  }

  /** What is stored with the run; null where nothing was predicted. */
  get value(): Prediction | null {
    const { set, comparison, threshold, text } = this.draft;
    const number = threshold.trim() === '' ? null : Number(threshold);
    return number === null && text.trim() === '' ? null : { set, comparison, threshold: number, text: text.trim() };
  }

  /** As it was typed; a list that was not chosen is empty. */
  get typed(): PredictionDraft {
    return this.#draft;
  }

  clear(): void {
    this.#draft = nothing;
  }
}
