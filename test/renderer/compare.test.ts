/** Comparing runs: settings, labels, grids, curves, outcomes, the paper's values, and the state that the address holds. */
import { describe, expect, it, vi } from 'vitest';
import { Random } from '../../src-main/shared/random.ts';
import type { RunDetail } from '../../src-main/shared/records.ts';
import { estimate, spreadWords } from '../../src-main/shared/statistics.ts';
import { printStyle } from '../../src-renderer/figures/style.ts';
import { drawFigure, figureSvg } from '../../src-renderer/figures/svg.ts';
import { rankFigure, sweepFigure } from '../../src-renderer/measures/compare-curves.ts';
import { outcomeTable } from '../../src-renderer/measures/compare-outcomes.ts';
import {
  departures,
  departureTable,
  directionOf,
  publishedRows,
  publishedTable,
} from '../../src-renderer/measures/compare-published.ts';
import {
  bestPlace,
  type CurveChoice,
  comparability,
  lossSeries,
  rankSeries,
  sharedStages,
  stageOf,
} from '../../src-renderer/measures/compare-series.ts';
import {
  type ComparedRun,
  runLabels,
  runLetter,
  settingRows,
  settingTable,
  sweepOf,
} from '../../src-renderer/measures/compare-settings.ts';
import { Comparison, compareAddress, mostRuns } from '../../src-renderer/state/compare.svelte.ts';
import { readAddress } from '../../src-renderer/state/router.svelte.ts';
import { figureCsv } from '../../src-renderer/text/figure-csv.ts';
import { tableLatex } from '../../src-renderer/text/latex.ts';
import { fakeBars } from './fake-figures.ts';
import { createFakeService } from './fake-host.ts';

const service = createFakeService('full');

async function load(id: string, change: (detail: RunDetail) => Partial<RunDetail> = () => ({})): Promise<ComparedRun> {
  const [detail, sets, steps, evaluations, figures] = await Promise.all([
    service.run(id),
    service.itemSets(id),
    service.steps(id),
    service.evaluations(id),
    service.figures(id),
  ]);
  return { detail: { ...detail, ...change(detail) }, sets, steps, evaluations, figures };
}
const withSpec = (spec: RunDetail['spec'] | { [name: string]: number }, id = 'run-finished') =>
  load(id, (detail) => ({ spec: { ...detail.spec, ...spec } as RunDetail['spec'] }));
const choice = { x: 'epoch', seeds: 'interval', stage: null } as const;

describe('settings', () => {
  it('put what differs first and name runs by it', async () => {
    const runs = await Promise.all([withSpec({ lr: 1e-4 }), withSpec({ lr: 1e-3, epochs: 3 })]);
    const details = runs.map(({ detail }) => detail);
    const rows = settingRows(details);
    expect(rows.filter(({ differs }) => differs)).toEqual([
      { name: 'lr', values: ['1e-4', '1e-3'], differs: true },
      { name: 'epochs', values: ['12', '3'], differs: true },
    ]);
    expect(rows.slice(2).every(({ differs }) => !differs)).toBe(true);
    expect(runLabels(details)).toEqual(['A lr 1e-4, epochs 12', 'B lr 1e-3, epochs 3']);
    expect(settingTable(rows.slice(0, 1), 2)).toMatchObject({ columns: ['Setting', 'A', 'B'], rows: [['lr', '1e-4', '1e-3']] });
    expect([runLetter(0), runLetter(25), runLetter(26)]).toEqual(['A', 'Z', 'AA']);
  });

  it('that begin alike but differ further on are told apart', async () => {
    const long = (end: number) => ({ orders: [[Array.from({ length: 60 }, (_, index) => index), [end]]] }) as never;
    const details = (await Promise.all([withSpec(long(1)), withSpec(long(2))])).map(({ detail }) => detail);
    expect(settingRows(details)[0]).toMatchObject({ name: 'orders', differs: true });
  });

  it('span a grid where runs differ in one or two of them and each place has one run', async () => {
    const grid = [
      { lr: 1e-4, epochs: 4 },
      { lr: 1e-5, epochs: 4 },
      { lr: 1e-3, epochs: 8 },
      { lr: 1e-4, epochs: 8 },
    ];
    const details = (await Promise.all(grid.map((spec) => withSpec(spec)))).map(({ detail }) => detail);
    expect(sweepOf(details)).toEqual({
      columns: { name: 'lr', values: ['1e-5', '1e-4', '1e-3'] },
      rows: { name: 'epochs', values: ['4', '8'] },
      places: [1, 0, null, null, 3, 2],
    });
    expect(sweepOf(details.slice(0, 2))).toMatchObject({ rows: null, places: [1, 0] });
    expect(sweepOf([details[0]!, details[0]!])).toBeNull();
    const third = { ...details[2]!, spec: { ...details[2]!.spec, batch_size: 4 } };
    expect(sweepOf([details[0]!, details[1]!, third])).toBeNull();
    // Two runs in one place leave no grid
    expect(sweepOf([...details, { ...details[0]!, run: 'again' }])).toBeNull();
  });
});

