/** The explorer's state over the fake host: what is chosen becomes tables, runs are subtracted, circuits are saved and brought back. */
import { describe, expect, it, vi } from 'vitest';
import { bySeed, byToken, namesOfPart, scoreTitle, topItems } from '../../../src-renderer/circuit/component-summary.ts';
import { scoreOf } from '../../../src-renderer/circuit/components.ts';
import { differenceName, differenceSource, differenceText } from '../../../src-renderer/circuit/difference.ts';
import { grouped, togglePins } from '../../../src-renderer/circuit/marks.ts';
import { CircuitScores } from '../../../src-renderer/state/circuit.svelte.ts';
import { CircuitExplorer } from '../../../src-renderer/state/circuit-explorer.svelte.ts';
import { CircuitDesk } from '../../../src-renderer/state/circuit-marks.svelte.ts';
import { createFakeService } from '../fake-host.ts';

const run = 'run-extractive-scores';

async function opened(id: string) {
  const service = createFakeService('full');
  const scores = new CircuitScores(id);
  await scores.open(service);
  await scores.show(service);
  return { service, scores };
}

describe('CircuitScores', () => {
  it('shows the mean over seeds of the average, then one seed and item', async () => {
    const { service, scores } = await opened(run);
    expect([scores.stages, scores.seeds, scores.seed, scores.point, scores.points.length]).toEqual([
      ['finetune'],
      [0, 1, 2],
      null,
      -1,
      21,
    ]);
    const cell = { part: 'mlp', layer: 3, head: null, token: 6 } as const;
    const all = [];
    for (const seed of [0, 1, 2]) {
      const [row] = await service.scores(run, { seed, point: -1, names: ['informative.mlp'] });
      all.push(row!.values[3 * 10 + 6]!);
    }
    expect(scoreOf(scores.tables!.get('informative.mlp')!, cell)).toBeCloseTo(all.reduce((sum, value) => sum + value) / 3);
    expect(scores.tokens).toEqual({ names: 'The people in the city X Y is from speak'.split(' '), named: true });
    scores.seed = 1;
    scores.point = 4;
    await scores.show(service);
    const [row] = await service.scores(run, { seed: 1, point: 4, names: ['informative.mlp'] });
    expect(scoreOf(scores.tables!.get('informative.mlp')!, cell)).toBe(row!.values[36]);
    expect(scores.tokens.names.slice(-2)).toEqual(['from', 'speak']);
  });

  it('asks for the same tables once', async () => {
    const { service, scores } = await opened(run);
    const asked = vi.spyOn(service, 'scores');
    await scores.show(service);
    await scores.averages(service);
    expect(asked).not.toHaveBeenCalled();
    scores.point = 0;
    await scores.show(service);
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it('subtracts another run, or says why it cannot', async () => {
    const { service, scores } = await opened(run);
    scores.otherId = 'run-emergence';
    await scores.show(service);
    expect(scores.problem).toBeNull();
    // The last checkpoint's made-up scores are those of the other run.
    const { values } = scores.tables!.get('downstream.attn')!;
    expect(Math.max(...Array.from(values, Math.abs))).toBeLessThan(1e-12);
    expect(scores.difference).toMatchObject({
      a: { stage: 'finetune', seeds: [0, 1, 2] },
      b: { stage: 'model', seeds: [0, 1, 2] },
      missingSeed: null,
    });
    // Another of its checkpoints, chosen by hand
    expect([scores.otherStages.length, scores.otherStage]).toEqual([4, 'model']);
    scores.otherStage = 'step-100';
    scores.seed = 1;
    await scores.show(service);
    expect(scores.difference).toMatchObject({ a: { seeds: [1] }, b: { stage: 'step-100', seeds: [1] } });
    expect(Math.max(...Array.from(scores.tables!.get('downstream.mlp')!.values))).toBeGreaterThan(0.3);
    scores.seed = null;
    scores.point = 2;
    await scores.show(service);
    expect(scores.problem).toContain('no scores of this item');
    expect(scores.difference).toBeNull();
    expect(scoreOf(scores.tables!.get('downstream.mlp')!, { part: 'mlp', layer: 6, head: null, token: 9 })).toBeGreaterThan(0.1);
  });

  it('says that the mean over the other run’s seeds is subtracted where it has not the chosen one', async () => {
    const { service, scores } = await opened(run);
    const listing = service.scoreListing.bind(service);
    vi.spyOn(service, 'scoreListing').mockImplementation(async (id) =>
      id === run ? listing(id) : (await listing(id)).filter(({ seed }) => seed !== 1),
    );
    scores.seed = 1;
    scores.otherId = 'run-emergence';
    await scores.show(service);
    const difference = scores.difference!;
    expect(difference).toMatchObject({ a: { seeds: [1] }, b: { seeds: [0, 2] }, missingSeed: 1 });
    expect(differenceName(difference)).toBe(`A minus B (${run} minus run-emergence)`);
    const source = differenceSource(difference);
    expect(source).toContain(`A: run ${run}`);
    expect(source).toContain('finetune, seed 1. B: run run-emergence');
    expect(source).toContain('model, mean over seeds 0, 2; B has no seed 1, so the mean over its seeds is subtracted.');
    const faster = { ...difference.b.detail, spec: { ...difference.a.detail.spec, lr: 0.5, epochs: 77, memory: '1GiB' } };
    const text = differenceText({ ...difference, b: { ...difference.b, detail: faster } });
    expect(text).toMatch(/Positive: higher in A\. Settings that differ \(A; B\): .*lr 3e-4; 5e-1/);
    expect(text).toMatch(/epochs [^,]*; 77/);
    expect(text).not.toContain('memory');
  });

  it('has every checkpoint of an emergence run, the last one first shown', async () => {
    const { service, scores } = await opened('run-emergence');
    expect([scores.course, scores.stage, scores.points]).toEqual([true, 'model', [-1]]);
    expect([...scores.courseTables.keys()]).toEqual(['step-100', 'step-400', 'step-1600', 'model']);
    scores.stage = 'step-100';
    await scores.show(service);
    const peak = (tables = scores.tables!) =>
      scoreOf(tables.get('downstream.mlp')!, { part: 'mlp', layer: 6, head: null, token: 9 });
    expect(peak()).toBeLessThan(0.5 * peak(scores.courseTables.get('model')));
  });

  it('offers the scored runs of its own project to subtract', async () => {
    const service = createFakeService('full');
    const detail = service.run.bind(service);
    vi.spyOn(service, 'run').mockImplementation(async (id) => ({ ...(await detail(id)), project: 2 }));
    const asked = vi.spyOn(service, 'scoredRuns');
    const scores = new CircuitScores(run);
    await scores.open(service);
    expect(asked.mock.calls).toEqual([[2]]);
    expect(scores.otherRuns).toEqual([]);
    // One that an address names is offered wherever it is
    scores.otherId = 'run-emergence';
    expect(scores.otherRuns.map((other) => other.run)).toEqual(['run-emergence']);
  });

  it('says why a run cannot be read, and knows one without scores', async () => {
    expect((await opened('nowhere')).scores.error?.code).toBe('RunNotFound');
    const { scores } = await opened('run-finished');
    expect([scores.listings, scores.tables, scores.error]).toEqual([[], null, null]);
  });

  it('reads one component over seeds, tokens and items', async () => {
    const { service, scores } = await opened(run);
    expect(namesOfPart(scores.listings, 'attn')).toEqual([
      'informative.attn',
      'upstream.attn',
      'downstream.attn',
      'downstream_nonstrict.attn',
    ]);
    const rows = await scores.component(service, { part: 'mlp', layer: 6, head: null, token: 9 });
    const numbers = bySeed(rows, -1, 9).find(({ name }) => name === 'downstream.mlp')!;
    expect(numbers.seeds.map(({ seed }) => seed)).toEqual([0, 1, 2]);
    expect(numbers.mean).toBeCloseTo(
      scoreOf(scores.tables!.get('downstream.mlp')!, { part: 'mlp', layer: 6, head: null, token: 9 }),
    );
    const course = byToken(rows, 'downstream.mlp', -1, null);
    expect([course.length, course[9]]).toEqual([10, expect.closeTo(numbers.mean)]);
    expect(bySeed(rows, -1, null)[0]!.mean).toBeCloseTo(
      byToken(rows, bySeed(rows, -1, null)[0]!.name, -1, null).reduce((a, b) => a + b),
    );
    const items = topItems(rows, 'downstream.mlp', null, 3);
    expect(items).toHaveLength(3);
    const totals = topItems(rows, 'downstream.mlp', null, 99);
    expect(totals).toHaveLength(20);
    expect(totals.every(({ value }, index) => index === 0 || value <= totals[index - 1]!.value)).toBe(true);
    expect(['downstream_nonstrict.mlp', 'informative.ff_out', 'other'].map(scoreTitle)).toEqual([
      'Downstream, non-strict',
      'Informative, its last map',
      'other',
    ]);
  });
});

const view = {
  threshold: 0.3,
  scale: 'shared',
  rule: 'strict',
  heads: false,
  pinnedOnly: false,
  stage: 'finetune',
  seed: null,
  point: -1,
} as const;

describe('CircuitExplorer', () => {
  /** The number of a circuit that was saved as looked at under seed 1. */
  async function saved(service: ReturnType<typeof createFakeService>): Promise<number> {
    const desk = new CircuitDesk(run);
    desk.pin(['mlp.1.t1']);
    await desk.save(service, { ...view, seed: 1, point: 3 }, 'recall');
    return desk.open!.circuit;
  }

  it('shows a saved circuit as it was looked at, but for what the address says and what was chosen while it was on its way', async () => {
    const service = createFakeService('full');
    const circuit = await saved(service);
    const explorer = new CircuitExplorer(run);
    explorer.open(service);
    const query = new URLSearchParams(`circuit=${circuit}&item=5&component=mlp.2.t3`);
    expect(await explorer.follow(service, query)).toEqual({ missing: false, draft: false });
    const { scores, desk } = explorer;
    expect([explorer.tab, scores.seed, scores.point, [...desk.selected]]).toEqual(['circuit', 1, 5, ['mlp.2.t3']]);
    expect(explorer.query).toBe(`?circuit=${circuit}&item=5&component=mlp.2.t3`);

    const late = new CircuitExplorer(run);
    const circuits = service.circuits.bind(service);
    vi.spyOn(service, 'circuits').mockImplementation(async (id) => {
      late.tab = 'maps';
      late.scores.point = 7;
      return circuits(id);
    });
    late.open(service);
    await late.follow(service, query);
    expect([late.tab, late.scores.point, late.scores.seed, late.desk.open?.name]).toEqual(['maps', 7, 1, 'recall']);
    expect(late.desk.marks.pins).toEqual(['mlp.1.t1']);
  });

  it('follows the address that was asked for last, and says what is not there any more', async () => {
    const service = createFakeService('full');
    const circuit = await saved(service);
    const explorer = new CircuitExplorer(run);
    explorer.open(service);
    const former = explorer.follow(service, new URLSearchParams(`circuit=${circuit}`));
    const latter = explorer.follow(service, new URLSearchParams('tab=strength&circuit=99'));
    expect([await former, await latter]).toEqual([null, { missing: true, draft: false }]);
    expect([explorer.tab, explorer.desk.open]).toEqual(['strength', null]);
    const nowhere = new CircuitExplorer('nowhere');
    nowhere.open(service);
    expect(await nowhere.follow(service, new URLSearchParams())).toBeNull();
  });

  it('goes from an open component of the maps to its selection in the circuit', async () => {
    const service = createFakeService('full');
    const explorer = new CircuitExplorer(run);
    explorer.open(service);
    await explorer.follow(service, new URLSearchParams('component=mlp.2'));
    expect(explorer.shown).toEqual({ part: 'mlp', layer: 2, head: null, token: null });
    explorer.tab = 'circuit';
    expect(explorer.shown).toBeNull(); // added over all tokens, it is no one component
    explorer.tab = 'maps';
    explorer.chosen = { part: 'mlp', layer: 2, head: null, token: 4 };
    explorer.tab = 'circuit';
    expect([explorer.shown?.token, explorer.query]).toEqual([4, '?tab=circuit&component=mlp.2.t4']);
    explorer.clear();
    expect([explorer.shown, explorer.desk.selected.size]).toEqual([null, 0]);
  });
});

describe('CircuitDesk', () => {
  it('selects, undoes, saves, renames, deletes and brings back', async () => {
    const service = createFakeService('full');
    const desk = new CircuitDesk(run);
    desk.select('mlp.0.t1');
    desk.select('mlp.1.t1', true);
    desk.select('mlp.0.t1', true);
    expect([...desk.selected]).toEqual(['mlp.1.t1']);
    desk.change(togglePins(desk.marks, ['mlp.1.t1']), 'pin');
    desk.change(grouped(desk.marks, ['mlp.1.t1'], 'answer'), 'group');
    desk.undo();
    expect([desk.marks.groups.length, desk.undoes, desk.redoes, desk.unsaved]).toEqual([0, 'pin', 'group', true]);
    desk.redo();
    await desk.save(service, view, 'recall');
    expect([desk.unsaved, desk.open?.name, desk.saved.length]).toEqual([false, 'recall', 1]);
    await desk.rename(service, 'answer');
    await desk.save(service, { ...view, threshold: 0.5 }, null);
    expect(desk.saved).toHaveLength(1);
    const deleted = await desk.delete(service);
    expect([deleted?.name, desk.saved.length, desk.open, desk.unsaved]).toEqual(['answer', 0, null, true]);
    await deleted!.restore();
    expect([desk.open?.name, desk.unsaved]).toEqual(['answer', false]);
    desk.startNew();
    expect(desk.marks.pins).toEqual([]);
    expect(desk.openSaved(desk.saved[0]!)).toMatchObject({ threshold: 0.5, marks: { pins: ['mlp.1.t1'] } });
    expect([desk.marks.groups[0]?.name, desk.undoes]).toEqual(['answer', null]);
  });

  it('keeps marks that are not saved for the next visit, those of each circuit by themselves', async () => {
    const service = createFakeService('full');
    const kept = new Map<string, string>();
    const keeper = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const visit = async () => {
      const desk = new CircuitDesk(run, keeper);
      await desk.list(service);
      return desk;
    };
    const first = await visit();
    first.change(togglePins(first.marks, ['mlp.1.t1']), 'pin');
    const second = await visit();
    expect([second.draft?.circuit, second.takeUpDraft(), second.marks.pins, second.unsaved]).toEqual([
      null,
      true,
      ['mlp.1.t1'],
      true,
    ]);
    second.undo();
    expect([second.marks.pins, kept.size]).toEqual([[], 0]);
    second.redo();
    await second.save(service, view, 'recall');
    expect([second.unsaved, kept.size]).toEqual([false, 0]);

    const circuit = second.open!;
    second.change(togglePins(second.marks, ['mlp.2.t1']), 'pin');
    const back = second.standing();
    second.startNew();
    expect([second.takeUpDraft(), second.marks.pins]).toEqual([false, []]);
    second.change(togglePins(second.marks, ['mlp.0.t0']), 'pin');
    const third = await visit();
    expect(third.draft?.circuit).toBeNull();
    third.openSaved(circuit);
    expect([third.takeUpDraft(), third.marks.pins]).toEqual([true, ['mlp.1.t1', 'mlp.2.t1']]);
    third.discard();
    expect([third.marks.pins, third.unsaved]).toEqual([['mlp.1.t1'], false]);
    back();
    expect([second.open?.name, second.marks.pins, second.unsaved, second.undoes]).toEqual([
      'recall',
      ['mlp.1.t1', 'mlp.2.t1'],
      true,
      'pin',
    ]);
    // What was left on a circuit that is gone is a new one's
    await service.deleteCircuit(circuit.circuit);
    const last = await visit();
    expect([last.draft, last.takeUpDraft(), last.open]).toEqual([
      { circuit: null, marks: expect.objectContaining({ pins: ['mlp.1.t1', 'mlp.2.t1'] }) },
      true,
      null,
    ]);
    kept.set(`hopscope.circuit-drafts.${run}`, '{"no": "list"}');
    expect((await visit()).takeUpDraft()).toBe(false);
  });

  it('keeps what an earlier visit left until something changes', async () => {
    const kept = new Map<string, string>();
    const keeper = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const first = new CircuitDesk(run, keeper);
    first.pin(['mlp.1.t1']);
    const second = new CircuitDesk(run, keeper);
    for (const nothing of [() => second.pin([]), () => second.fold([]), () => second.undo(), () => second.redo()]) nothing();
    expect([second.takeUpDraft(), second.marks.pins]).toEqual([true, ['mlp.1.t1']]);
    second.change(grouped(second.marks, ['mlp.1.t1'], 'recall'), 'group');
    second.fold([1]);
    expect([second.marks.groups[0]!.collapsed, second.undoes]).toEqual([true, 'collapse group']);
    second.fold([1]);
    second.pin(['mlp.1.t1']);
    expect([second.undoes, second.marks.pins]).toEqual(['unpin', []]);
    second.undo();
    expect(second.undoes).toBe('open group');
  });

  it('takes over what another window saved, but not over marks that are not saved here', async () => {
    const service = createFakeService('full');
    const [here, there] = [new CircuitDesk(run), new CircuitDesk(run)];
    here.change(togglePins(here.marks, ['mlp.1.t1']), 'pin');
    await here.save(service, view, 'shared');
    await there.list(service);
    there.openSaved(there.saved[0]!);
    there.change(togglePins(there.marks, ['mlp.2.t1']), 'pin');
    await there.save(service, view, null);

    await here.list(service);
    expect([here.marks.pins, here.unsaved, here.undoes]).toEqual([['mlp.1.t1', 'mlp.2.t1'], false, null]);
    here.change(togglePins(here.marks, ['mlp.1.t1']), 'unpin');
    there.change(togglePins(there.marks, ['mlp.2.t1']), 'unpin');
    await there.save(service, view, null);
    await here.list(service);
    expect([here.marks.pins, here.unsaved]).toEqual([['mlp.2.t1'], true]);

    await there.delete(service);
    await here.list(service);
    expect([here.open, here.marks.pins, here.unsaved]).toEqual([null, ['mlp.2.t1'], true]);
  });
});
