/**
 * Trains a small-world model from a recipe: batches of its sentences, AdamW, checkpoints, and a record of what was measured at each.
 * A stopped training goes on from its last saved state, with the same numbers as one that was never stopped; the folder appears when all is done.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Executor } from '../engine/execution/executor.ts';
import { writeModelFolder } from '../engine/files/model-folder.ts';
import { SafetensorsFile, writeSafetensors } from '../engine/files/safetensors.ts';
import { Tokenizer } from '../engine/files/tokenizer.ts';
import { broughtToMemory } from '../engine/files/values.ts';
import { familyOf } from '../engine/models/index.ts';
import { listParameters } from '../engine/models/parameters.ts';
import { Arena, arenaSize } from '../engine/runtime/memory.ts';
import type { SessionSettings } from '../engine/runtime/session.ts';
import type { FloatTensor, Tensor } from '../engine/tensor.ts';
import { lossInputs, lossTargets } from '../engine/training/batch.ts';
import { Trainer } from '../engine/training/trainer.ts';
import { HopscopeError } from '../shared/errors.ts';
import { Random, type RandomState } from '../shared/random.ts';
import type { Progress } from '../shared/records.ts';
import { type CheckpointEvaluation, evaluateCheckpoint } from './evaluate.ts';
import { initialWeights } from './initialize.ts';
import { configJson, learningRateFactor, type Recipe } from './recipe.ts';
import { type PretrainRecord, recordName } from './record.ts';
import { SentenceSampler } from './sentences.ts';
import { tokenizerConfigJson, tokenizerJson, Vocabulary } from './vocabulary.ts';
import { createWorld } from './world.ts';

export interface PretrainOptions extends SessionSettings {
  out: string;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

const stepsPerLoss = 100;
/** A multiple of the above, so that no mean is cut in two by a stop. */
const stepsPerSave = 200;

interface SavedState {
  step: number;
  seconds: number;
  batches: RandomState;
  losses: number[];
  evaluations: CheckpointEvaluation[];
  recipe: string;
}

/**
 * Runs the recipe to its end and writes `out`: a model folder with checkpoints/step-N (float16) and record.json.
 * Errors: `FolderExists`; `AnotherRecipe` when a stopped training of `out` had a different recipe.
 */
