/**
 * The circuit explorer's part of fake-host.ts: made-up scores of a model of 8 layers and 4 heads, at checkpoints too, and circuits kept in
 * memory. The numbers come from a formula and are the same every time.
 */
import type { CircuitRecord, CircuitService, ScoredRun } from '../../src-main/shared/contract-circuits.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Json, RunDetail, ScoreQuery, ScoreRow } from '../../src-main/shared/records.ts';
import { fakeNow, fakeSets, noise } from './fake-rows.ts';

const [layers, heads] = [8, 4];
const prompt = ['The', 'people', 'in', 'the', 'city', 'X', 'Y', 'is', 'from', 'speak'];
const seeds = [0, 1, 2];
const checkpoints = ['step-100', 'step-400', 'step-1600', 'model'];

const stagesOf: { [experiment: string]: string[] } = { 'extractive-scores': ['finetune'], emergence: checkpoints };
const names = ['mlp', 'attn'].flatMap((part) =>
  ['informative', 'upstream', 'downstream', 'downstream_nonstrict'].map((kind) => `${kind}.${part}`),
);

/** Where each kind is strong: informative at the name, upstream before the middle, downstream at the last token of late layers. */
const peaks: { [kind: string]: [layer: number, token: number] } = {
  informative: [3, 6],
  upstream: [2, 4],
  downstream: [6, 9],
  downstream_nonstrict: [6, 9],
};

/** Results with what the explorer reads of them. */
export function fakeScoreResults(): Json {
  const change = (item: number) => [0, 0.25, 0.5, 0.75, 1].map((part) => -(2 + noise(item)) * part ** 1.5);
  const items = fakeSets()[1]!.pairs;
  return {
    accumulation: { prompt: prompt.join(' '), answer: 'Arvish', tokens: prompt },
    item_tokens: items.map(([text, answer]) => [...text.split(' '), answer]),
    seeds: seeds.map((seed) => ({
      seed,
      first_order: {
        scales: [0, 0.25, 0.5, 0.75, 1],
        change: [0, 1, 2, 3, 4].map((scale) => items.map((_, item) => change(item + seed)[scale]!)),
        predictedByMaps: items.map((_, item) => -1.6 - noise(item, seed)),
        predictedByAll: items.map((_, item) => -1.9 - noise(item, seed)),
      },
    })),
  };
}

/** Rows of a run of that experiment; none where it stores none. */
export function fakeScores(experiment: string, { seed, point, stage, names: asked }: ScoreQuery): ScoreRow[] {
  const stages = stagesOf[experiment] ?? [];
  return stages
    .filter((each) => stage === undefined || each === stage)
    .flatMap((each) =>
      names
        .filter((name) => asked === undefined || asked.includes(name))
        .map((name) => fakeRow(name, seed, point, each, (stages.indexOf(each) + 1) / stages.length)),
    );
}

function fakeRow(name: string, seed: number, point: number, stage: string, grown: number): ScoreRow {
  const [kind = '', part = ''] = name.split('.');
  const [layer, token] = peaks[kind]!;
  const each = part === 'attn' ? heads : 1;
  const values = Array.from({ length: layers * each * prompt.length }, (_, index) => {
    const row = Math.floor(index / prompt.length);
    const [ownLayer, ownToken] = [Math.floor(row / each), index % prompt.length];
    const near = Math.exp(-((ownLayer - layer) ** 2) / 3 - (ownToken - token) ** 2 / 2);
    return grown * ((0.6 * near) / each + 0.06 * (noise(index, seed, point + 2, kind.length) - 0.5));
  });
  return {
    seed,
    stage,
    set: 'implications',
    point,
    name,
    shape: part === 'attn' ? [layers, heads, prompt.length] : [layers, prompt.length],
    values,
  };
}

/** The members over the fake host's runs. */
export function fakeCircuits(find: (run: string) => RunDetail, all: () => RunDetail[]): CircuitService {
  const circuits = new Map<number, CircuitRecord & { deleted: boolean }>();
  const pointsOf = (experiment: string) => (experiment === 'emergence' ? [-1] : [-1, ...fakeSets()[1]!.pairs.keys()]);

  function known(circuit: number, deleted = false): CircuitRecord & { deleted: boolean } {
    const record = circuits.get(circuit);
    if (record === undefined || record.deleted !== deleted)
      throw new HopscopeError('CircuitNotFound', `There is no circuit ${circuit}.`);
    return record;
  }

  return {
    scoredRuns: async (asked) =>
      all()
        .filter(({ experiment, project }) => experiment in stagesOf && (asked === undefined || project === asked))
        .map(
          ({ run, title, experiment, model, dataset, created }): ScoredRun => ({
            run,
            title,
            experiment,
            model,
            dataset,
            created,
            circuits: [...circuits.values()].filter((record) => record.run === run && !record.deleted).length,
          }),
        ),
    async scoreListing(run) {
      const { experiment } = find(run);
      return (stagesOf[experiment] ?? []).flatMap((stage) =>
        seeds.map((seed) => ({ seed, stage, set: 'implications', points: pointsOf(experiment), names })),
      );
    },
    async componentScores(run, { stage, names: asked, layer, head }) {
      const { experiment } = find(run);
      return seeds.flatMap((seed) =>
        pointsOf(experiment).flatMap((point) =>
          fakeScores(experiment, { seed, point, stage, names: asked }).map(({ name, shape, values }) => {
            const width = shape.at(-1)!;
            const each = shape.length === 3 ? shape[1]! : 1;
            const rows = head === null ? Array.from({ length: each }, (_, index) => index) : [head];
            const course = Array.from({ length: width }, (_, token) =>
              rows.reduce((sum, row) => sum + values[(layer * each + row) * width + token]!, 0),
            );
            return { seed, point, name, values: course };
          }),
        ),
      );
    },
    circuits: async (run) => [...circuits.values()].filter((record) => record.run === run && !record.deleted),
    async createCircuit(run, { name, view }) {
      const circuit = circuits.size + 1;
      const now = new Date(fakeNow).toISOString();
      circuits.set(circuit, { circuit, run: find(run).run, name, view, created: now, changed: now, deleted: false });
      return { circuit };
    },
    async changeCircuit(circuit, change) {
      circuits.set(circuit, { ...known(circuit), ...change });
    },
    async deleteCircuit(circuit) {
      circuits.set(circuit, { ...known(circuit), deleted: true });
    },
    async restoreCircuit(circuit) {
      circuits.set(circuit, { ...known(circuit, true), deleted: false });
    },
  };
}
