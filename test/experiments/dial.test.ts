/** Kept weights and the dial: what a run learned is read back bit for bit, every strength between is measured, and files that do not fit are named. */
import { appendFileSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Executor } from '../../src-main/engine/execution/executor.ts';
import { loadWeights } from '../../src-main/engine/execution/load-weights.ts';
import { readKept } from '../../src-main/engine/files/kept-weights.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { encodeSet, measure } from '../../src-main/scores/evaluation.ts';
import type { Compute } from '../../src-main/shared/contract.ts';
import type { DialQuestion, StrengthBlock } from '../../src-main/shared/contract-weights.ts';
import type { Emission, EvaluationRow, ExperimentSpec, ItemSet, Json, KeptWeights } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../database/support.ts';

const resources = join(import.meta.dirname, '../../resources');
const smallWorld = join(resources, 'small-world');
const all = (strength: number): StrengthBlock[] => [{ layers: null, strength }];

interface Ran {
  compute: Compute;
  folder: string;
  kept: KeptWeights[];
  rows: EvaluationRow[];
  sets: ItemSet[];
  warnings: string[];
}

async function run(spec: { experiment: string } & Record<string, Json>, folder = temporaryFolder()): Promise<Ran> {
  const compute = createCompute({ resources, scratch: temporaryFolder() });
  const emissions: Emission[] = [];
  compute.onEmission(({ emission }) => emissions.push(emission));
  const common = { model: 'small-world', dataset: 'first-hop', device: 'cpu', threads: 1, seeds: [3], epochs: 3 };
  await compute.execute('run', { ...common, ...spec } as unknown as ExperimentSpec, undefined, folder);
  return {
    compute,
    folder,
    kept: emissions.flatMap((emission) => (emission.kind === 'weights' ? [emission.row] : [])),
    rows: emissions.flatMap((emission) => (emission.kind === 'evaluation' ? [emission.row] : [])),
    sets: emissions.flatMap((emission) => (emission.kind === 'items' ? [emission.items] : [])),
    warnings: emissions.flatMap((emission) => (emission.kind === 'warning' ? [emission.message] : [])),
  };
}

/** What the dial is asked about a training. */
function questionOf({ folder, rows, sets }: Ran, { file, hash, stage, seed }: KeptWeights): Omit<DialQuestion, 'strengths'> {
  const measured = new Set(rows.filter((row) => row.stage === stage && row.seed === seed).map(({ set }) => set));
  const path = join(folder, file);
  return {
    model: 'small-world',
    kept: { path, hash },
    threads: 1,
    sets: sets.filter(({ set }) => measured.has(set)),
    dial: 'test',
  };
}

/** First and last measurement of each list in a training. */
const ends = (rows: EvaluationRow[], { stage, seed }: KeptWeights, set: string): [EvaluationRow, EvaluationRow] => {
  const of = rows.filter((row) => row.stage === stage && row.seed === seed && row.set === set);
  return [of[0]!, of.at(-1)!];
};

async function expectExact(ran: Ran, kept: KeptWeights): Promise<void> {
  const question = questionOf(ran, kept);
  for (const [strength, end] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const { sets } = await ran.compute.dial({ ...question, strengths: all(strength) });
    expect(sets.length).toBeGreaterThan(1);
    for (const { set, loss, meanRank, ranks } of sets) {
      const stored = ends(ran.rows, kept, set)[end]!;
      expect({ loss, meanRank, ranks }).toEqual({
        loss: stored.loss,
        meanRank: stored.meanRank,
        ranks: stored.items.map(({ rank }) => rank),
      });
    }
  }
}

