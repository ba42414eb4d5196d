/** Experiments from the command line: run, stored, listed, shown, stopped, the same every time. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFixture } from '../parity/fixture.ts';
import { hopscope, succeed, temporaryFolder, writeJson } from './support.ts';

interface Measured {
  mean_rank: number;
  ranks: number[];
  loss: number;
}

interface Fixture {
  'first-hop': object;
  orders: { layer_freezing: { 'first-hop': number[][][] } };
  results: { layer_freezing: { datasets: { 'first-hop': { ocr: { epochs: { train: Measured; test: Measured }[] } } } } };
}

const fixture = readFixture<Fixture>('experiments', 'llama.json');
const folder = temporaryFolder();
const root = join(import.meta.dirname, '../..');
const spec = {
  experiment: 'ocr',
  model: 'test/fixtures/models/llama',
  dataset: fixture['first-hop'],
  lr: 1e-3,
  collisions: 'merge',
};
const drawn = { ...spec, epochs: 2, batch_size: 3, seeds: [0, 1] };
const data = (name: string) => ['--data', join(folder, name)];

interface Epoch {
  fact_rank: number;
  implication_rank: number;
  per_seed: { seed: number; fact_rank: number; implication_rank: number }[];
  train: Measured;
  test: Measured;
}

describe('run', () => {
  test.concurrent('with given batches: the golden ranks and losses; then listed and shown', async () => {
    const orders = fixture.orders.layer_freezing['first-hop'];
    const path = writeJson(join(folder, 'golden.yaml'), { ...spec, epochs: orders.length, orders });
    const result = await succeed(['run', path, ...data('golden')], { cwd: root });
    expect(Object.keys(result)).toEqual(['run', 'experiment', 'results', 'seconds']);
    expect(result.experiment).toBe('ocr');
    const { epochs } = result.results as { epochs: Epoch[] };
    const golden = fixture.results.layer_freezing.datasets['first-hop'].ocr.epochs;
    expect(epochs).toHaveLength(golden.length);
    for (const [index, { train, test: implications }] of golden.entries()) {
      const epoch = epochs[index]!;
      expect([epoch.train.ranks, epoch.test.ranks]).toEqual([train.ranks, implications.ranks]);
      expect([epoch.fact_rank, epoch.implication_rank]).toEqual([train.mean_rank, implications.mean_rank]);
      expect(Math.abs(epoch.train.loss - train.loss)).toBeLessThan(1e-3);
    }

    const { runs } = (await succeed(['runs', ...data('golden')])) as { runs: Record<string, unknown>[] };
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ run: result.run, experiment: 'ocr', state: 'finished' });
    const shown = await succeed(['show', result.run as string, ...data('golden')]);
    expect(shown).toMatchObject({ run: result.run, results: result.results, spec: { model: join(root, spec.model) } });
    expect(shown.steps).toMatchObject({ count: orders.flat().length });
    expect(shown.evaluations).toHaveLength(2 * golden.length);
    const text = await hopscope(['show', result.run as string, ...data('golden')]);
    expect(text.stdout).toContain('implication_rank');
  });

  test.concurrent('drawn batches: the same numbers every time', async () => {
    const path = writeJson(join(folder, 'drawn.yaml'), drawn);
    const outcomes = [];
    for (const name of ['one', 'two']) outcomes.push(await succeed(['run', path, ...data(name)], { cwd: root }));
    const { epochs } = outcomes[0]!.results as { epochs: Epoch[] };
    expect(epochs).toHaveLength(3);
    for (const { fact_rank, per_seed } of epochs) {
      expect(per_seed.map(({ seed }) => seed)).toEqual([0, 1]);
      expect(fact_rank).toBeCloseTo(per_seed.reduce((sum, each) => sum + each.fact_rank, 0) / 2, 12);
    }
    expect(outcomes[1]!.results).toEqual(outcomes[0]!.results);
  });

  test.concurrent('Ctrl-C: exit 130, the run is kept as stopped with what it measured', async () => {
    const path = writeJson(join(folder, 'long.yaml'), { ...drawn, epochs: 1000 });
    const outcome = await hopscope(['run', path, '--json', ...data('long')], {
      cwd: root,
      onOutput: (text, kill) => void (text.includes('epoch') && kill('SIGINT')),
    });
    expect(outcome.code, outcome.stderr).toBe(130);
    expect(outcome.json()).toMatchObject({ error: { code: 'Interrupted' } });
    const { runs } = (await succeed(['runs', ...data('long')])) as { runs: { run: string; state: string }[] };
    expect(runs.map(({ state }) => state)).toEqual(['stopped']);
    const { evaluations } = await succeed(['show', runs[0]!.run, ...data('long')]);
    expect((evaluations as unknown[]).length).toBeGreaterThan(0);
  });

  test.concurrent.each<[string, object, string, string]>([
    ['unknown key', { ...drawn, learning_rate: 1 }, 'UnknownKey', 'learning_rate'],
    ['unknown experiment', { ...drawn, experiment: 'alchemy' }, 'UnknownExperiment', 'alchemy'],
    ['no experiment', { model: 'small-world' }, 'BadSpec', 'experiment'],
    [
      'options that share a first token',
      { ...drawn, dataset: collidingSet(), collisions: 'error' },
      'OptionsShareFirstToken',
      ' and ',
    ],
  ])('%s: named, exit 2, no run stored', async (name, wrong, code, mentions) => {
    const id = name.replaceAll(' ', '-');
    const outcome = await hopscope(['run', writeJson(join(folder, `${id}.yaml`), wrong), '--json', ...data(id)], { cwd: root });
    expect(outcome.code, outcome.stderr).toBe(2);
    expect(outcome.stderr).toMatch(new RegExp(`^error\\[${code}\\]: .*\n$`));
    expect(outcome.stderr).toContain(mentions);
    expect(outcome.json()).toMatchObject({ error: { code } });
    expect(await succeed(['runs', ...data(id)])).toEqual({ runs: [], total: 0 });
  });
});

test.concurrent('a run that is not there', async () => {
  const outcome = await hopscope(['show', 'nothing', '--json', ...data('empty')]);
  expect(outcome.code).toBe(2);
  expect(outcome.json()).toMatchObject({ error: { code: 'RunNotFound' } });
});

test.concurrent('doctor: devices tested, a damaged database is told of and left as it is', async () => {
  const report = await succeed(['doctor', ...data('nowhere')]);
  expect(report.devices).toContainEqual(expect.objectContaining({ device: 'cpu', available: true }));
  expect(report.data_folder).toMatchObject({ database: 'none' });
  const damaged = join(folder, 'damaged');
  const database = join(damaged, 'hopscope.db');
  mkdirSync(damaged);
  writeFileSync(database, 'this is no database, whatever its name says');
  expect((await succeed(['doctor', '--data', damaged])).data_folder).toMatchObject({ database: 'damaged' });
  expect(readFileSync(database, 'utf8')).toBe('this is no database, whatever its name says');
});

test.concurrent('pretrain: a tiny recipe makes a model folder, once', async () => {
  const recipe = writeJson(join(folder, 'recipe.yaml'), {
    name: 'tiny',
    steps: 2,
    batch: 4,
    checkpoints: [2],
    model: { layers: 1, width: 16, heads: 2, mlpWidth: 24 },
    evaluation: { people: 4, finetuneSeeds: [0], epochs: 1 },
  });
  const out = join(folder, 'tiny');
  const made = await succeed(['pretrain', '--recipe', recipe, '--out', out]);
  expect(made).toMatchObject({ out, recipe: 'tiny', steps: 2 });
  expect(await succeed(['model', out])).toMatchObject({ family: 'llama', layers: 1, hidden: 16, parameters: made.parameters });
  const again = await hopscope(['pretrain', '--recipe', recipe, '--out', out]);
  expect([again.code, again.stderr.slice(0, 19)]).toEqual([2, 'error[FolderExists]']);
});

// The page is there once the workbench was built, as `npm ci` does.
test.skipIf(!existsSync(join(root, 'out/renderer/index.html')))(
  'serve: one address, until Ctrl-C',
  { concurrent: true },
  async () => {
    let answer: Promise<number> | undefined;
    const outcome = await hopscope(['serve', '--json', ...data('served')], {
      onOutput(text, kill) {
        if (!text.startsWith('{')) return;
        const { url } = JSON.parse(text) as { url: string };
        answer = fetch(url)
          .then(({ status }) => status)
          .finally(() => kill('SIGINT'));
      },
    });
    expect(outcome.code, outcome.stderr).toBe(130);
    expect(outcome.json().url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{20,}$/);
    expect(await answer).toBe(200);
  },
);

function collidingSet(): object {
  const set = fixture['first-hop'] as { train: unknown; test: unknown; options: { train: string[]; test: string[] } };
  return { ...set, options: { ...set.options, train: [...set.options.train, `${set.options.train[0]} City`] } };
}
