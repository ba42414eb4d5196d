/** Comparing runs: settings, labels, grids, curves, outcomes, the paper's values, and the state that the address holds. */
import { describe, expect, it, vi } from 'vitest';
import { Random } from '../../src-main/shared/random.ts';
import type { RunDetail } from '../../src-main/shared/records.ts';
import { estimate } from '../../src-main/shared/statistics.ts';
import { printStyle } from '../../src-renderer/figures/style.ts';
import { drawFigure, figureSvg } from '../../src-renderer/figures/svg.ts';
import {
  comparability,
  lossSeries,
  rankFigure,
  rankSeries,
  sharedStages,
  stageOf,
  sweepFigure,
} from '../../src-renderer/measures/compare-curves.ts';
import { directionOf, outcomeTable, publishedRows, publishedTable } from '../../src-renderer/measures/compare-outcomes.ts';
import { type ComparedRun, runLabels, runLetter, settingRows, sweepOf } from '../../src-renderer/measures/compare-settings.ts';
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
      { name: 'lr', values: ['1e-4', '0.001'], differs: true },
      { name: 'epochs', values: ['12', '3'], differs: true },
    ]);
    expect(rows.slice(2).every(({ differs }) => !differs)).toBe(true);
    expect(runLabels(details)).toEqual(['A lr 1e-4, epochs 12', 'B lr 0.001, epochs 3']);
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
      columns: { name: 'lr', values: ['1e-5', '1e-4', '0.001'] },
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
    expect(drawn('interval')).toContain('95 % interval');
    expect(drawn('interval')).not.toContain('one seed');
    expect(drawn('lines')).toContain('one seed');
    expect(drawn('lines')).not.toContain('95 % interval');
    expect(drawn('lines').match(/<path[^>]*fill="none"[^>]*stroke-dasharray="6 3"/g)).toHaveLength(6);
  });

  it('of a grid are small multiples on the same axes, and their numbers a table', async () => {
    const runs = await Promise.all([withSpec({ lr: 1e-5 }), withSpec({ lr: 1e-4 }), withSpec({ lr: 1e-3 }, 'run-stopped')]);
    const sweep = sweepOf(runs.map(({ detail }) => detail))!;
    const figure = sweepFigure(runs, sweep, ['facts', 'implications'], choice);
    expect(figure.panels.map((panel) => panel?.title)).toEqual(['lr 1e-5', 'lr 1e-4', 'lr 0.001']);
    expect(figure.references.map(({ label }) => label)).toEqual(['chance, facts', 'chance, implications']);
    const { text } = figureSvg(figure, { size: 'page' });
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    expect(text).toContain('width="178mm"');
    expect(text.match(/Mean rank \(0 is best\)/g)).toHaveLength(1);
    const marks = JSON.stringify(drawFigure(figure, printStyle).nodes).match(/lr 1e-4, facts, epoch \d+: /g);
    expect(marks).toHaveLength(13);
    expect(figureCsv(figure, [0, 1, 2]).split('\r\n')[0]).toBe('panel,series,Epoch,mean,low,high,seed 0,seed 1,seed 2');
  });
});

describe('outcomes', () => {
  it('are a row for each run, with estimates, as LaTeX too', async () => {
    const runs = await Promise.all([withSpec({ lr: 1e-5 }), withSpec({ lr: 1e-4 })]);
    const table = outcomeTable(runs, ['A', 'B'], ['facts'], choice);
    expect(table.columns).toEqual(['Run', 'lr', 'facts, start', 'facts, end', 'Loss', 'Seconds']);
    expect(table.rows[1]!.slice(0, 2)).toEqual(['B', 1e-4]);
    expect(table.rows[0]![3]).toMatchObject({ values: [expect.any(Number), expect.any(Number), expect.any(Number)] });
    expect(tableLatex(table, 'Run x, 2026-11-22.')).toContain('Run x, 2026-11-22.}');
  });

  it('stand beside the published values with direction and tolerance', () => {
    expect([3, 9, 12].map((rank) => directionOf(rank, 9.5, 1))).toEqual(['better than chance', 'at chance', 'worse than chance']);
    const rows = publishedRows([{ figures: [fakeBars] }], 1);
    // Every published value but the one that the paper does not give
    expect(rows).toHaveLength(11);
    const early = rows.find(({ group, series }) => group === 'early frozen after training' && series === 'implications')!;
    // Own chance is 7: ranks are scaled to the paper's 20 options
    expect(early.chance).toBe(7);
    expect(early.scaled).toBeCloseTo((early.own.mean * 9.5) / 7, 12);
    expect(early.published).toBe(8.4);
    expect(early.publishedDirection).toBe('better than chance');
    expect(early.within).toBe(Math.abs(early.scaled - 8.4) <= 1);
    expect(
      publishedRows([{ figures: [fakeBars] }], 20).every(({ within, direction }) => within && direction === 'at chance'),
    ).toBe(true);
    expect(publishedTable(rows, ['A'], 1).rows[0]![0]).toBe('A');
    expect(publishedRows([{ figures: [{ ...fakeBars, references: [] }] }], 1)).toEqual([]);
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
    expect(addresses.at(-1)).toBe('/compare?runs=run-finished,run-long&x=step&seeds=lines&tolerance=0.5&pinned=run-long');
    const again = new Comparison(readAddress(`#${addresses.at(-1)}`).query, () => {});
    expect([again.ids, again.seeds, again.pinned]).toEqual([['run-finished', 'run-long'], 'lines', ['run-long']]);
    comparison.choose(['run-stopped']);
    await vi.waitFor(() => expect(comparison.runs).toHaveLength(1));
    comparison.tolerance = Number.NaN;
    expect(comparison.tolerance).toBe(1);
    end();
  });

  it('holds a limited number of runs', () => {
    const comparison = new Comparison(new URLSearchParams(), () => {});
    comparison.choose(Array.from({ length: 40 }, (_, index) => `run-${index}`));
    expect(comparison.ids).toHaveLength(mostRuns);
    expect(compareAddress([])).toBe('/compare');
  });
});

it('intervals are those of a fresh seeded resampling, however often they are asked for', () => {
  const values = [0.4, 3, 1.2, 7];
  const random = new Random('bootstrap');
  const means = Array.from({ length: 2000 }, () => {
    const drawn = values.map(() => values[random.integer(4)]!);
    return drawn.reduce((sum, value) => sum + value, 0) / 4;
  }).sort((a, b) => a - b);
  for (let time = 0; time < 2; time++) {
    const { low, high } = estimate(values);
    expect(low).toBeCloseTo(means[50]!, 12);
    expect(high).toBeCloseTo(means[1949]!, 12);
  }
});