describe('curves', () => {
  it('are means over seeds of the stored rows, by epoch or by step', async () => {
    const run = await load('run-finished');
    const series = rankSeries(run, 'facts', choice)!;
    expect(series.x).toEqual(Array.from({ length: 13 }, (_, epoch) => epoch));
    const stored = run.evaluations.filter((row) => row.set === 'facts' && row.epoch === 4).map(({ meanRank }) => meanRank);
    expect(series.y[4]!.values).toEqual(stored);
    expect(series.y[4]!.mean).toBeCloseTo(stored.reduce((sum, value) => sum + value, 0) / 3, 12);
    expect(rankSeries(run, 'facts', { ...choice, x: 'step' })!.x).toEqual(series.x.map((epoch) => 3 * epoch));
    const losses = run.steps.filter((step) => step.seed === 1 && step.epoch === 2).map(({ loss }) => loss);
    const loss = lossSeries(run, choice)!;
    expect(loss.x[2]).toBe(3);
    expect(loss.y[2]!.values[1]).toBeCloseTo(losses.reduce((sum, value) => sum + value, 0) / losses.length, 12);
    expect(lossSeries(run, { ...choice, x: 'step' })!.x).toHaveLength(36);
  });

  it('stop where a seed that has begun has not got to yet', async () => {
    const run = await load('run-midway');
    // Seed 1 of 3 has reached epoch 6
    expect(rankSeries(run, 'facts', choice)!.x.at(-1)).toBe(6);
  });

  it('are found once for each run, and anew for one whose rows have changed', async () => {
    const run = await load('run-finished');
    for (const series of [rankSeries, (of: ComparedRun, _: string, how: CurveChoice) => lossSeries(of, how)]) {
      const found = series(run, 'facts', choice);
      expect(series(run, 'facts', { ...choice, seeds: 'lines' })).toBe(found);
      expect(series(run, 'facts', { ...choice, x: 'step' })).not.toBe(found);
      expect(series({ ...run }, 'facts', choice)).not.toBe(found);
    }
    expect(rankSeries(run, 'implications', choice)).not.toBe(rankSeries(run, 'facts', choice));
    const fewer = { ...run, evaluations: run.evaluations.filter(({ epoch }) => epoch < 3) };
    expect(rankSeries(fewer, 'facts', choice)!.x).toEqual([0, 1, 2]);
  });

  it('are compared in lists that several runs measured; a run without any is left alone', async () => {
    const [plain, frozen, nonce] = await Promise.all(
      ['run-finished', 'run-layer-freezing', 'run-ordering-live'].map((id) => load(id)),
    );
    expect(comparability([plain!, frozen!])).toEqual({ lists: ['facts', 'implications'], alone: [] });
    expect(comparability([plain!, nonce!])).toEqual({ lists: [], alone: [0, 1] });
    expect(comparability([plain!, frozen!, nonce!]).alone).toEqual([2]);
  });

  it('of a run with several trainings are of the chosen one, or of its first', async () => {
    const [plain, frozen] = await Promise.all(['run-finished', 'run-layer-freezing'].map((id) => load(id)));
    expect(sharedStages([plain!, frozen!])).toEqual(['nothing frozen', 'early layers frozen', 'late layers frozen']);
    expect(stageOf(frozen!, null)).toBe('nothing frozen');
    expect(stageOf(frozen!, 'late layers frozen')).toBe('late layers frozen');
    expect(stageOf(frozen!, 'elsewhere')).toBeNull();
    expect(stageOf(plain!, 'late layers frozen')).toBe('finetune');
    const figure = rankFigure([plain!, frozen!], ['A', 'B'], 'facts', { ...choice, stage: 'elsewhere' });
    expect(figure.series.map(({ label }) => label)).toEqual(['A']);
  });

  it('are drawn as means with intervals or as lines of seeds, and told apart beyond the sixth colour', async () => {
    const run = await load('run-finished');
    const many = Array.from({ length: 8 }, () => run);
    const labels = many.map((_, place) => runLetter(place));
    const drawn = (seeds: 'interval' | 'lines') =>
      figureSvg(rankFigure(many, labels, 'implications', { ...choice, seeds }), { captioned: true }).text;
    expect(drawn('interval')).toContain('range of 3 seeds');
    expect(drawn('interval')).toContain('Means over seeds; bands are the range of 3 seeds.');
    expect(drawn('interval')).not.toContain('one seed');
    expect(drawn('lines')).toContain('one seed');
    expect(drawn('lines')).not.toContain('range of');
    expect(drawn('lines').match(/<path[^>]*fill="none"[^>]*stroke-dasharray="6 3"/g)).toHaveLength(6);
  });

  it('of a grid are small multiples on the same axes, and their numbers a table', async () => {
    const runs = await Promise.all([withSpec({ lr: 1e-5 }), withSpec({ lr: 1e-4 }), withSpec({ lr: 1e-3 }, 'run-stopped')]);
    const sweep = sweepOf(runs.map(({ detail }) => detail))!;
    const figure = sweepFigure(runs, sweep, ['facts', 'implications'], choice);
    expect(figure.panels.map((panel) => panel?.title)).toEqual(['lr 1e-5', 'lr 1e-4', 'lr 1e-3']);
    expect(figure.references.map(({ label }) => label)).toEqual(['chance, facts', 'chance, implications']);
    const { text } = figureSvg(figure, { size: 'page' });
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    expect(text).toContain('width="178mm"');
    expect(text.match(/Mean rank \(0 is best\)/g)).toHaveLength(1);
    const marks = JSON.stringify(drawFigure(figure, printStyle).nodes).match(/lr 1e-4, facts, epoch \d+: /g);
    expect(marks).toHaveLength(13);
    expect(figure.heads).toBeUndefined();
    const rows = figureCsv(figure, [0, 1, 2], 'A x, B y').trim().split('\r\n');
    expect(rows[0]).toBe('panel,series,Epoch,mean,low,high,seed 0,seed 1,seed 2,run,figure,source');
    expect(rows.filter((row) => row.includes(',run-stopped,Mean rank by lr,')).length).toBeGreaterThan(0);
    expect(rows.at(-1)).toMatch(/^,"chance, implications",,.*,,,,,Mean rank by lr,"A x, B y"$/);
    // Points are of one size, however many there are in a panel
    const short = { ...runs[1]!, evaluations: runs[1]!.evaluations.filter(({ epoch }) => epoch < 3) };
    const small = sweepFigure([runs[0]!, short, runs[2]!], sweep, ['facts'], choice);
    const radii = [...figureSvg(small).text.matchAll(/ r="([\d.]+)"/g)].map(([, radius]) => radius!);
    expect(new Set(radii.slice(1))).toEqual(new Set(['1.4'])); // after the legend's own
  });
});

