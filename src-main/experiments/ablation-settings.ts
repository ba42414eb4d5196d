/**
 * The settings of an ablation as a spec has them, and the parameters that ask for them.
 * Whether chosen components are in the model and in its prompts is ablation-chosen.ts's to say.
 */
import type { Control } from '../scores/ablation.ts';
import type { MeanOver } from '../scores/replacements.ts';
import type { ExperimentSpec, Parameter } from '../shared/records.ts';
import { accumulationParameter } from './scoring.ts';

export const listNames = ['train', 'test'] as const;
export type ListName = (typeof listNames)[number];

/** As a spec has it. `head` null: the MLP, or all heads of the layer's attention. */
export interface ChosenComponent {
  part: 'mlp' | 'attn';
  layer: number;
  head: number | null;
  /** Of the list's accumulation prompt: a column of its score maps. */
  token: number;
}

export type Method = 'zero' | 'mean' | 'counterfactual' | 'patch-old';
export type OrderBy = 'downstream' | 'upstream' | 'informative' | 'predicted' | 'single' | 'chosen';

export interface AblationSettings {
  method: Method;
  by: OrderBy;
  k: number[];
  draws: number;
  control: Control;
  mean_over: MeanOver;
  counterfactuals: number;
  /** Where `by` is chosen. */
  components?: ChosenComponent[];
}

export const settingsOf = (spec: ExperimentSpec): AblationSettings => spec as unknown as AblationSettings;

export const ablationParameters: Parameter[] = [
  {
    name: 'method',
    label: 'Replace by',
    help: 'What stands in for a component’s value. Old weights: what the component computed before finetuning, which undoes what it learned. Another prompt: the aligned values of another item (resample ablation), which takes away what is particular to this one. The mean keeps what prompts share; zero takes everything, also what every prompt needs.',
    kind: 'choice',
    default: 'patch-old',
    choices: [
      { value: 'patch-old', label: 'Values under the old weights' },
      { value: 'counterfactual', label: 'Values of another prompt' },
      { value: 'mean', label: 'Mean over the prompts' },
      { value: 'zero', label: 'Zero' },
    ],
  },
  {
    name: 'by',
    label: 'Order components by',
    help: 'The top components of this order are replaced. Downstream, upstream and informative are the paper’s extractive scores, averaged over the prompts. Predicted is the first-order effect of this very replacement (attribution patching). Single is the measured effect of each component alone; it is chosen and measured on the same prompts, so take it as an upper bound. Chosen components are those that you name, in the order you name them.',
    kind: 'choice',
    default: 'downstream',
    choices: [
      { value: 'downstream', label: 'Downstream score' },
      { value: 'upstream', label: 'Upstream score' },
      { value: 'informative', label: 'Informative score' },
      { value: 'predicted', label: 'Predicted effect' },
      { value: 'single', label: 'Measured effect of each alone' },
      { value: 'chosen', label: 'Chosen components' },
    ],
  },
  {
    name: 'components',
    label: 'Chosen components',
    help: 'For chosen components: which ones, in the order in which they are replaced, such as [{"part": "mlp", "layer": 3, "head": null, "token": 7}]. The part is mlp, or attn with a head’s number or null for all heads of the layer. The token is a column of the score maps: its index, from 0, in the prompt that scores are averaged over, and every item’s aligned token is meant. Facts and implications have prompts of their own; a component beyond one list’s prompt is left out of that list with a warning, one beyond both is an error. Random sets have as many MLPs and heads.',
    kind: 'components',
    optional: true,
  },
  {
    name: 'k',
    label: 'Numbers of components',
    help: 'How many of the top components are replaced together. One component is an MLP’s output, or a head’s before the output projection, at one token. Of chosen components, all are replaced together, and as many of the first ones as each of these numbers that is below that; larger ones are not used.',
    kind: 'integers',
    default: [1, 2, 4, 8, 16, 32],
    minimum: 1,
  },
  {
    name: 'draws',
    label: 'Random controls',
    help: 'Random sets of the same size to compare with, drawn anew for every seed.',
    kind: 'integer',
    default: 5,
    minimum: 1,
    maximum: 1000,
  },
  {
    name: 'control',
    label: 'Random sets have',
    help: 'As many MLPs and as many heads as the top components, because an MLP’s output weighs more than one head’s; or any components.',
    kind: 'choice',
    default: 'same-kind',
    choices: [
      { value: 'same-kind', label: 'As many MLPs and heads' },
      { value: 'any', label: 'Any components' },
    ],
    advanced: true,
  },
  {
    name: 'mean_over',
    label: 'Mean over',
    help: 'For the mean: over the tokens of all prompts that stand where the component’s own token does, or over all of their tokens.',
    kind: 'choice',
    default: 'position',
    choices: [
      { value: 'position', label: 'The same position' },
      { value: 'all', label: 'All tokens' },
    ],
    advanced: true,
  },
  {
    name: 'counterfactuals',
    label: 'Other prompts',
    help: 'For another prompt’s values: how many other items, with another answer, each effect is the mean over.',
    kind: 'integer',
    default: 1,
    minimum: 1,
    maximum: 1000,
    advanced: true,
  },
  {
    ...accumulationParameter,
    help: 'For chosen components: the text over whose tokens those of the implications are counted, as {"prompt": ..., "answer": ...}; give the one of the scores they were chosen from. Left out, and for the facts always: what all prompts share with “X Y” in place of what differs, as extractive scores have it.',
  },
];
