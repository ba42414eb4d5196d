/**
 * Ablation and patching: are the components that a score points to the ones that matter? After finetuning, their values are replaced and the
 * change of L and of ranks is measured, against random components and against what a first-order score predicts. It trains as OCR does.
 */
import { Interventions } from '../engine/execution/interventions.ts';
import { Observer } from '../engine/execution/observer.ts';
import type { Model } from '../engine/models/model.ts';
import type { Example } from '../engine/training/batch.ts';
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import { align } from '../scores/alignment.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Json } from '../shared/records.ts';
import { type ListPlan, leftOutWarning, planLists } from './ablation-chosen.ts';
import { type AblationResults, ablationFigures, summarize } from './ablation-figures.ts';
import { ablateList, interventionsPerPrompt, type ListAblation } from './ablation-measure.ts';
import { ablationParameters, type ListName, listNames } from './ablation-settings.ts';
import { Continuations, continuationWork } from './continuations.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import { finetuningWork, oneByOne, runStage, seedsOf, trainerOn, WorkCounter } from './stage.ts';

export const ablation: Experiment = {
  description: {
    id: 'ablation',
    title: 'Ablation and patching',
    question: 'Do the components that a score points to really carry the answer?',
    explanation:
      'The model is finetuned on facts. Then, for facts and implications, the values of the top components of a score are replaced, and the right answer’s logit gap and rank are measured again, next to as many random components. Every MLP at every token and every head is also replaced alone, which shows where the answer depends on what, and how far first-order predictions can be trusted.',
    parameters: [...commonParameters, ...ablationParameters],
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset, model) {
    const { steps, batchSize, epochs, seeds } = finetuningWork(spec, factsOf(dataset).train.length);
    const plans = planLists(spec, model, factsOf(dataset));
    const passes = passesOf(model, plans.train) + passesOf(model, plans.test);
    return { steps, batchSize, evaluations: (epochs + 1 + passes) * seeds + continuationWork(spec, seeds) };
  },

  async run(context) {
    const { executor, model, spec, sets, emit } = context;
    const plans = planLists(spec, model, factsOf(context.dataset));
    for (const list of listNames) {
      const message = leftOutWarning(list, plans[list]);
      if (message) emit({ kind: 'warning', message });
    }
    const counter = new WorkCounter(context);
    const continuations = new Continuations(context, counter);
    const observer = new Observer(model, executor.settings);
    const interventions = new Interventions(model, executor.settings);
    try {
      const seeds: AblationResults['seeds'] = [];
      for await (const seed of oneByOne(context, seedsOf(spec)))
        seeds.push(await runSeed(context, counter, continuations, plans, { observer, interventions }, seed));
      const shown = Object.fromEntries(
        listNames.map((list) => {
          const { reference, chosen } = plans[list];
          return [list, { tokens: tokenNames(model, reference, sets[list]!), ...(chosen ? { chosen } : {}) }];
        }),
      );
      return summarize(seeds, shown as Parameters<typeof summarize>[1]) as unknown as Json;
    } finally {
      observer.release();
      interventions.release();
    }
  },

  figures: (results, context) => ablationFigures(results as unknown as AblationResults, context),
};

/** How many measurements of both lists one list's interventions amount to. Errors: `TooManyComponents`. */
function passesOf({ configuration: { layers, heads }, tokenizer }: Model, { reference, settings }: ListPlan): number {
  const tokens = reference.questionEnd + 1;
  const sites = layers * (heads + 1) * tokens;
  const most = Math.max(0, ...settings.k);
  if (most > sites) {
    throw new HopscopeError(
      'TooManyComponents',
      `k: ${most} is more than the ${sites} components x tokens (${layers} layers, ${heads} heads and an MLP in each, ${tokens} tokens) of ${JSON.stringify(tokenizer.decode(reference.ids.slice(0, tokens)))}.`,
    );
  }
  return Math.ceil(interventionsPerPrompt(settings, layers, heads, tokens) / listNames.length);
}

async function runSeed(
  context: ExperimentContext,
  counter: WorkCounter,
  continuations: Continuations,
  plans: Record<ListName, ListPlan>,
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
  await continuations.emit({ seed, stage: 'finetune' }, trainer.weights, [watched.train, watched.test]);
  const lists = {} as Record<ListName, ListAblation>;
  for (const list of listNames) {
    const set = watched[list];
    const { reference, settings } = plans[list];
    const { layers, heads } = model.configuration;
    const total = set.examples.length * interventionsPerPrompt(settings, layers, heads, reference.questionEnd + 1);
    const advance = inPasses(passesOf(model, plans[list]), total, () =>
      counter.advance(`seed ${seed}, interventions on ${set.items.set}`),
    );
    const request = { ...engine, old: weights, new: trainer.weights, set, reference, settings, seed, signal };
    await context.turn();
    lists[list] = await ablateList({ ...request, progress: advance });
  }
  return { seed, lists };
}

/** Tells of `passes` equal parts of `total` as they are done. */
function inPasses(passes: number, total: number, advance: () => void): (measured: number) => void {
  let [done, told] = [0, 0];
  return (measured) => {
    done += measured;
    for (; told < Math.floor((done / total) * passes); told++) advance();
  };
}

/** The reference prompt's tokens; in braces those that a prompt has another for in their place. */
function tokenNames({ tokenizer }: Model, reference: Example, { examples }: EncodedSet): string[] {
  const alignments = examples.map((example) => align(reference, example));
  return tokenizer.tokens(reference.ids.slice(0, reference.questionEnd + 1)).map((name, token) => {
    const shared = examples.every(({ ids }, item) => ids[alignments[item]![token]!] === reference.ids[token]);
    return shared ? name : `{${name}}`;
  });
}