/** The run with every rank of a list put through a function of seed and epoch. */
const changed = (run: ComparedRun, change: (seed: number, epoch: number, rank: number) => number): ComparedRun => ({
  ...run,
  evaluations: run.evaluations.map((row) => ({ ...row, meanRank: change(row.seed, row.epoch, row.meanRank) })),
});

it('a grid of two settings names its columns and rows once, all of it in a column of a paper', async () => {
  const cells = [1e-6, 3e-6, 1e-5, 3e-5].flatMap((lr) => [4, 8, 12, 16].map((epochs) => ({ lr, epochs })));
  const runs = await Promise.all(cells.map((cell) => withSpec(cell)));
  const figure = sweepFigure(runs, sweepOf(runs.map(({ detail }) => detail))!, ['facts', 'implications'], choice);
  const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text!);
  for (const size of ['column', 'page'] as const) {
    const { text } = figureSvg(figure, { size });
    for (const name of ['lr 1e-6', 'lr 3e-5', 'epochs 4', 'epochs 16'])
      expect(texts(text).filter((one) => one === name)).toHaveLength(1);
    expect(texts(text).some((one) => one.includes('…'))).toBe(false);
    expect(texts(text).filter((one) => one === 'Mean rank (0 is best)')).toHaveLength(1);
    // 6 points at the printed size: 0.25 mm a unit, 0.3528 mm a point
    for (const [, fontSize] of text.matchAll(/font-size="([\d.]+)"/g))
      expect((Number(fontSize) * 0.25) / 0.3528).toBeGreaterThanOrEqual(6);
  }
});

