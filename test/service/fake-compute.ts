/**
 * A compute process for the service's tests: real process, real channel, made-up numbers. It is no test.
 * `spec.behaviour` says what it does; it counts steps and never trains.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../../src-main/experiments/gate.ts';
import type { Compute } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { createEvent } from '../../src-main/shared/event.ts';
import { computeMembers } from '../../src-main/shared/members.ts';
import { processPort } from '../../src-main/shared/ports.ts';
import type { Emission, ExperimentSpec, Json, Preview } from '../../src-main/shared/records.ts';
import { serve } from '../../src-main/shared/rpc.ts';
import { evaluation, itemSet, step } from '../database/rows.ts';

let gate = new Gate();
const emissions = createEvent<{ run: string; emission: Emission }>();

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function execute(run: string, spec: ExperimentSpec, signal?: AbortSignal): Promise<Json> {
  const emit = (emission: Emission) => emissions.emit({ run, emission });
  const steps = Number(spec.steps ?? 20);
  gate = new Gate();
  emit({
    kind: 'provenance',
    provenance: { modelPath: spec.model, modelHash: 'm', datasetHash: 'd', device: 'cpu', threads: 1, versions: {} },
  });
  emit({ kind: 'items', items: itemSet });
  emit({ kind: 'evaluation', row: evaluation(0, Number(spec.items ?? 2)) });
  for (let number = 0; number < steps; number++) {
    await gate.pass(signal);
    if (signal?.aborted) throw new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted');
    emit(step(number));
    emit({ kind: 'progress', progress: { done: number + 1, total: steps, message: `step ${number + 1}`, secondsLeft: null } });
    if (spec.behaviour === 'burst') {
      if (number % 200 === 199) await pause(5);
      continue;
    }
    await pause(Number(spec.delay ?? 5));
    if (number !== 3) continue;
    if (spec.behaviour === 'SIGKILL' || spec.behaviour === 'SIGSEGV' || spec.behaviour === 'SIGABRT') {
      await pause(200);
      process.kill(process.pid, spec.behaviour);
    }
    if (spec.behaviour === 'exit') process.exit(7);
    if (spec.behaviour === 'fail')
      throw new HopscopeError('OutOfMemory', 'The model does not fit; choose a smaller one.', 'failure');
    if (spec.behaviour === 'bug') throw new TypeError('x is not a function');
    if (spec.behaviour === 'diverge')
      emit({ kind: 'step', row: { seed: 0, stage: 'finetune', epoch: 0, step: 4, loss: Number.NaN, seconds: 0 } });
    // Like a native call that does not return: no event is heard any more.
    if (spec.behaviour === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  }
  emit({ kind: 'evaluation', row: evaluation(1, Number(spec.items ?? 2)) });
  emit({ kind: 'warning', message: 'Made up.' });
  return { epochs: [{ fact_rank: 0.5 }], pid: process.pid };
}

const compute: Compute = {
  experiments: async () => [],
  devices: async () => [{ device: 'cpu', available: true, detail: process.argv[2] ?? '' }],
  async describeModel(path) {
    if (path === 'die') process.exit(9);
    throw new HopscopeError('ModelNotFound', `There is no model at ${path}.`);
  },
  async preview(spec) {
    if (spec.dataset === 'absent') throw new HopscopeError('DatasetNotFound', 'There is no data set "absent".');
    return { spec: { ...spec, epochs: 12 }, changed: spec.lr === undefined ? [] : ['lr'], warnings: [] } as unknown as Preview;
  },
  preflight: async () => [],
  async builtinDataset(_model, name) {
    throw new HopscopeError('UnknownDataset', `There is no built-in set "${name}".`);
  },
  generateDataset: async () => ({ content: null, problems: [] }),
  makeWords: async () => [],
  execute,
  pause: async () => gate.shut(),
  resume: async () => gate.open(),
  onEmission: emissions.subscribe,
  // What runs record, but for a folder whose configuration says something
  modelHash: async (path) => (readFileSync(join(path, 'config.json'), 'utf8') === '{}' ? 'm' : 'other'),
  tokenize: async (_path, texts) => ({
    kind: 'word-level',
    vocabulary: 2,
    texts: texts.map((text) => ({ text, ids: [0], tokens: [text], offsets: null, special: [false], decoded: text })),
  }),
  dial: async ({ sets }) => ({
    sets: sets.map(({ set, pairs }) => ({ set, meanRank: 0, loss: 0, ranks: pairs.map(() => 0) })),
    layers: 2,
    seconds: 0,
    residency: 'memory',
  }),
  onDial: () => () => {},
  // Deaf to an abort, as while weights are read
  nextTokens: () => new Promise(() => {}),
};

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
serve(compute, processPort(process), computeMembers);
