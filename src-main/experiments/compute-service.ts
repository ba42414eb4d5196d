/**
 * What the compute process answers: experiments and models described, specs previewed, one run at a time executed.
 * It keeps the last model open, stores nothing, and ends with its process.
 */
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinDatasets, worldOf } from '../datasets/builtin.ts';
import { type ResolvedDataset, resolveDataset } from '../datasets/dataset.ts';
import { describeModel } from '../engine/execution/describe-model.ts';
import { Executor } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type MemoryPlan, modeOf } from '../engine/execution/memory-plan.ts';
import { requireDiskFor } from '../engine/files/disk-space.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import { type Trainable, trainableNames } from '../engine/models/parameters.ts';
import { type DeviceName, defaultThreads, deviceNames, resolveDevice, selfTest } from '../engine/runtime/device.ts';
import type { ProbeEntry } from '../engine/runtime/probe.ts';
import type { Weights } from '../engine/weights.ts';
import { type CollisionRule, type EncodedSet, encodeSet } from '../scores/evaluation.ts';
import { preflight } from '../scores/preflight.ts';
import type { Compute } from '../shared/contract.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import type { ComputeDefaults, Emission, ExperimentSpec, Finding, Provenance } from '../shared/records.ts';
import { budgetOf, estimateRun, keptBytes, planRun } from './cost.ts';
import { datasetQuestions } from './dataset-questions.ts';
import { dialQuestions } from './dial.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { Gate } from './gate.ts';
import { experiments } from './index.ts';
import { type KeepChoice, keptTrainings } from './kept-trainings.ts';
import { modelQuestions } from './model-questions.ts';
import { makeRunScratch, removeDeadScratch, removeRunScratch } from './run-scratch.ts';
import { changedSettings, completeSpec, experimentOf } from './spec.ts';
import { TimeLeft } from './time-left.ts';
import { versions } from './versions.ts';

export interface ComputeSettings {
  /** The folder of what ships: the small world's model is in `small-world`. */
  resources: string;
  /** Where runs keep what memory does not hold, each in a folder of its own name; default: in the system's folder for such files. */
  scratch?: string;
  /** For specs that leave them out; the device's memory for all. */
  defaults?: ComputeDefaults;
  /** The script whose child processes answer device probes; default: the one that is running, which must call `answerProbe` first. */
  probe?: ProbeEntry;
}

/** The name under which specs ask for the model that ships. */
const smallWorld = 'small-world';

interface Prepared {
  experiment: Experiment;
  spec: ExperimentSpec;
  model: Model;
  dataset: ResolvedDataset;
  threads: number;
}