describe('outcomes', () => {
  it('are a row for each run, with estimates, as LaTeX too; what all share before training is said once', async () => {
    const runs = await Promise.all([withSpec({ lr: 1e-5 }), withSpec({ lr: 1e-4 })]);
    const table = outcomeTable(
      runs.map((run) => changed(run, (_, epoch) => 12 - epoch)),
      ['facts'],
      choice,
    );
    expect(table.columns).toEqual(['Run', 'lr', 'facts, end', 'Loss', 'Seconds']);
    expect(table.rows[1]!.slice(0, 2)).toEqual(['B', '1e-4']);
    expect(table.rows[0]![2]).toMatchObject({ mean: 0, values: [0, 0, 0] });
    expect(table.caption).toContain('Before training every run has facts 12.00.');
    expect(tableLatex(table, 'Run x, 2026-11-22.')).toContain('Run x, 2026-11-22.}');
    const apart = outcomeTable([runs[0]!, changed(runs[1]!, (_, epoch) => 5 - epoch / 12)], ['facts'], choice);
    expect(apart.columns).toContain('facts, start');
  });

  it('say the best epoch where it is not the last one, and mark it in the curves', async () => {
    const run = await load('run-finished');
    const dipping = changed(run, (seed, epoch) => Math.abs(epoch - 7) + seed);
    expect(bestPlace(rankSeries(dipping, 'facts', choice)!)).toBe(7);
    expect(bestPlace({ y: [2, 1, 1, 3].map((value) => estimate([value])) })).toBe(1);
    // Nothing is gained by stopping early where the end is as good
    expect(bestPlace({ y: [2, 0.1 + 0.2, 1, 0.3].map((value) => estimate([value])) })).toBe(3);
    const table = outcomeTable([dipping, dipping], ['facts'], choice);
    const [best, epoch] = [table.columns.indexOf('facts, best'), table.columns.indexOf('at epoch')];
    expect([table.rows[0]![best], table.rows[0]![epoch]]).toMatchObject([{ mean: 1 }, 7]);
    const figure = rankFigure([dipping, changed(run, (_, at) => 12 - at)], ['A', 'B'], 'facts', choice);
    expect(figure.series.map((series) => series.best)).toEqual([7, undefined]);
    expect(figure.caption).toContain('A ring marks the lowest mean');
    expect(figureSvg(figure).text.match(/r="4\.6"/g)).toHaveLength(2); // the point's and the legend's
    expect(JSON.stringify(drawFigure(figure, printStyle).nodes)).toContain('epoch 7: 1.00 [0.00, 2.00], its best');
  });

  it('are taken apart from a reference run, seed by seed', async () => {
    const run = await load('run-finished');
    const [base, other] = [changed(run, (seed) => 3 + seed), changed(run, (seed) => 1 + seed + (seed === 2 ? 0.6 : 0))];
    const fewer = { ...other, evaluations: other.evaluations.filter(({ seed }) => seed !== 1) };
    const alone = { ...other, evaluations: other.evaluations.map((row) => ({ ...row, seed: row.seed + 10 })) };
    const table = outcomeTable([base, other, fewer, alone], ['facts'], choice, 0);
    const cells = table.rows.map((row) => row[table.columns.indexOf('facts, minus A')]!);
    const values = [expect.closeTo(-2), expect.closeTo(-2), expect.closeTo(-1.4)];
    expect(cells).toMatchObject(
      [{}, { mean: expect.closeTo(-1.8), values }, { values: [values[0], values[2]] }, {}].map((cell, place) =>
        place % 3 === 0 ? null : cell,
      ),
    );
    expect(table.caption).toContain('Differences are to run A');
  });

  it('stand beside the published values with direction and tolerance', async () => {
    expect([3, 9, 12].map((rank) => directionOf(rank, 9.5, 1))).toEqual(['better', 'at chance', 'worse']);
    const run = await load('run-layer-freezing', () => ({ experiment: 'layer-freezing' }));
    const beside = (figures: ComparedRun['figures'], tolerance: number) => publishedRows([{ ...run, figures }], tolerance);
    const rows = beside([fakeBars], 1);
    // Every published value but the one that the paper does not give
    expect(rows).toHaveLength(11);
    const early = rows.find(({ group, series }) => group === 'early frozen after training' && series === 'implications')!;
    // Own chance is 7: ranks are scaled to the paper's 20 options
    expect(early.chance).toBe(7);
    expect(early.scaled).toBeCloseTo((early.own.mean * 9.5) / 7, 12);
    expect(early.published).toBe(8.4);
    expect(early.publishedDirection).toBe('better');
    expect(early.within).toBe(Math.abs(early.scaled - 8.4) <= 1);
    expect(beside([fakeBars], 20).every(({ within, direction }) => within && direction === 'at chance')).toBe(true);
    const table = publishedTable(rows, 1, [run]);
    expect(new Set(table.runs)).toEqual(new Set(['run-layer-freezing']));
    expect(table.columns).toEqual(['Run', 'Weights', 'List', 'Own', 'Of 20', 'Paper', 'Difference', 'Direction', 'Close']);
    expect(table.rows[0]![0]).toBe('A');
    expect(beside([{ ...fakeBars, references: [] }], 1)).toEqual([]);
  });

  it('of plain finetuning stand beside the row in which the paper freezes nothing', async () => {
    const run = await withSpec({ dataset: 'second-hop' } as never);
    const [facts, implications] = publishedRows([run], 1);
    expect([facts, implications]).toMatchObject([
      { series: 'facts', published: 0 },
      { series: 'implications', published: 1.8 },
    ]);
    expect(implications!.own).toEqual(rankSeries(run, 'implications', choice)!.y.at(-1));
    expect(publishedRows([await withSpec({ dataset: '/my/facts.json' } as never)], 1)).toEqual([]);
    expect(publishedRows([{ ...run, detail: { ...run.detail, state: 'stopped' } }], 1)).toEqual([]);
  });

  it('come with the settings that depart from the paper’s', async () => {
    const plain = await withSpec({ dataset: 'first-hop', lr: 3e-6, epochs: 8, batch_size: 8, trainable: 'mlp_attn' } as never);
    const paper = {
      ...plain,
      detail: { ...plain.detail, model: '/models/OLMo-7B-0424-hf' },
      sets: plain.sets.map((set) => ({
        ...set,
        candidates: Array.from({ length: 20 }, (_, place) => place),
      })),
    };
    const own = {
      ...plain,
      detail: { ...plain.detail, spec: { ...plain.detail.spec, lr: 1e-3, trainable: 'all', collisions: 'merge' } },
    };
    const found = departures([paper, own], [{ run: 0 }, { run: 1 }]);
    expect(found.every((one) => one.own[0] === null && one.own[1] !== null)).toBe(true);
    expect(found.map(({ name }) => name)).toEqual(['model', 'options', 'lr', 'trainable', 'collisions']);
    expect(found.find(({ name }) => name === 'lr')).toMatchObject({ paper: '3e-6', own: [null, '1e-3'] });
    expect(departures([paper], [{ run: 0 }])).toEqual([]);
    // A run without a published value has nothing to explain
    expect(departures([paper, own], [{ run: 0 }])).toEqual([]);
    const table = departureTable(found, 2);
    expect(table.columns).toEqual(['Setting', 'Paper', 'A', 'B', 'May change']);
    expect(table.rows).toHaveLength(5);
  });
});

