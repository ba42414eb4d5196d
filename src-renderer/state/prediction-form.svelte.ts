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

const nothing: PredictionDraft = { set: '', comparison: 'at most', threshold: '', text: '' };

export class PredictionForm {
  #draft = $state.raw<PredictionDraft>(nothing);
  /** Lists that will be measured. */
  #measured: () => readonly string[];

  constructor(measured: () => readonly string[]) {
    this.#measured = measured;
  }

  /** The lists whose mean rank can be predicted, implications first. */
  get sets(): string[] {
    const isImplied = (set: string) => Number(/^(implications|both)/.test(set));
    return [...this.#measured()].sort((a, b) => isImplied(b) - isImplied(a));
  }

  get draft(): PredictionDraft {
    return { ...this.#draft, set: this.#draft.set || (this.sets[0] ?? 'implications') };
  }
  set draft(draft: PredictionDraft) {
    this.#draft = draft;
  }

  /** What is wrong with the threshold; null where it is a mean rank or empty. */
  get problem(): string | null {
    const text = this.#draft.threshold.trim();
    const good = text === '' || (Number(text) >= 0 && Number.isFinite(Number(text)));
    return good ? null : 'Type a mean rank, for example 2, or leave it empty.';
  }

  /** What is stored with the run; null where nothing was predicted. */
  get value(): Prediction | null {
    const { set, comparison, threshold, text } = this.draft;
    const number = threshold.trim() === '' ? null : Number(threshold);
    return number === null && text.trim() === '' ? null : { set, comparison, threshold: number, text: text.trim() };
  }

  clear(): void {
    this.#draft = nothing;
  }
}