export function createCompute({
  resources,
  scratch = join(tmpdir(), 'hopscope-scratch'),
  defaults: { deviceMemory, ...defaults } = {},
  probe = { file: process.argv[1] ?? '' },
}: ComputeSettings): Compute {
  const emissions = createEvent<{ run: string; emission: Emission }>();
  const open = modelCache(() => current !== null);
  removeDeadScratch(scratch);
  let current: { run: string; gate: Gate } | null = null;

  const folderOf = (model: string) => (model === smallWorld ? join(resources, smallWorld) : model);

  async function prepare(given: ExperimentSpec): Promise<Prepared> {
    const experiment = experimentOf(given, experiments);
    const folder = folderOf(typeof given.model === 'string' ? given.model : smallWorld);
    const spec = completeSpec({ ...defaults, ...given }, experiment, worldOf(folder) !== null);
    const { model } = await open(folder);
    const dataset = resolveDataset(spec.dataset, experiment.datasetKind, builtinDatasets(folder));
    trainableNames(model.parameters, spec.trainable as Trainable);
    return { experiment, spec, model, dataset, threads: (spec.threads as number | undefined) ?? defaultThreads() };
  }

  const encode = ({ experiment, model, dataset, spec }: Prepared): Record<string, EncodedSet> =>
    Object.fromEntries(
      Object.entries(experiment.lists(dataset)).map(([key, { set, pairs, options }]) => [
        key,
        encodeSet(model.tokenizer, set, pairs, options, spec.collisions as CollisionRule),
      ]),
    );

  const findingsOf = ({ experiment, model, dataset, spec }: Prepared): Finding[] =>
    preflight(Object.values(experiment.lists(dataset)), {
      tokenizer: model.tokenizer,
      context: model.configuration.context,
      collisions: spec.collisions as CollisionRule,
    });

  function gateOf(run: string): Gate {
    if (current?.run !== run) throw new HopscopeError('RunNotRunning', `Run ${run} is not running.`);
    return current.gate;
  }

  const { releaseDial, ...dial } = dialQuestions(folderOf);

  return {
    ...datasetQuestions(folderOf),
    ...dial,
    onEmission: emissions.subscribe,
    ...modelQuestions(folderOf, defaults.threads),

    experiments: async () => experiments.map(({ description }) => description),

    devices: async () => {
      const reports = [];
      for (const device of deviceNames) if (device !== 'auto') reports.push(await selfTest(device, probe));
      return reports;
    },

    describeModel: async (path) => describeModel((await open(folderOf(path))).model, { scratch }),

    async preview(given) {
      const prepared = await prepare(given);
      const { experiment, spec, model, dataset, threads } = prepared;
      const sets = Object.values(encode(prepared));
      const description = await describeModel(model, { threads, scratch, budget: budgetOf(spec) });
      const work = experiment.work(spec, dataset, model);
      return {
        spec,
        changed: changedSettings(spec, experiment, worldOf(model.folder) !== null),
        model: description,
        sets: sets.map(({ items }) => items),
        tokens: sets.map(({ items, examples }) => ({ set: items.set, tokens: model.tokenizer.tokens(examples[0]!.ids) })),
        warnings: [...model.warnings, ...sets.flatMap(({ warnings }) => warnings)],
        findings: findingsOf(prepared),
        cost: {
          steps: work.steps,
          evaluations: work.evaluations,
          kept: keptBytes({ spec, model, work }),
          ...(await estimateRun({ spec, model, sets, work }, threads, scratch)),
        },
      };
    },

    preflight: async (given) => findingsOf(await prepare(given)),

    async execute(run, given, signal, keptFolder) {
      if (current !== null)
        throw new HopscopeError(
          'ComputeBusy',
          'Another run is under way in this compute process; wait for it or stop it.',
          'failure',
        );
      const gate = new Gate();
      current = { run, gate };
      try {
        const prepared = await prepare(given);
        const { experiment, spec, model, dataset, threads } = prepared;
        const sets = encode(prepared);
        const device = await resolveDevice(spec.device as string);
        const work = experiment.work(spec, dataset, model);
        const plan = planRun({ spec, model, sets: Object.values(sets), work });
        if (plan.state === 'scratch') requireDiskFor(scratch, plan.scratchBytes);
        releaseDial();
        const { weights } = await open(model.folder);
        const base = weights(plan);
        const emit = (emission: Emission) => emissions.emit({ run, emission });
        const executor = new Executor(model, {
          device,
          threads,
          ...(deviceMemory !== undefined && { deviceBytes: deviceMemory }),
          onDeviceFailure: (message) => emit({ kind: 'warning', message }),
          ...modeOf(plan),
        });
        emit({ kind: 'provenance', provenance: provenanceOf(model, dataset, device, threads) });
        for (const message of [...model.warnings, ...Object.values(sets).flatMap(({ warnings }) => warnings)])
          emit({ kind: 'warning', message });
        for (const { items } of Object.values(sets)) emit({ kind: 'items', items });
        const total = work.steps + work.evaluations;
        const timeLeft = new TimeLeft(total);
        const started = performance.now();
        const shutBefore = gate.secondsShut;
        try {
          const context: ExperimentContext = {
            spec,
            model,
            weights: base,
            executor,
            dataset,
            sets,
            emit,
            signal,
            turn: () => gate.pass(signal),
            scratch: plan.state === 'scratch' ? makeRunScratch(scratch, run, plan.groups) : null,
            kept:
              keptFolder === undefined || keptFolder === null
                ? null
                : keptTrainings({ folder: keptFolder, run, choice: spec.keep as KeepChoice, model, base, emit }),
            progress(done, message) {
              const elapsed = (performance.now() - started) / 1000 - (gate.secondsShut - shutBefore);
              emit({ kind: 'progress', progress: { done, total, message, secondsLeft: timeLeft.after(done, elapsed) } });
            },
          };
          const results = await experiment.run(context);
          emit({ kind: 'figures', figures: experiment.figures(results, context) });
          return results;
        } finally {
          executor.release();
          removeRunScratch(scratch, run);
        }
      } finally {
        current = null;
      }
    },

    pause: async (run) => gateOf(run).shut(),
    resume: async (run) => gateOf(run).open(),
  };
}

function provenanceOf(model: Model, { hash }: ResolvedDataset, device: DeviceName, threads: number): Provenance {
  return {
    modelPath: model.folder,
    modelHash: model.checkpoint.hash(),
    datasetHash: hash,
    device,
    threads,
    versions: versions(),
  };
}

/**
 * Keeps the model opened last, with its weights once they were asked for; a folder whose files changed is opened anew. While a run is under way
 * (`isBusy`) no files are closed: its weights may be read from them.
 */
function modelCache(
  isBusy: () => boolean,
): (folder: string) => Promise<{ model: Model; weights: (plan: MemoryPlan) => Weights }> {
  let current: { folder: string; stamp: string; model: Model; loaded: { key: string; weights: Weights } | null } | null = null;
  const replaced: Model[] = [];
  return async (folder) => {
    const stamp = stampOf(folder);
    if (current?.folder !== folder || current.stamp !== stamp) {
      const model = await openModel(folder);
      if (current !== null) replaced.push(current.model);
      if (!isBusy()) for (const { checkpoint } of replaced.splice(0)) checkpoint.close();
      current = { folder, stamp, model, loaded: null };
    }
    const held = current;
    return {
      model: held.model,
      weights: ({ residency, weightBytes, keptInFiles }) => {
        const key = JSON.stringify([residency === 'memory' ? residency : weightBytes, [...keptInFiles]]);
        if (held.loaded?.key !== key) {
          // The ones before go first
          held.loaded = null;
          held.loaded = { key, weights: loadWeights(held.model, weightBytes, keptInFiles) };
        }
        return held.loaded.weights;
      },
    };
  };
}

/** Changes whenever the folder's configuration or weights do; empty for a folder that is not there, which opening then explains. */
function stampOf(folder: string): string {
  return ['config.json', 'model.safetensors', 'model.safetensors.index.json', 'tokenizer.json']
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    .join();
}