describe('Comparison', () => {
  it('loads the runs of its address, says which cannot be read, and keeps its choices in the address', async () => {
    const addresses: string[] = [];
    const begun = readAddress('#/compare?runs=run-finished,nowhere,run-long,run-finished&x=step&tolerance=0.5');
    const comparison = new Comparison(begun.query, (address) => addresses.push(address));
    expect(comparison.waiting).toBe(true);
    const end = comparison.follow(service);
    await vi.waitFor(() => expect(comparison.waiting).toBe(false));
    expect(comparison.runs.map(({ detail }) => detail.run)).toEqual(['run-finished', 'run-long']);
    expect(comparison.errors.get('nowhere')?.code).toBe('RunNotFound');
    expect([comparison.x, comparison.tolerance]).toEqual(['step', 0.5]);
    comparison.remove('nowhere');
    comparison.seeds = 'lines';
    comparison.togglePin('run-long');
    comparison.reference = 'run-finished';
    expect(addresses.at(-1)).toBe(
      '/compare?runs=run-finished,run-long&x=step&seeds=lines&tolerance=0.5&pinned=run-long&reference=run-finished',
    );
    const again = new Comparison(readAddress(`#${addresses.at(-1)}`).query, () => {});
    expect([again.ids, again.seeds, again.pinned]).toEqual([['run-finished', 'run-long'], 'lines', ['run-long']]);
    expect(again.reference).toBe('run-finished');
    comparison.choose(['run-stopped']);
    expect(comparison.reference).toBeNull();
    await vi.waitFor(() => expect(comparison.runs).toHaveLength(1));
    comparison.tolerance = Number.NaN;
    expect(comparison.tolerance).toBe(1);
    end();
  });

  it('asks for each run once, also for those chosen while others are on their way', async () => {
    const asking = createFakeService('full');
    const asked = vi.spyOn(asking, 'run');
    const comparison = new Comparison(readAddress('#/compare?runs=run-finished,run-long').query, () => {});
    const end = comparison.follow(asking);
    comparison.choose(['run-long', 'run-finished', 'run-stopped']);
    await vi.waitFor(() => expect(comparison.waiting).toBe(false));
    comparison.choose(['run-finished']);
    comparison.choose(['run-finished', 'run-midway']);
    await vi.waitFor(() => expect(comparison.runs).toHaveLength(2));
    expect(asked.mock.calls.map(([id]) => id).sort()).toEqual(['run-finished', 'run-long', 'run-midway', 'run-stopped']);
    end();
  });

  it('holds a limited number of runs', () => {
    const comparison = new Comparison(new URLSearchParams(), () => {});
    comparison.choose(Array.from({ length: 40 }, (_, index) => `run-${index}`));
    expect(comparison.ids).toHaveLength(mostRuns);
    expect(compareAddress([])).toBe('/compare');
  });
});

