/**
 * Run as a process of its own: predicts what a piece of work on a model takes, does it, and prints both. The seconds are those of the processor, on
 * one thread, so that they mean the same on a machine that is busy with other things.
 */
import { readFileSync } from 'node:fs';
import { Executor } from '../../src-main/engine/execution/executor.ts';
import { loadWeights } from '../../src-main/engine/execution/load-weights.ts';
import { needsBlocks, type PlannedWork, planMemory } from '../../src-main/engine/execution/memory-plan.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { firstPassSeconds, passSeconds } from '../../src-main/engine/execution/time-plan.ts';
import { type Model, openModel } from '../../src-main/engine/models/model.ts';
import { measureMachine } from '../../src-main/engine/runtime/machine-speed.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import type { EncodedSet } from '../../src-main/scores/evaluation.ts';
import { extractiveScores } from '../../src-main/scores/extractive-scores.ts';
import { firstOrderCheck } from '../../src-main/scores/first-order-check.ts';

export interface MeasuredRequest {
  model: string;
  kind: PlannedWork['kind'];
  batch: number;
  positions: number;
  /** Bytes; absent: as much as is wanted. */
  budget?: number;
}

export interface MeasuredWork {
  residency: string;
  state: string;
  /** Bytes at the peak. */
  predictedMemory: number;
  memory: number;
  predictedSeconds: number;
  seconds: number;
}

const clock = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The highest resident memory since the process began. */
const peakBytes = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;

const repetitions = 4;

async function measure({ model: folder, kind, batch, positions, budget = 1e15 }: MeasuredRequest): Promise<MeasuredWork> {
  const model = await openModel(folder);
  const rows = kind === 'scores' ? 0 : batch * (kind === 'train' ? 2 : 1);
  const work: PlannedWork = { kind, batch, positions, rows, ...(kind === 'train' && { trainable: 'all' as const }) };
  const plan = planMemory(model, work, budget);
  const executor = new Executor(model, { device: 'cpu', threads: 1, ...(needsBlocks(plan) && { mode: 'blocks' }) });
  const weights = loadWeights(model, plan.weightBytes, plan.keptInFiles);
  const { vocabulary } = model.configuration;
  const tokens = Int32Array.from({ length: batch * positions }, (_, index) => (index * 7919) % vocabulary);
  const asked = Array.from({ length: rows }, (_, row) => Math.floor((row * batch * positions) / rows));
  let seconds = Number.POSITIVE_INFINITY;
  const timed = async (action: () => Promise<unknown>) => {
    const started = clock();
    await action();
    seconds = Math.min(seconds, clock() - started);
  };
  if (kind === 'forward') {
    for (let time = 0; time < repetitions; time++)
      await timed(() => executor.logits(weights, { tokens, batch, positions }, asked));
  } else if (kind === 'train') {
    const trainer = await Trainer.create(executor, weights, { ...defaultTraining, trainable: 'all' });
    const targets = { rows: asked, targets: asked.map((row) => row % vocabulary), weights: asked.map(() => 1 / rows) };
    for (let time = 0; time < repetitions; time++) await timed(() => trainer.step({ tokens, batch, positions }, targets));
  } else {
    const changed = loadWeights(model, plan.weightBytes, plan.keptInFiles);
    const observer = new Observer(model, executor.settings);
    const set = setOf(model, batch, positions);
    const request = { observer, old: weights, new: changed, set };
    const counterfactuals = set.examples.map((_, item) => [(item + 1) % batch]);
    await timed(async () => {
      const scores = await extractiveScores({ ...request, counterfactuals, accumulation: set.examples[0]! });
      await firstOrderCheck({ ...request, scores });
    });
  }
  const memory = peakBytes();
  const speed = await measureMachine(1, clock);
  const disks = { read: Number.POSITIVE_INFINITY, write: Number.POSITIVE_INFINITY };
  // Scores are computed once, the rest often enough for programs to be compiled
  const once = kind === 'scores' ? firstPassSeconds(model, plan, work) : 0;
  const predictedSeconds = once + passSeconds(model, work, plan, speed, disks);
  return { residency: plan.residency, state: plan.state, predictedMemory: plan.peak, memory, predictedSeconds, seconds };
}

/** Prompts with nothing in common. */
function setOf({ configuration: { vocabulary } }: Model, batch: number, positions: number): EncodedSet {
  const examples = Array.from({ length: batch }, (_, item) => ({
    ids: Array.from({ length: positions }, (_, place) => (item * 131 + place * 17) % vocabulary),
    firstLabel: positions - 1,
    questionEnd: positions - 2,
    lastLabel: positions - 1,
  }));
  const options = ['a', 'b', 'c'];
  const pairs = examples.map((): [string, string] => ['', 'a']);
  const answers = examples.map((_, item) => item % options.length);
  return { items: { set: 'items', pairs, options, candidates: [5, 6, 7], labels: options, answers }, examples, warnings: [] };
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2]!) as MeasuredRequest)), () => process.exit(0));
