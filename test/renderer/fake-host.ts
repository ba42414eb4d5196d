/**
 * A host that answers the screens with generated rows, for looking at them and testing them without a model. Its numbers are
 * made up by formula and are not measurements; nothing outside test/renderer may use it.
 * fake-server.ts serves it to a browser.
 */
import { announcing } from '../../src-main/service/announce.ts';
import type { Service } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { createEvent } from '../../src-main/shared/event.ts';
import type {
  EvaluationRow,
  ExperimentSpec,
  ModelDescription,
  Preview,
  RunDetail,
  RunState,
  RunSummary,
} from '../../src-main/shared/records.ts';
import { fakeCircuits, fakeScoreResults, fakeScores } from './fake-circuits.ts';
import { createFakeDatasets } from './fake-datasets.ts';
import { fakeAbout, fakeDevices, fakeEstimate, fakeExperiments } from './fake-descriptions.ts';
import { fakeFigures } from './fake-figures.ts';
import { createFakeModels, describeFakeModel } from './fake-models.ts';
import { createFakeProjects, requireLatestNotes } from './fake-projects.ts';
import { fakeDaxwugSets, fakeEvaluation, fakeNow, fakeSets, fakeSteps } from './fake-rows.ts';
import { createFakeRuns, fakeOutcome, sortedRuns } from './fake-runs.ts';
import { createFakeWeights } from './fake-weights.ts';

interface FakeRun {
  detail: RunDetail;
  /** Evaluated epochs, counted over all seeds. */
  reached: number;
}

/** Trainings of experiments that have several; those in brackets are evaluated only. */
const stages: { [experiment: string]: string[] } = {
  'layer-freezing': ['nothing frozen', 'early layers frozen', 'late layers frozen', '[only free layers kept: early frozen]'],
  'data-ordering': ['joint.0', 'left_first.0', 'left_first.1', 'both_first.0', 'both_first.1', 'joint.finetune'],
};

const longTitle =
  'Out-of-context reasoning on first-hop facts with a learning rate of 0.0003 and every layer free, third attempt';

