/**
 * Ablation and patching: are the components that a score points to the ones that matter? After finetuning, their values are replaced and the
 * change of L and of ranks is measured, against random components and against what a first-order score predicts. It trains as OCR does.
 */
import { Interventions } from '../engine/execution/interventions.ts';
import { Observer } from '../engine/execution/observer.ts';
import type { Model } from '../engine/models/model.ts';
import { encodePair } from '../engine/training/batch.ts';
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, Json, Pair, Parameter } from '../shared/records.ts';
import { type AblationResults, ablationFigures, type ListName, listNames, summarize } from './ablation-figures.ts';
import { ablateList, interventionsPerPrompt, type ListAblation, settingsOf } from './ablation-measure.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import { finetuningWork, oneByOne, runStage, seedsOf, trainerOn, WorkCounter } from './stage.ts';

const ownParameters: Parameter[] = [
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
    help: 'The top components of this order are replaced. Downstream, upstream and informative are the paper’s extractive scores, averaged over the prompts. Predicted is the first-order effect of this very replacement (attribution patching). Single is the measured effect of each component alone; it is chosen and measured on the same prompts, so take it as an upper bound.',
    kind: 'choice',
    default: 'downstream',
    choices: [
      { value: 'downstream', label: 'Downstream score' },
      { value: 'upstream', label: 'Upstream score' },
      { value: 'informative', label: 'Informative score' },
      { value: 'predicted', label: 'Predicted effect' },
      { value: 'single', label: 'Measured effect of each alone' },
    ],
  },
  {
    name: 'k',
    label: 'Numbers of components',
    help: 'How many of the top components are replaced together. One component is an MLP’s output, or a head’s before the output projection, at one token.',
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
];

export const ablation: Experiment = {
  description: {
    id: 'ablation',
    title: 'Ablation and patching',
    question: 'Do the components that a score points to really carry the answer?',
    explanation:
      'The model is finetuned on facts. Then, for facts and implications, the values of the top components of a score are replaced, and the right answer’s logit gap and rank are measured again, next to as many random components. Every MLP at every token and every head is also replaced alone, which shows where the answer depends on what, and how far first-order predictions can be trusted.',
    parameters: [...commonParameters, ...ownParameters],
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset, model) {
    const { train, test } = factsOf(dataset);
    const { steps, batchSize, epochs, seeds } = finetuningWork(spec, train.length);
    const passes = passesOf(spec, model, train[0]!) + passesOf(spec, model, test[0]!);
    return { steps, batchSize, evaluations: (epochs + 1 + passes) * seeds };
  },

  async run(context) {
    const { executor, model, spec } = context;
    const counter = new WorkCounter(context);
    const observer = new Observer(model, executor.settings);
    const interventions = new Interventions(model, executor.settings);
    try {
      const seeds: AblationResults['seeds'] = [];
      for await (const seed of oneByOne(context, seedsOf(spec)))
        seeds.push(await runSeed(context, counter, { observer, interventions }, seed));
      const tokens = Object.fromEntries(listNames.map((list) => [list, tokenNames(model, context.sets[list]!)]));
      return summarize(seeds, tokens as Record<ListName, string[]>) as unknown as Json;
    } finally {
      observer.release();
      interventions.release();
    }
  },

  figures: (results, context) => ablationFigures(results as unknown as AblationResults, context),
};

/** How many measurements of both lists one list's interventions amount to. Errors: `TooManyComponents`, `BadPair`. */
function passesOf(spec: ExperimentSpec, model: Model, first: Pair): number {
  const { layers, heads } = model.configuration;
  const settings = settingsOf(spec);
  const tokens = encodePair(model.tokenizer, first).questionEnd + 1;
  const sites = layers * (heads + 1) * tokens;
  const most = Math.max(...settings.k);
  if (most > sites) {
    throw new HopscopeError(
      'TooManyComponents',
      `k: ${most} is more than the ${sites} components x tokens (${layers} layers, ${heads} heads and an MLP in each, ${tokens} tokens) of ${JSON.stringify(first[0])}.`,
    );
  }
  return Math.ceil(interventionsPerPrompt(settings, layers, heads, tokens) / listNames.length);
}

async function runSeed(
  context: ExperimentContext,
  counter: WorkCounter,
  engine: { observer: Observer; interventions: Interventions },
  seed: number,
): Promise<AblationResults['seeds'][number]> {
  const { spec, weights, model, signal } = context;
  const watched = context.sets as Record<ListName, EncodedSet>;
  const { examples } = watched.train;
  const order =
    (spec.orders as Order | undefined) ?? drawOrder(examples.length, spec.batch_size as number, spec.epochs as number, seed);
  const trainer = await trainerOn(context, weights);
  await runStage(context, counter, { seed, name: 'finetune', label: 'Finetuning', trainer, examples, order, watched });
  const lists = {} as Record<ListName, ListAblation>;
  for (const list of listNames) {
    const set = watched[list];
    const advance = inPasses(passesOf(spec, model, set.items.pairs[0]!), interventionCount(context, set), () =>
      counter.advance(`seed ${seed}, interventions on ${set.items.set}`),
    );
    const request = { ...engine, old: weights, new: trainer.weights, set, settings: settingsOf(spec), seed, signal };
    await context.turn();
    lists[list] = await ablateList({ ...request, progress: advance });
  }
  return { seed, lists };
}

function interventionCount({ spec, model }: ExperimentContext, { examples }: EncodedSet): number {
  const { layers, heads } = model.configuration;
  return examples.length * interventionsPerPrompt(settingsOf(spec), layers, heads, examples[0]!.questionEnd + 1);
}

/** Tells of `passes` equal parts of `total` as they are done. */
function inPasses(passes: number, total: number, advance: () => void): (measured: number) => void {
  let [done, told] = [0, 0];
  return (measured) => {
    done += measured;
    for (; told < Math.floor((done / total) * passes); told++) advance();
  };
}

/** The first prompt's tokens; in braces those that other prompts have others for. */
function tokenNames({ tokenizer }: Model, { examples }: EncodedSet): string[] {
  const [first] = examples as [EncodedSet['examples'][number]];
  const end = first.questionEnd + 1;
  return tokenizer.tokens(first.ids.slice(0, end)).map((name, token) => {
    const shared = examples.every(({ ids, questionEnd }) => questionEnd === first.questionEnd && ids[token] === first.ids[token]);
    return shared ? name : `{${name}}`;
  });
}
