/**
 * Runs of random numbers for heavy-project.ts: of every experiment, over several models and data sets, ended in every way, each stored through the
 * database's own functions. Nothing in them was measured.
 */
import { storeEmissions } from '../../src-main/database/measurements.ts';
import type { Database } from '../../src-main/database/open.ts';
import { createRun, markEnded, markRunning, type Outcome } from '../../src-main/database/runs.ts';
import { titleOf } from '../../src-main/service/title.ts';
import type { Random } from '../../src-main/shared/random.ts';
import type { Emission, ExperimentSpec, ItemSet, Json } from '../../src-main/shared/records.ts';

/** Trainings by experiment. */
const trainings: { [experiment: string]: string[] } = {
  ocr: ['finetune'],
  'extractive-scores': ['finetune'],
  'layer-freezing': ['nothing frozen', 'early layers frozen', 'late layers frozen'],
  'data-ordering': ['joint.0', 'left_first.0', 'left_first.1', 'joint.finetune'],
  'weight-grafting': ['facts', 'facts, then implications'],
  localization: ['attention', 'mlp'],
  emergence: ['step-1000', 'step-10000', 'step-143000'],
  ablation: ['finetune'],
};

const models = [
  'small-world',
  'OLMo-7B',
  'Meta-Llama-3-8B-Instruct-with-a-long-name-that-somebody-gave-their-folder',
  'gemma-2-9b',
  'Qwen2-7B',
];
const datasets = ['first-hop', 'second-hop', 'cities and their languages, version 3, with all the options of the second wave'];

/** How runs end, with the shares of each. */
const ends: { share: number; state: Outcome['state']; error: Outcome['error'] }[] = [
  { share: 0.8, state: 'finished', error: null },
  {
    share: 0.08,
    state: 'failed',
    error: { code: 'NotFinite', message: 'A number is not finite: this failure was drawn at random.', kind: 'failure' },
  },
  { share: 0.06, state: 'stopped', error: { code: 'Interrupted', message: 'Stopped on request.', kind: 'interrupted' } },
  { share: 0.06, state: 'interrupted', error: { code: 'HostDied', message: 'The program ended.', kind: 'interrupted' } },
];

export const heavyOwner = 'random-numbers';
const itemCount = 12;
const minutesApart = 37;

/** Stores runs 0 .. count - 1, the last of them at `until` (ISO 8601), in the caller's transaction. */
export function storeRandomRuns(
  database: Database,
  { project, count, until, random }: { project: number; count: number; until: string; random: Random },
): void {
  const sets = randomSets(random);
  for (let index = 0; index < count; index++) {
    const created = new Date(Date.parse(until) - (count - 1 - index) * minutesApart * 60_000);
    storeRandomRun(database, { project, index, created, sets, random });
  }
}

interface Place {
  project: number;
  index: number;
  created: Date;
  sets: ItemSet[];
  random: Random;
}

function storeRandomRun(database: Database, { project, index, created, sets, random }: Place): void {
  const experiment = Object.keys(trainings)[index % Object.keys(trainings).length]!;
  const epochs = 2 + random.integer(6);
  const spec: ExperimentSpec = {
    experiment,
    model: random.choose(models),
    dataset: random.choose(datasets),
    lr: random.choose([1e-3, 3e-4, 1e-4, 3e-6]),
    epochs,
    batch_size: 8,
    seeds: Array.from({ length: 1 + random.integer(3) }, (_, seed) => seed),
    trainable: random.choose(['all', 'mlp_attn']),
  };
  const run = runName(created, index);
  createRun(database, { run, owner: heavyOwner, project, experiment, spec, ...titleOf(spec), created: created.toISOString() });
  const began = new Date(created.getTime() + 1000);
  markRunning(database, run, began.toISOString());
  const drawn = random.next();
  const end = ends.find((_, place) => drawn < ends.slice(0, place + 1).reduce((sum, { share }) => sum + share, 0)) ?? ends[0]!;
  const reached = end.state === 'finished' ? 1 : random.next();
  const seconds = 0.1 + 4000 * random.next() ** 3;
  const emissions: Emission[] = [
    { kind: 'provenance', provenance: randomProvenance(spec.model) },
    ...sets.map((items): Emission => ({ kind: 'items', items })),
    ...trainingEmissions(spec, trainings[experiment]!, sets, random),
  ];
  const kept = emissions.slice(0, 1 + sets.length + Math.round(reached * (emissions.length - 1 - sets.length)));
  storeEmissions(database, run, kept, seconds);
  const finished = new Date(began.getTime() + 1000 * seconds).toISOString();
  markEnded(database, run, { state: end.state, finished, seconds, error: end.error, results: null as Json });
}

/** `20260314-093000-n0042`. */
export function runName(created: Date, index: number): string {
  const digits = created.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${digits}-n${String(index).padStart(4, '0')}`;
}

/** Steps and measurements whose ranks fall on the way, with noise. */
export function trainingEmissions(
  spec: ExperimentSpec,
  stages: readonly string[],
  sets: readonly ItemSet[],
  random: Random,
): Emission[] {
  const epochs = spec.epochs as number;
  const depth = random.next();
  return stages.flatMap((stage) =>
    (spec.seeds as number[]).flatMap((seed) =>
      Array.from({ length: epochs + 1 }, (_, epoch) => [
        ...sets.map((set) => randomEvaluation(set, { stage, seed, epoch, way: (depth * epoch) / epochs }, random)),
        ...(epoch === epochs
          ? []
          : [0, 1, 2].map((part): Emission => {
              const step = 3 * epoch + part + 1;
              const loss = 4.5 * Math.exp((-3 * depth * step) / (3 * epochs)) + 0.2 * random.next();
              return { kind: 'step', row: { seed, stage, epoch, step, loss, seconds: 0.05 + 0.1 * random.next() } };
            })),
      ]).flat(),
    ),
  );
}

function randomEvaluation(
  set: ItemSet,
  { stage, seed, epoch, way }: { stage: string; seed: number; epoch: number; way: number },
  random: Random,
): Emission {
  const items = set.pairs.map((_, item) => {
    const logits = set.candidates.map((_, candidate) =>
      Math.fround(3 * random.normal() + (candidate === set.answers[item] ? 9 * way : 0)),
    );
    const right = logits[set.answers[item]!]!;
    return { item, rank: logits.filter((logit) => logit > right).length, logits };
  });
  const meanRank = items.reduce((sum, { rank }) => sum + rank, 0) / items.length;
  return { kind: 'evaluation', row: { seed, stage, epoch, set: set.set, meanRank, loss: 4 * (1 - way) + random.next(), items } };
}

/** The two lists that every run is said to have measured. */
export function randomSets(random: Random): ItemSet[] {
  const options = Array.from({ length: 8 }, (_, index) => `option${index + 1}`);
  return ['facts', 'implications'].map((set) => {
    const answers = Array.from({ length: itemCount }, () => random.integer(options.length));
    return {
      set,
      pairs: answers.map((answer, item) => [`Random ${set} number ${item + 1} is`, options[answer]!]),
      options,
      candidates: options.map((_, index) => 100 + index),
      labels: options,
      answers,
    };
  });
}

export const randomProvenance = (model: string) => ({
  modelPath: model,
  modelHash: '0'.repeat(64),
  datasetHash: '0'.repeat(64),
  device: 'none: random numbers',
  threads: 1,
  versions: { node: process.versions.node },
});