describe('after out-of-context reasoning', () => {
  let ran: Ran;
  let kept: KeptWeights;

  beforeAll(async () => {
    ran = await run({ experiment: 'ocr' });
    kept = ran.kept[0]!;
  });

  test('one file for each seed, named and hashed', () => {
    expect(ran.kept).toEqual([
      {
        seed: 3,
        stage: 'finetune',
        file: 'run/finetune.seed-3.safetensors',
        form: 'values',
        bytes: expect.any(Number),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(readdirSync(join(ran.folder, 'run'))).toEqual(['finetune.seed-3.safetensors']);
    expect(ran.warnings).toEqual([]);
  });

  test('strength 0 and 1 are the first and the last measurement of the run, bit for bit', () => expectExact(ran, kept));

  test('the logits with the kept weights are those that the run stored last', async () => {
    const model = await openModel(smallWorld);
    const executor = new Executor(model, { device: 'cpu', threads: 1 });
    const base = loadWeights(model);
    const trained = new Map([...base, ...readKept(join(ran.folder, kept.file)).trainedFrom(base)]);
    for (const { set, pairs, options } of ran.sets) {
      const [first, last] = ends(ran.rows, kept, set);
      const encoded = encodeSet(model.tokenizer, set, pairs, options, 'error');
      expect((await measure(executor, trained, encoded)).items).toEqual(last.items);
      expect((await measure(executor, base, encoded)).items).toEqual(first.items);
    }
    executor.release();
    model.checkpoint.close();
  });

  test('in between ranks fall, and each block counts for itself', async () => {
    const question = questionOf(ran, kept);
    const facts = async (strengths: StrengthBlock[]) => (await ran.compute.dial({ ...question, strengths })).sets[0]!;
    const course = [];
    for (const strength of [-1, 0, 0.5, 1, 2]) course.push((await facts(all(strength))).loss);
    expect(new Set(course).size).toBe(5);
    expect(course[1]).toBeGreaterThan(course[2]!);
    expect(course[2]).toBeGreaterThan(course[3]!);
    const halves = async (early: number, late: number) =>
      (
        await facts([
          { layers: [0, 2], strength: early },
          { layers: [3, 5], strength: late },
        ])
      ).loss;
    expect(await halves(1, 1)).toBe(course[3]);
    expect(await halves(0, 0)).toBe(course[1]);
    expect(new Set([await halves(1, 0), await halves(0, 1), course[1], course[3]]).size).toBe(4);
  });

  test('progress is told by its name, and an abort ends it', async () => {
    const question = questionOf(ran, kept);
    const told: number[] = [];
    const end = ran.compute.onDial(({ dial, done, total }) => told.push(dial === 'test' ? done / total : -1));
    await ran.compute.dial({ ...question, strengths: all(0.3) });
    end();
    expect(told.at(-1)).toBe(1);
    expect(told.toSorted((a, b) => a - b)).toEqual(told);
    const abort = new AbortController();
    const asked = ran.compute.dial({ ...question, strengths: all(0.4) }, abort.signal);
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'Interrupted' });
  });

  test('strengths and layers that there are not are refused', async () => {
    const question = questionOf(ran, kept);
    await expect(ran.compute.dial({ ...question, strengths: all(2.1) })).rejects.toMatchObject({ code: 'BadArgument' });
    await expect(ran.compute.dial({ ...question, strengths: [{ layers: [0, 6], strength: 1 }] })).rejects.toMatchObject({
      code: 'BadArgument',
    });
  });

  test('next tokens with the kept weights are others than the folder’s', async () => {
    const { kept: file } = questionOf(ran, kept);
    const [prompt, answer] = ran.sets.find(({ set }) => set === 'facts')!.pairs[0]!;
    const ask = async (query: object) =>
      (await ran.compute.nextTokens('small-world', prompt, { top: 1, options: [answer], ...query })).options[0]!;
    const [own, after] = [await ask({}), await ask({ kept: file })];
    expect(after.probability).toBeGreaterThan(own.probability);
  });

  test('a file that is gone or changed, and a model that is another one, are named', async () => {
    const question = { ...questionOf(ran, kept), strengths: all(1) };
    const copy = join(temporaryFolder(), 'copy.safetensors');
    await expect(ran.compute.dial({ ...question, kept: { ...question.kept, path: copy } })).rejects.toMatchObject({
      code: 'KeptWeightsMissing',
    });
    cpSync(question.kept.path, copy);
    const ofCopy = { ...question, kept: { ...question.kept, path: copy } };
    await ran.compute.dial(ofCopy);
    appendFileSync(copy, 'x');
    await expect(ran.compute.dial(ofCopy)).rejects.toMatchObject({ code: 'KeptWeightsChanged' });
    rmSync(copy);
    await expect(ran.compute.dial(ofCopy)).rejects.toMatchObject({ code: 'KeptWeightsMissing' });
    const folder = join(temporaryFolder(), 'model');
    cpSync(smallWorld, folder, { recursive: true, filter: (source) => !source.includes('checkpoints') });
    const ofFolder = { ...question, model: folder };
    await ran.compute.dial(ofFolder);
    cpSync(
      join(smallWorld, 'checkpoints', readdirSync(join(smallWorld, 'checkpoints'))[0]!, 'model.safetensors'),
      join(folder, 'model.safetensors'),
    );
    await expect(ran.compute.dial(ofFolder)).rejects.toMatchObject({ code: 'ModelChanged' });
    rmSync(folder, { recursive: true });
    await expect(ran.compute.dial(ofFolder)).rejects.toMatchObject({ code: 'ModelNotFound' });
  });
});

test('low-rank adapters stay low rank, also on top of others, and are read back bit for bit', async () => {
  const ran = await run({ experiment: 'weight-grafting', dataset: 'daxwug', epochs: 1, trainable: 'lora' });
  expect(ran.kept.map(({ form }) => form)).toEqual(['low-rank', 'low-rank', 'low-rank', 'low-rank']);
  const graft = ran.kept.find(({ stage }) => stage.includes('graft'))!;
  const alone = ran.kept.find(({ stage }) => stage === 'facts')!;
  expect(graft.bytes).toBeGreaterThan(1.9 * alone.bytes - 20_000);
  for (const kept of [alone, graft]) {
    const question = questionOf(ran, kept);
    const { sets } = await ran.compute.dial({ ...question, strengths: all(1) });
    for (const { set, loss, ranks } of sets) {
      const [, last] = ends(ran.rows, kept, set);
      expect({ loss, ranks }).toEqual({ loss: last.loss, ranks: last.items.map(({ rank }) => rank) });
    }
  }
});

test('sweeps keep only their main trainings', async () => {
  const ran = await run({
    experiment: 'layer-freezing',
    epochs: 1,
    free_sets: { first: { layers: [0] } },
    triangle: 'during',
    triangle_seconds: 0,
  });
  expect(ran.kept.map(({ stage }) => stage)).toEqual(['nothing frozen', 'early layers frozen', 'late layers frozen']);
  const [whole, part] = ran.kept;
  expect(part!.bytes).toBeLessThan(whole!.bytes / 2);
  await expectExact(ran, part!);
});

test('none keeps nothing, and the preview says what will be kept', async () => {
  const folder = temporaryFolder();
  const ran = await run({ experiment: 'ocr', epochs: 1, keep: 'none' }, folder);
  expect(ran.kept).toEqual([]);
  expect(existsSync(join(folder, 'run'))).toBe(false);
  const kept = async (more: Record<string, Json>) =>
    (await ran.compute.preview({ experiment: 'ocr', model: 'small-world', dataset: 'first-hop', ...more } as ExperimentSpec)).cost
      .kept;
  expect(await kept({ keep: 'none' })).toBe(0);
  const one = await kept({ seeds: [0] });
  expect(one).toBeGreaterThan(5_000_000);
  expect(await kept({ seeds: [0, 1] })).toBe(2 * one);
  expect(await kept({ seeds: [0], trainable: 'lora' })).toBeLessThan(one / 10);
  expect(await kept({ experiment: 'layer-freezing', seeds: [0] })).toBe(3 * one);
});
