/** The explorer's state over the fake host: what is chosen becomes tables, runs are subtracted, circuits are saved and brought back. */
import { describe, expect, it, vi } from 'vitest';
import { bySeed, byToken, namesOfPart, scoreTitle, topItems } from '../../../src-renderer/circuit/component-summary.ts';
import { scoreOf } from '../../../src-renderer/circuit/components.ts';
import { grouped, togglePins } from '../../../src-renderer/circuit/marks.ts';
import { CircuitScores } from '../../../src-renderer/state/circuit.svelte.ts';
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
    scores.point = 2;
    await scores.show(service);
    expect(scores.problem).toContain('no scores of this item');
    expect(scoreOf(scores.tables!.get('downstream.mlp')!, { part: 'mlp', layer: 6, head: null, token: 9 })).toBeGreaterThan(0.1);
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

describe('CircuitDesk', () => {
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
