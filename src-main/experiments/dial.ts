/**
 * Answers how ranks and losses stand with a part of what a training learned: the model's own weights plus strength times the change, layer by layer.
 * It keeps the model and weights asked for last at hand for a minute and stores nothing.
 */
import { statSync } from 'node:fs';
import { Executor } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type MemoryPlan, modeOf, planMemory } from '../engine/execution/memory-plan.ts';
import type { KeptWeights } from '../engine/files/kept-weights.ts';
import { between } from '../engine/files/weight-sets.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import type { Weights } from '../engine/weights.ts';
import { type EncodedSet, encodeSet, measure, measuringWork } from '../scores/evaluation.ts';
import {
  type DialAnswer,
  type DialCompute,
  type DialQuestion,
  type DialSet,
  leastStrength,
  mostStrength,
  type StrengthBlock,
} from '../shared/contract-weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import { openKept } from './kept-trainings.ts';

/** How long what was opened stays at hand, in milliseconds. */
const keptFor = 60_000;

/** A model with a training's weights and its lists, ready to be measured. */
interface Session {
  key: string;
  stamp: string | null;
  model: Model;
  sets: EncodedSet[];
  executor: Executor;
  plan: MemoryPlan;
  base: Weights;
  trained: Weights;
  kept: KeptWeights;
}

/** `folderOf`: the folder that a spec's name for a model stands for. `release` gives back the memory once nothing is being measured. */
export function dialQuestions(folderOf: (path: string) => string): DialCompute & { releaseDial(): void } {
  const progress = createEvent<{ dial: string; done: number; total: number }>();
  let session: Session | null = null;
  let timer: NodeJS.Timeout | null = null;
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  function close(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (session === null) return;
    const { executor, kept, model } = session;
    session = null;
    executor.release();
    kept.close();
    model.checkpoint.close();
  }

  async function sessionFor({ model: path, kept, threads, sets: lists }: DialQuestion): Promise<Session> {
    const key = JSON.stringify([path, kept, threads, lists]);
    if (session?.key === key && session.stamp !== null && session.stamp === stampOf(session.model, kept.path)) return session;
    close();
    const model = await openModel(folderOf(path));
    let executor: Executor | null = null;
    let opened: KeptWeights | null = null;
    try {
      // What the run would have refused it has refused; options that it merged are merged here too
      const sets = lists.map(({ set, pairs, options }) => encodeSet(model.tokenizer, set, pairs, options, 'merge'));
      opened = openKept(kept, model);
      const plan = planMemory(model, measuringWork(sets));
      executor = new Executor(model, { device: 'cpu', threads, ...modeOf(plan) });
      const base = loadWeights(model, plan.weightBytes, plan.keptInFiles);
      const trained = opened.trainedFrom(base);
      session = { key, stamp: stampOf(model, kept.path), model, sets, executor, plan, base, trained, kept: opened };
      return session;
    } catch (error) {
      executor?.release();
      opened?.close();
      model.checkpoint.close();
      throw error;
    }
  }

  async function answer(question: DialQuestion, signal: AbortSignal | undefined): Promise<DialAnswer> {
    const stopped = async () => {
      // Lets an abort that came meanwhile arrive
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted');
    };
    await stopped();
    const { model, sets, executor, base, trained, plan } = await sessionFor(question);
    const weights = between(base, trained, strengthsOf(model, question.strengths));
    const total = sets.reduce((sum, { examples }) => sum + examples.length, 0);
    const started = performance.now();
    let done = 0;
    const measured: DialSet[] = [];
    for (const set of sets) {
      const { items, meanRank, loss } = await measure(executor, weights, set, async (count) => {
        done += count;
        progress.emit({ dial: question.dial, done, total });
        await stopped();
      });
      measured.push({ set: set.items.set, meanRank, loss, ranks: items.map(({ rank }) => rank) });
    }
    const seconds = (performance.now() - started) / 1000;
    return { sets: measured, layers: model.configuration.layers, seconds, residency: plan.residency };
  }

  return {
    onDial: progress.subscribe,

    dial(question, signal) {
      waiting++;
      // One at a time: they share one executor, and two models at once could be more than memory holds
      const answered = turn.then(() => answer(question, signal));
      const settled = () => {
        waiting--;
        if (timer !== null) clearTimeout(timer);
        timer = waiting === 0 ? setTimeout(close, keptFor).unref() : null;
      };
      turn = answered.then(settled, settled);
      return answered;
    },

    releaseDial() {
      turn = turn.then(() => {
        if (waiting === 0) close();
      });
    },
  };
}

/** Changes whenever the model's weights or the kept file do; null where one of them is gone, which opening then explains. */
function stampOf({ checkpoint }: Model, kept: string): string | null {
  try {
    const { size, mtimeMs } = statSync(kept);
    return JSON.stringify([checkpoint.stamp(), size, mtimeMs]);
  } catch {
    return null;
  }
}

/**
 * The strength of each parameter by its name. What lies in front of the layers (the embedding) takes that of the first layer, what lies behind
 * them (the last norm, the output matrix) that of the last one. Errors: `BadArgument`.
 */
function strengthsOf(
  { parameters, configuration: { layers } }: Model,
  blocks: readonly StrengthBlock[],
): (name: string) => number {
  const ofLayers = new Array<number>(layers).fill(0);
  for (const { layers: given, strength } of blocks) {
    const [first, last] = given ?? [0, layers - 1];
    const isRange = Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last && last < layers;
    if (!isRange)
      throw new HopscopeError('BadArgument', `Layers ${first} to ${last} are not among the model's layers 0 to ${layers - 1}.`);
    if (!(strength >= leastStrength && strength <= mostStrength))
      throw new HopscopeError('BadArgument', `A strength of ${strength} is not from ${leastStrength} to ${mostStrength}.`);
    ofLayers.fill(strength, first, last + 1);
  }
  const { embedding, positions } = parameters;
  const isInFront = (name: string) => name === embedding.name || name === positions?.name;
  const layerOf = new Map(parameters.all.map(({ name, layer }) => [name, layer ?? (isInFront(name) ? 0 : layers - 1)]));
  return (name) => ofLayers[layerOf.get(name) ?? 0]!;
}
