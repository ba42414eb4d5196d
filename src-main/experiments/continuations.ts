/**
 * What the model says after each item's prompt before and after a training of a run, for looking at single items.
 * The texts are generated in src-main/scores; no result depends on them.
 */
import type { Weights } from '../engine/weights.ts';
import { greedyContinuations } from '../scores/continuations.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import type { ExperimentSpec, Parameter } from '../shared/records.ts';
import type { ExperimentContext } from './experiment.ts';
import type { WorkCounter } from './stage.ts';

export const continuationParameter: Parameter = {
  name: 'continuation_tokens',
  label: 'Continuation, in tokens',
  help: 'For every item, what the model itself says after the prompt, before and after training: the most probable token each time, up to so many, ending at the end of the text or of the line. 0: none. No rank depends on it. Each token takes as long as measuring all items once.',
  kind: 'integer',
  default: 8,
  minimum: 0,
  maximum: 256,
  advanced: true,
};

const tokensOf = (spec: ExperimentSpec): number => spec.continuation_tokens as number;

/** What the texts of so many trained weights take, in measurements of all items; `untrained`: times that texts before training are written. */
export const continuationWork = (spec: ExperimentSpec, trained: number, untrained = 1): number =>
  tokensOf(spec) * (trained + untrained);

/** Writes the texts of one run. Those before training are of the model as it was given, and written once for each list. */
export class Continuations {
  readonly #context: ExperimentContext;
  readonly #counter: WorkCounter;
  readonly #before = new Map<EncodedSet, string[]>();

  constructor(context: ExperimentContext, counter: WorkCounter) {
    this.#context = context;
    this.#counter = counter;
  }

  /** Emits the texts of several lists before any training and by the weights that a stage ended with. */
  async emit({ seed, stage }: { seed: number; stage: string }, trained: Weights, lists: readonly EncodedSet[]): Promise<void> {
    if (tokensOf(this.#context.spec) === 0) return;
    const fresh = lists.filter((set) => !this.#before.has(set));
    if (fresh.length > 0) {
      const texts = await this.#write(this.#context.weights, fresh, 'what the model says before training');
      for (const [index, set] of fresh.entries()) this.#before.set(set, texts[index]!);
    }
    const after = await this.#write(trained, lists, `seed ${seed}, what the model says after training`);
    for (const [index, set] of lists.entries()) {
      const before = this.#before.get(set)!;
      const rows = after[index]!.map((text, item) => ({ item, before: before[item]!, after: text }));
      this.#context.emit({ kind: 'continuations', row: { seed, stage, set: set.items.set, rows } });
    }
  }

  async #write(weights: Weights, lists: readonly EncodedSet[], message: string): Promise<string[][]> {
    const { executor, model, spec, turn } = this.#context;
    const tokens = tokensOf(spec);
    const written: string[][] = [];
    let told = 0;
    for (const [index, set] of lists.entries()) {
      written.push(
        await greedyContinuations({
          executor,
          weights,
          tokenizer: model.tokenizer,
          set,
          tokens,
          beforePass: turn,
          progress: (done) => {
            // A share of all lists, told in as many units as there are tokens
            for (; told < Math.floor(((index + done) / lists.length) * tokens + 1e-9); told++) this.#counter.advance(message);
          },
        }),
      );
    }
    return written;
  }
}