export async function pretrain(
  recipe: Recipe,
  { out, onProgress, signal, ...settings }: PretrainOptions,
): Promise<PretrainRecord> {
  if (existsSync(out)) throw new HopscopeError('FolderExists', `${out} exists already; choose another folder or remove it.`);
  const working = `${out}.working`;
  mkdirSync(join(working, 'checkpoints'), { recursive: true });

  const world = createWorld(recipe.worldSeed, recipe.world);
  const vocabulary = new Vocabulary();
  const config = configJson(recipe, vocabulary);
  const tokenizerFiles = {
    'tokenizer.json': JSON.stringify(tokenizerJson(vocabulary)),
    'tokenizer_config.json': JSON.stringify(tokenizerConfigJson()),
  };
  for (const [name, text] of Object.entries(tokenizerFiles)) writeFileSync(join(working, name), text);
  const tokenizer = await Tokenizer.open(working);

  const family = familyOf(config);
  const configuration = family.configure(config);
  const outline = { family, configuration, parameters: listParameters(family, configuration) };
  const executor = new Executor(outline, settings);
  const { optimizer } = recipe;
  const trainer = await Trainer.create(executor, initialWeights(outline, recipe, new Random(`weights ${recipe.seed}`)), {
    trainable: 'all',
    learningRate: optimizer.learningRate,
    beta1: optimizer.betas[0],
    beta2: optimizer.betas[1],
    epsilon: optimizer.epsilon,
    weightDecay: optimizer.decay,
    decayed: 'matrices',
    clip: optimizer.clip,
  });
  const sampler = new SentenceSampler(world, vocabulary, recipe.mixture);
  const statePath = join(working, 'state.safetensors');
  const saved = restore(statePath, recipe, trainer);
  const random = saved ? Random.restore(saved.batches) : new Random(`batches ${recipe.seed}`);
  const losses: number[] = saved?.losses ?? [];
  const evaluations: CheckpointEvaluation[] = saved?.evaluations ?? [];
  const earlier = saved?.seconds ?? 0;
  const started = performance.now();
  const seconds = () => earlier + (performance.now() - started) / 1000;
  const writeModel = (folder: string, tensors: Map<string, Tensor>, otherFiles: Record<string, string> = {}) => {
    rmSync(folder, { recursive: true, force: true });
    writeModelFolder(folder, { config, tensors, tokenizerFiles, otherFiles });
  };

  let recent = 0;
  for (let step = saved?.step ?? 0; ; step++) {
    if (recipe.checkpoints.includes(step) && evaluations.at(-1)?.step !== step) {
      onProgress?.({ done: step, total: recipe.steps, message: `evaluating the checkpoint of step ${step}`, secondsLeft: null });
      evaluations.push(await evaluateCheckpoint(executor, tokenizer, trainer.weights, world, recipe, step, signal));
      // The last one is the model itself
      if (step < recipe.steps)
        writeModel(join(working, 'checkpoints', `step-${step}`), halfPrecision(await broughtToMemory(trainer.weights)));
    }
    if (step === recipe.steps) break;
    if (step % stepsPerSave === 0 && step > 0) {
      save(statePath, trainer, {
        step,
        seconds: seconds(),
        batches: random.state(),
        losses,
        evaluations,
        recipe: JSON.stringify(recipe),
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const sentences = sampler.sample(random, recipe.batch);
    const examples = sentences.map(({ tokens, promptLength }) => {
      const firstLabel = recipe.loss === 'all' ? 1 : promptLength;
      return { ids: tokens, firstLabel, lastLabel: tokens.length - 1, questionEnd: promptLength - 1 };
    });
    const batch = lossInputs(examples);
    const targets = lossTargets(examples, batch.positions);
    recent += await trainer.step(batch, targets, { learningRate: optimizer.learningRate * learningRateFactor(recipe, step) });
    if ((step + 1) % stepsPerLoss === 0) {
      losses.push(recent / stepsPerLoss);
      recent = 0;
    }
    const perStep = seconds() / (step + 1);
    onProgress?.({
      done: step + 1,
      total: recipe.steps,
      message: `step ${step + 1}, loss ${(losses.at(-1) ?? recent / (step + 1)).toFixed(3)}`,
      secondsLeft: perStep * (recipe.steps - step - 1),
    });
  }

  const record: PretrainRecord = {
    format: 'hopscope small world',
    recipe,
    parameters: outline.parameters.count,
    seconds: seconds(),
    losses,
    evaluations,
  };
  const finished = join(working, 'model');
  writeModel(finished, await broughtToMemory(trainer.weights), { [recordName]: `${JSON.stringify(record, null, 2)}\n` });
  renameSync(join(working, 'checkpoints'), join(finished, 'checkpoints'));
  renameSync(finished, out);
  rmSync(working, { recursive: true, force: true });
  executor.release();
  return record;
}

/** 16 bits are enough for looking at a checkpoint, and half its size. */
function halfPrecision(weights: ReadonlyMap<string, FloatTensor>): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, { shape, data }]) => {
      const arena = new Arena(arenaSize(data.length * 4) + arenaSize(data.length * 2));
      const [wide, narrow] = [arena.floats(data.length), arena.words16(data.length)];
      wide.set(data);
      arena.kernels.narrowToFloat16(arena.address(wide), arena.address(narrow), data.length);
      return [name, { type: 'float16', shape, data: narrow }] as const;
    }),
  );
}

function save(path: string, trainer: Trainer, state: SavedState): void {
  const { tensors } = trainer.saved();
  writeSafetensors(path, tensors, { state: JSON.stringify(state) });
}

function restore(path: string, recipe: Recipe, trainer: Trainer): SavedState | null {
  if (!existsSync(path)) return null;
  const file = SafetensorsFile.open(path);
  const state = JSON.parse(file.header.metadata.get('state') ?? '{}') as SavedState;
  if (state.recipe !== JSON.stringify(recipe)) {
    file.close();
    throw new HopscopeError(
      'AnotherRecipe',
      `${path} is of a training with another recipe; remove its folder to start anew, or give the recipe it was started with.`,
    );
  }
  const tensors = new Map([...file.tensors.keys()].map((name) => [name, file.read(name) as FloatTensor] as const));
  file.close();
  trainer.restore({ step: state.step, tensors, rows: {} });
  return state;
}