/** The service over generated runs. `tickMilliseconds`: how fast a started run goes. */
export function createFakeService(scenario: 'empty' | 'full', tickMilliseconds = 120): Service {
  const changes = createEvent<{ run: string; state: RunState }>();
  const runs = new Map<string, FakeRun>();
  const deleted = new Set<string>();
  const paused = new Set<string>();
  const seedsOf = (run: FakeRun) => run.detail.spec.seeds as number[];
  const epochsOf = (run: FakeRun) => run.detail.spec.epochs as number;
  const setsOf = (dataset: unknown) => (dataset === 'daxwug' ? fakeDaxwugSets() : fakeSets());
  const stagesOf = ({ detail }: FakeRun) => stages[detail.experiment] ?? ['finetune'];

  function add(id: string, state: RunState, reached: number, values: Partial<RunDetail> = {}): FakeRun {
    const spec: ExperimentSpec = {
      experiment: 'ocr',
      model: 'small-world',
      dataset: 'first-hop',
      lr: 3e-4,
      epochs: 12,
      batch_size: 8,
      seeds: [0, 1, 2],
      trainable: 'all',
    };
    const detail: RunDetail = {
      run: id,
      project: 1,
      experiment: 'ocr',
      title: 'Out-of-context reasoning, first hop',
      model: 'small-world',
      dataset: 'first-hop',
      state,
      created: new Date(fakeNow - runs.size * 5e7).toISOString(),
      started: null,
      finished: null,
      seconds: reached * 0.9,
      progress: null,
      error: null,
      outcome: null,
      paused: false,
      pauses: [],
      spec,
      provenance: {
        modelPath: '/opt/hopscope/resources/small-world',
        modelHash: '3f6c1a54b1c04c1f8f5f3b8d2a0e9c774ad0be7c1fa6d1a4a5a9a2f0f14c9b7d',
        datasetHash: '98a1d0c6b2f84e7a9b3c5d7e1f20314253647586978a9bacbdcedfe0f1021324',
        device: 'cpu',
        threads: 2,
        versions: { hopscope: '0.1.0', 'onnxruntime-node': '1.30.0', node: '24.9.0' },
      },
      results: null,
      warnings: [],
      notes: '',
      prediction: null,
      datasetVersion: null,
      ...values,
    };
    const run = { detail, reached };
    runs.set(id, run);
    return run;
  }

  if (scenario === 'full') {
    add('run-finished', 'finished', 39);
    add('run-long', 'finished', 39, {
      title: longTitle,
      model: '/data/models/a-very-long-organization-name/Meta-Llama-3-8B-Instruct-finetuned-checkpoint-000123',
      warnings: ['Two options share their first token and were counted once: New Arvane, New Belcor.'],
    });
    add('run-failed', 'failed', 7, {
      error: {
        code: 'NotFinite',
        message: 'The loss of seed 0, epoch 2, step 5 is not a number; lower the learning rate and run again.',
        kind: 'failure',
      },
    });
    add('run-stopped', 'stopped', 18, { error: { code: 'Interrupted', message: 'Stopped on request.', kind: 'interrupted' } });
    add('run-queued', 'queued', 0, { provenance: null });
    add('run-midway', 'running', 20, { progress: { done: 58, total: 108, message: 'seed 1, epoch 6 of 12', secondsLeft: 21 } });
    for (const { id, title } of fakeExperiments.slice(1)) {
      const values = {
        experiment: id,
        results: fakeScoreResults(),
        title: `${title}, first hop`,
        created: new Date(fakeNow - 4e8).toISOString(),
      };
      add(`run-${id}`, 'finished', 39, values);
    }
    const ordering = add('run-ordering-live', 'running', 20, {
      experiment: 'data-ordering',
      title: 'Data ordering, dax and wug',
      dataset: 'daxwug',
      created: new Date(fakeNow - 4e8).toISOString(),
      progress: { done: 58, total: 108, message: 'joint, seed 1, epoch 6 of 12', secondsLeft: 21 },
    });
    ordering.detail.spec = { ...ordering.detail.spec, dataset: 'daxwug' };
    for (let index = 0; index < 4; index++)
      add(`run-older-${index}`, index === 1 ? 'interrupted' : 'finished', index === 1 ? 9 : 39).detail.spec.lr =
        10 ** (index - 6);
  }

  function find(id: string, deletedToo = false): FakeRun {
    const run = runs.get(id);
    if (run === undefined || (deleted.has(id) && !deletedToo))
      throw new HopscopeError('RunNotFound', `There is no run "${id}" in this data folder.`);
    return run;
  }

  function listed(): RunSummary[] {
    return [...runs.values()]
      .map(detailOf)
      .filter(({ run }) => !deleted.has(run))
      .sort((a, b) => b.created.localeCompare(a.created));
  }

  function detailOf(run: FakeRun): RunDetail {
    return { ...run.detail, outcome: fakeOutcome(evaluationsOf(run)) };
  }

  function evaluationsOf(run: FakeRun): EvaluationRow[] {
    const each = epochsOf(run) + 1;
    const sets = setsOf(run.detail.spec.dataset).slice(0, 2);
    return stagesOf(run).flatMap((stage) =>
      seedsOf(run).flatMap((seed, place) => {
        const reached = Math.max(0, Math.min(each, run.reached - place * each));
        const epochs = stage.startsWith('[') ? [each - 1] : Array.from({ length: reached }, (_, epoch) => epoch);
        return epochs.flatMap((epoch) => sets.map((set) => fakeEvaluation(set, seed, epoch, stage)));
      }),
    );
  }

  function describe(path: string): ModelDescription {
    const known = describeFakeModel(path);
    if (known !== null) return known;
    throw new HopscopeError(
      'ModelNotFound',
      `${path} is no model folder: it has no config.json. Give the folder that holds config.json and the safetensors files.`,
    );
  }

  function previewOf(spec: ExperimentSpec): Preview {
    const model = describe(spec.model);
    if (!['first-hop', 'second-hop', 'daxwug'].includes(String(spec.dataset))) {
      throw new HopscopeError('DatasetNotFound', `There is no built-in data set or file "${String(spec.dataset)}".`);
    }
    const filled: ExperimentSpec = { ...spec };
    const { parameters } = fakeExperiments.find(({ id }) => id === spec.experiment)!;
    const sets = setsOf(spec.dataset);
    for (const { name, default: standard, smallWorldDefault } of parameters) {
      if (filled[name] === undefined) filled[name] = smallWorldDefault ?? standard;
    }
    const seeds = filled.seeds as number[];
    const epochs = filled.epochs as number;
    return {
      spec: filled,
      changed: [],
      model,
      sets,
      tokens: sets.map((set) => ({ set: set.set, tokens: `${set.pairs[0]!.join(' ')}`.split(/(?= )/) })),
      warnings: spec.dataset === 'second-hop' ? ['Two options share their first token and are counted once: Tam, Tamsin.'] : [],
      findings: [],
      cost: {
        steps: 3 * epochs * seeds.length,
        evaluations: 2 * (epochs + 1) * seeds.length,
        ...fakeEstimate,
        seconds: 0.4 * epochs * seeds.length,
        kept: 5_240_000 * seeds.length,
      },
    };
  }

  function advance(run: FakeRun): void {
    const total = seedsOf(run).length * (epochsOf(run) + 1);
    if (run.detail.state !== 'running' || paused.has(run.detail.run)) return;
    run.reached++;
    const done = run.reached >= total;
    const seed = Math.min(seedsOf(run).length - 1, Math.floor(run.reached / (epochsOf(run) + 1)));
    run.detail = {
      ...run.detail,
      state: done ? 'finished' : 'running',
      seconds: run.reached * 0.4,
      progress: done
        ? null
        : {
            done: run.reached,
            total,
            message: `seed ${seed}, epoch ${run.reached % (epochsOf(run) + 1)} of ${epochsOf(run)}`,
            secondsLeft: (total - run.reached) * 0.4,
          },
    };
    changes.emit({ run: run.detail.run, state: run.detail.state });
    if (!done) setTimeout(() => advance(run), tickMilliseconds);
  }

  return announcing({
    ...createFakeWeights((run) => find(run).detail),
    about: async () => fakeAbout,
    devices: async () => fakeDevices,
    experiments: async () => fakeExperiments,
    describeModel: async (path) => describe(path),
    preview: async (spec) => previewOf(spec),
    preflight: async () => [],
    async startRun(spec, plan) {
      const id = `run-${runs.size + 1}-started`;
      const run = add(id, 'running', 0, {
        experiment: spec.experiment,
        spec: previewOf(spec).spec,
        ...plan,
        created: new Date(fakeNow).toISOString(),
      });
      setTimeout(() => advance(run), tickMilliseconds);
      return { run: id };
    },
    async stopRun(id) {
      const run = find(id);
      run.detail = {
        ...run.detail,
        state: 'stopped',
        progress: null,
        error: { code: 'Interrupted', message: 'Stopped on request.', kind: 'interrupted' },
      };
      changes.emit({ run: id, state: 'stopped' });
    },
    async deleteRun(id) {
      const { state } = find(id).detail;
      deleted.add(id);
      changes.emit({ run: id, state });
    },
    async runs(query) {
      const { limit = 50, offset = 0, project, search = '', state, experiment, sort } = query ?? {};
      const words = search.toLowerCase().split(/\s+/).filter(Boolean);
      const found = listed().filter(
        (run) =>
          (project === undefined || run.project === project) &&
          (state === undefined || run.state === state) &&
          (experiment === undefined || run.experiment === experiment) &&
          words.every((word) => `${run.title} ${run.model} ${run.dataset} ${run.state}`.toLowerCase().includes(word)),
      );
      return { runs: sortedRuns(found, sort).slice(offset, offset + limit), total: found.length };
    },
    run: async (id) => detailOf(find(id)),
    async steps(id) {
      const run = find(id);
      const each = epochsOf(run) + 1;
      return stagesOf(run)
        .filter((stage) => !stage.startsWith('['))
        .flatMap((stage) =>
          seedsOf(run).flatMap((seed, place) =>
            fakeSteps(seed, Math.max(0, Math.min(each, run.reached - place * each) - 1), stage),
          ),
        );
    },
    itemSets: async (id) => (find(id).reached === 0 ? [] : setsOf(find(id).detail.spec.dataset)),
    scores: async (id, query) => fakeScores(find(id).detail.experiment, query),
    ...fakeCircuits(
      (id) => find(id).detail,
      () => listed().map(({ run }) => find(run).detail),
    ),

    async evaluations(id, options) {
      const rows = evaluationsOf(find(id));
      return options?.items === true ? rows : rows.map((row) => ({ ...row, items: [] }));
    },
    figures: async (id) => (find(id).detail.state === 'finished' ? (fakeFigures[find(id).detail.experiment] ?? []) : []),
    onRunChanged: changes.subscribe,
    ...createFakeDatasets(scenario),
    ...createFakeModels(scenario),
    ...createFakeRuns(
      {
        listed,
        advance: (run) => advance(find(run)),
        edit(id, edit) {
          const run = find(id);
          run.detail = { ...run.detail, ...edit };
          changes.emit({ run: id, state: run.detail.state });
        },
        setDeleted(run, isDeleted) {
          if (isDeleted) deleted.add(run);
          else deleted.delete(run);
          changes.emit({ run, state: find(run, true).detail.state });
        },
      },
      paused,
    ),
    ...createFakeProjects(scenario, {
      runs: listed,
      async restoreRun(id) {
        deleted.delete(id);
        changes.emit({ run: id, state: find(id).detail.state });
      },
      async saveRunNotes(id, notes, base) {
        const run = find(id);
        requireLatestNotes(run.detail.notes, notes, base);
        run.detail = { ...run.detail, notes };
        changes.emit({ run: id, state: run.detail.state });
      },
    }),
  });
}