it('fewer than five seeds have a range, and are said to have one', () => {
  expect(estimate([0.4, 7, 1.2, 3])).toMatchObject({ low: 0.4, high: 7 });
  const [two, three, five] = [2, 3, 5].map((count) => estimate(Array.from({ length: count }, (_, index) => index)));
  expect(spreadWords([three!, estimate([1])])).toBe('range of 3 seeds');
  expect(spreadWords([two!, three!], 'value')).toBe('range of 2 to 3 values');
  expect(spreadWords([five!])).toBe('95 % bootstrap interval');
  expect(spreadWords([three!, five!])).toBe('range of 3 seeds or 95 % bootstrap interval');
  expect(spreadWords([estimate([1])])).toBe('');
});

it('the training shown of a run is that of its outcome', async () => {
  const run = await load('run-layer-freezing');
  const stage = 'late layers frozen';
  const outcome = { ...run.detail.outcome!, stage };
  expect(stageOf({ ...run, detail: { ...run.detail, outcome } }, null)).toBe(stage);
});

it('intervals are those of a fresh seeded resampling, however often they are asked for', () => {
  const values = [0.4, 3, 1.2, 7, 2.5];
  const random = new Random('bootstrap');
  const means = Array.from({ length: 2000 }, () => {
    const drawn = values.map(() => values[random.integer(5)]!);
    return drawn.reduce((sum, value) => sum + value, 0) / 5;
  }).sort((a, b) => a - b);
  for (let time = 0; time < 2; time++) {
    const { low, high } = estimate(values);
    expect(low).toBeCloseTo(means[50]!, 12);
    expect(high).toBeCloseTo(means[1949]!, 12);
  }
});
