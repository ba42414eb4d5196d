/**
 * What captions of an ablation say: what values give way to, and which components do so in which order.
 * It draws nothing and reads settings only.
 */
import { type ChosenInList, namesIn } from './ablation-chosen.ts';
import { type OrderBy, settingsOf } from './ablation-settings.ts';
import type { ExperimentContext } from './experiment.ts';

/** What a component's value gives way to. */
export function replacementIn({ spec }: ExperimentContext): string {
  const { method, mean_over, counterfactuals } = settingsOf(spec);
  switch (method) {
    case 'patch-old':
      return 'what it computed under the old weights';
    case 'counterfactual':
      return counterfactuals === 1
        ? 'its value in another prompt, at the aligned token'
        : `its value in ${counterfactuals} other prompts in turn, at the aligned token`;
    case 'mean':
      return mean_over === 'position'
        ? 'its mean over the prompts, at the aligned token'
        : 'its mean over all tokens of the prompts';
    case 'zero':
      return 'zero';
  }
}

/** Said where heads are patched, because the model before finetuning is then not quite reached. */
export const headNote = ({ spec }: ExperimentContext): string =>
  settingsOf(spec).method === 'patch-old'
    ? ' Heads are replaced before the output projection, which keeps what it learned, as embeddings and norms do.'
    : '';

const orderedBy: Record<OrderBy, string> = {
  downstream: 'the downstream score',
  upstream: 'the upstream score',
  informative: 'the informative score',
  predicted: 'the predicted effect of the replacement',
  single: 'the measured effect of each alone, on the same prompts',
  chosen: 'the order in which they were named',
};

/** `chosen`: the components of one list, where they were chosen. */
export function howReplaced(context: ExperimentContext, chosen: ChosenInList | undefined): string {
  const { by } = settingsOf(context.spec);
  if (chosen)
    return `Each of the first k chosen components is replaced by ${replacementIn(context)}: ${namesIn(chosen)}.${headNote(context)}`;
  return `The output of each of k MLPs and heads at a token is replaced by ${replacementIn(context)}; the top k are the first by ${orderedBy[by]}.${headNote(context)}`;
}
