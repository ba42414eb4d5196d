/** Every real experiment in the wizard: a finished run's spec comes back whole, and each has a drawing that is explained. */
import { describe, expect, it } from 'vitest';
import { experiments } from '../../src-main/experiments/index.ts';
import { completeSpec } from '../../src-main/experiments/spec.ts';
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { captionOfDrawing } from '../../src-renderer/components/drawings/captions.ts';
import { drawings } from '../../src-renderer/components/drawings/index.ts';
import { thumbnailOf } from '../../src-renderer/components/drawings/thumbnails.ts';
import { takesKind } from '../../src-renderer/state/dataset-kinds.ts';
import { Wizard } from '../../src-renderer/state/wizard.svelte.ts';

/** Values that forms hold as texts and must give back as they were, by the kind of setting. */
const unusual: { [name: string]: Json[] } = {
  model: ['/models/a folder/llama', 'small-world'],
  dataset: [
    '/data/my facts.json',
    { project_dataset: 3, version: 2 },
    { train: [['Ann lives in', ' Oslo']], test: [['They "speak"', ' Nor,se']], options: { train: [' Oslo'], test: [' Nor,se'] } },
  ],
  seeds: [[7], [4, 2, 9]],
  lr: [3e-7, 0.1 + 0.2],
  trainable: [
    'mlp_attn',
    { layers: [0, 2] },
    { lora: { rank: 8, alpha: 16, targets: ['q_proj'] } },
    ['model.embed_tokens.weight'],
  ],
  memory: ['8GiB', 1_000_000],
  orders: [
    [
      [[0, 1], [2]],
      [[2, 0], [1]],
    ],
  ],
  counterfactuals: ['all', { count: 4, seed: 9 }],
  accumulation: [{ prompt: 'The people in the city X Y is from speak', answer: 'Z' }],
  checkpoints: [['/runs/step 1', '/runs/step 2']],
  scores: [false],
  k: [[1], [3, 5]],
};

describe.each(experiments.map(({ description }) => [description.id, description] as const))('%s', (id, description) => {
  async function duplicate(spec: ExperimentSpec): Promise<ExperimentSpec | null> {
    const wizard = new Wizard();
    await wizard.experiments.ask(async () => experiments.map((experiment) => experiment.description));
    wizard.begin(spec.experiment, spec);
    return wizard.spec;
  }
  const experiment = experiments.find((one) => one.description.id === id)!;

  it('comes back from a finished run with all that its spec says', async () => {
    const spec = completeSpec(
      { experiment: id, model: 'small-world', dataset: description.parameters[1]!.default! },
      experiment,
      true,
    );
    expect(Object.keys(spec).length).toBeGreaterThan(8);
    expect(await duplicate(spec)).toEqual(spec);
    for (const { name, kind } of description.parameters) {
      // Counts of counterfactuals are whole numbers where an experiment asks for no more
      const values = name === 'counterfactuals' && kind === 'integer' ? [5] : (unusual[name] ?? []);
      for (const value of values)
        expect(await duplicate({ ...spec, [name]: value } as ExperimentSpec), name).toEqual({ ...spec, [name]: value });
    }
  });

  it('has a drawing of its own that says how to read it', () => {
    expect(thumbnailOf(id)).not.toBe(thumbnailOf('no such experiment'));
    if (drawings[id] === undefined) expect(captionOfDrawing(id)).toMatch(/\w{3}.*[.?]$/);
    expect(description.question).toMatch(/\?$/);
  });
});

it('made-up words are offered where an experiment is about them, facts everywhere else', () => {
  const words = ['data-ordering', 'weight-grafting', 'localization'];
  const taken = experiments.map(({ description: { id, parameters } }) => {
    const parameter = parameters.find(({ kind }) => kind === 'dataset');
    return [id, takesKind(parameter, 'daxwug'), takesKind(parameter, 'facts')];
  });
  expect(taken).toEqual(experiments.map(({ description: { id } }) => [id, words.includes(id), !words.includes(id)]));
  expect([takesKind(undefined, 'facts'), takesKind(undefined, 'daxwug')]).toEqual([true, false]);
});
